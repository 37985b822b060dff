// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/map_io.h"
#include "profiler/exports/format_list.h"

namespace zigzag {

ExportFormat headMapFormat()
{
    return {"head-map", "Zigzag head map", false,
            [](const HeadMap &) {
                return ExportVerdict{true, true, true, "our own format: nothing is lost"};
            },
            writeHeadMap};
}

} // namespace zigzag
