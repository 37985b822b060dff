// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/open_target.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
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
    QFile file(name);
    if (!file.open(QIODevice::ReadOnly))
        return badInput(QCoreApplication::translate("zigzag", "%1 cannot be read: %2; check its permissions")
                            .arg(name, file.errorString())
                            .toStdString());
    constexpr qint64 beginning = 4096;
    const QByteArray head = file.read(beginning);
    const bool chrome = head.contains("\"traceEvents\"") || (head.trimmed().startsWith('[') && head.contains("\"ph\""));
    const bool runs = head.contains("\"zigzag-bench\"") || head.contains("\"zigzag-prediction\"");
    return head.contains("zigzag-head-map")           ? TargetKind::Map
        : runs                                        ? TargetKind::Runs
        : chrome || head.contains("\"zigzag-trace\"") ? TargetKind::Trace
                                                      : TargetKind::Scores;
}

} // namespace zigzag
