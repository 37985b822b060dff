// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/carry/engine_export.h"

#include "engine/base/files.h"
#include "engine/model/model.h"

#include <system_error>

namespace zigzag {

Result<EngineExport> exportForEngine(std::string_view name, const HeadMap &map, const ExportModel &model,
                                     const std::filesystem::path &folder, WeightFiles files)
{
    ZIGZAG_TRY(format, findExportFormat(name));
    EngineExport made;
    made.out = folder / (std::string(name) + (format->writesFolder ? "" : ".sh"));
    std::error_code ignored;
    const bool existed = std::filesystem::exists(made.out, ignored);
    ZIGZAG_CHECK(exportMap(*format, map, &model, made.out));
    if (!format->writesFolder) {
        ZIGZAG_TRY(command, readTextFile(made.out));
        made.command = std::move(command);
        return made;
    }
    const auto brought = [&]() -> Result<int> {
        ZIGZAG_TRY(own, modelFolder(model.name));
        return bringWeights(own, made.out, files);
    }();
    if (!brought) {
        if (!existed)
            std::filesystem::remove_all(made.out, ignored);
        return tl::unexpected(brought.error());
    }
    made.weights = *brought;
    return made;
}

} // namespace zigzag
