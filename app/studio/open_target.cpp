// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/open_target.h"

#include "engine/base/file_content.h"
#include "views/models/native_path.h"
#include "views/models/text.h"

#include <filesystem>

namespace zigzag {

namespace {

constexpr const char *configName = "config.json";

} // namespace

Result<TargetKind> classify(const QString &name)
{
    if (name.startsWith(QLatin1String("bundled:")) || name.startsWith(QLatin1String("preset:")))
        return TargetKind::Model;
    const std::filesystem::path path = pathOf(name);
    std::error_code none;
    if (!std::filesystem::exists(path, none))
        return badInput(tr("%1 does not exist: give a session, a map, scores, a trace, runs, a machine profile, a "
                           "model (folder, config.json or GGUF file), preset:NAME or bundled:NAME")
                            .arg(shownPath(name))
                            .toStdString());
    if (std::filesystem::is_directory(path, none)) // DuoAttention's folders have a config.json as well
        return std::filesystem::exists(path / "full_attention_heads.tsv", none) ? TargetKind::Scores : TargetKind::Model;
    ZIGZAG_TRY(kind, kindOfFile(path));
    if (!kind.isGzip && kind.content == FileContent::Gguf)
        return TargetKind::Model;
    if (!kind.isGzip && kind.content == FileContent::Session)
        return TargetKind::Session;
    if (isTrace(kind.content))
        return TargetKind::Trace;
    if (!kind.isGzip && kind.content == FileContent::HeadMap)
        return TargetKind::Map;
    if (!kind.isGzip && isHeadScores(kind.content))
        return TargetKind::Scores;
    if (!kind.isGzip && (kind.content == FileContent::Bench || kind.content == FileContent::Prediction))
        return TargetKind::Runs;
    if (!kind.isGzip && kind.content == FileContent::Answers)
        return TargetKind::Answers;
    if (!kind.isGzip && kind.content == FileContent::MachineProfile)
        return TargetKind::Profile;
    if (!kind.isGzip && kind.content == FileContent::ModelConfig && path.filename() == configName)
        return TargetKind::Model;
    return wrongContent(path.string(), kind, "a map, head scores, a trace, runs or answers");
}

QString modelNameOf(const QString &name)
{
    const std::filesystem::path path = pathOf(name);
    std::error_code none;
    if (path.filename() != configName || !std::filesystem::is_regular_file(path, none))
        return name;
    const std::filesystem::path folder = path.parent_path();
    return folder.empty() ? QStringLiteral(".") : textOfPath(folder);
}

} // namespace zigzag
