// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/map_io.h"
#include "profiler/exports/format_list.h"

namespace zigzag {

ExportFormat headMapFormat()
{
    return {"head-map",
            "Zigzag head map",
            false,
            [](const HeadMap &map, const ExportModel *) {
                ExportVerdict verdict;
                verdict.localLayers = map.model().localLayers();
                verdict.note = "our own format: nothing is lost";
                return verdict;
            },
            [](const HeadMap &map, const ExportModel *, const std::filesystem::path &out) { return writeHeadMap(map, out); },
            [](const HeadMap &map) { return map; }};
}

} // namespace zigzag
