// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/exports/format_list.h"

#include <array>
#include <fmt/format.h>

namespace zigzag {

std::span<const ExportFormat> exportFormats()
{
    static const std::array all = {headMapFormat(), duoAttentionFormat()};
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

} // namespace zigzag
