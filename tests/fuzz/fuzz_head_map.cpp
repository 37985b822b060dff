// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/map_io.h"
#include "tests/fuzz/fuzz_target.h"

ZIGZAG_FUZZ(head_map)
{
    const auto map = zigzag::parseHeadMap(input, "input");
    if (!map)
        return;
    // What was accepted is written and read back as the same map.
    const auto again = zigzag::parseHeadMap(zigzag::toJson(*map), "written");
    zigzag::test::require(again.has_value() && *again == *map);
}
