// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/open_target.h"

#include "engine/base/file_content.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>

namespace zigzag {

Result<TargetKind> classify(const QString &name)
{
    if (name.startsWith(QLatin1String("bundled:")) || name.startsWith(QLatin1String("preset:")))
        return TargetKind::Model;
    const QFileInfo info(name);
    if (!info.exists())
        return badInput(
            QCoreApplication::translate(
                "zigzag", "%1 does not exist: give a map, scores, a trace, runs, a model folder, preset:NAME or bundled:NAME")
                .arg(name)
                .toStdString());
    if (info.isDir()) {
        // DuoAttention's folders have a config.json as well.
        const QDir folder(name);
        return folder.exists(QStringLiteral("full_attention_heads.tsv")) ? TargetKind::Scores : TargetKind::Model;
    }
    ZIGZAG_TRY(kind, kindOfFile(std::filesystem::path(name.toStdString())));
    if (isTrace(kind.content))
        return TargetKind::Trace;
    if (!kind.isGzip && kind.content == FileContent::HeadMap)
        return TargetKind::Map;
    if (!kind.isGzip && isHeadScores(kind.content))
        return TargetKind::Scores;
    if (!kind.isGzip && (kind.content == FileContent::Bench || kind.content == FileContent::Prediction))
        return TargetKind::Runs;
    return wrongContent(name.toStdString(), kind, "a map, head scores, a trace or runs");
}

} // namespace zigzag
