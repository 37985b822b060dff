// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <cstdint>
#include <string>

namespace zigzag {

/// Two head maps of one model: which layers and heads differ, and what each side costs there.
struct MapComparison {
    std::string a, b;
    std::string scores; ///< may be empty: then nothing is said of sacrifice
    std::int64_t context = 4096; ///< at which KV is compared
    bool json = false;
};

/// By content; a DuoAttention folder is a map as well.
bool isHeadMap(const std::string &path);
Result<void> compareMaps(const MapComparison &comparison);

} // namespace zigzag
