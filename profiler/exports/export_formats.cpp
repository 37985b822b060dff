// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/model.h"
#include "profiler/exports/format_list.h"

#include <array>
#include <fmt/format.h>

namespace zigzag {

std::string_view nameOf(KvFreed freed)
{
    return freed == KvFreed::Yes ? "yes" : freed == KvFreed::No ? "no" : "opt-in";
}

Result<ExportModel> loadExportModel(const std::string &name)
{
    ZIGZAG_TRY(config, loadModelConfig(name));
    ZIGZAG_TRY(text, readModelConfigText(name));
    return ExportModel{name, std::move(config), std::move(text)};
}

std::span<const ExportFormat> exportFormats()
{
    static const std::array all
        = {headMapFormat(), duoAttentionFormat(), kvpressFormat(), vllmFormat(), transformersFormat(), transformersCwmFormat(),
           mellumFormat(),  mlxLmFormat(),        sglangFormat(),  lozaFormat(), tensorRtLlmFormat(),  llamaCppFormat()};
    return all;
}

Result<const ExportFormat *> findExportFormat(std::string_view name)
{
    std::string known;
    for (const ExportFormat &format : exportFormats()) {
        if (format.name == name)
            return &format;
        known += (known.empty() ? "" : ", ") + std::string(format.name);
    }
    return badInput(fmt::format("export format '{}' is not known: choose one of {}", name, known));
}

Result<void> exportMap(const ExportFormat &format, const HeadMap &map, const ExportModel *model, const std::filesystem::path &out)
{
    if (const ExportVerdict verdict = format.verdict(map, model); !verdict.refusal.empty())
        return badInput(fmt::format("{} cannot take this map: {}", format.title, verdict.refusal));
    return format.write(map, model, out);
}

} // namespace zigzag
