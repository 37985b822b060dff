// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"

#include <algorithm>
#include <cstdint>

namespace zigzag {

/// The keys that one query sees: [0, sinkEnd) and [windowBegin, windowEnd), with sinkEnd <= windowBegin.
struct KeyRange {
    std::int64_t sinkEnd = 0;
    std::int64_t windowBegin = 0;
    std::int64_t windowEnd = 0;

    std::int64_t count() const { return sinkEnd + windowEnd - windowBegin; }
    bool operator==(const KeyRange &) const = default;
};

/// The key-range rule. Query i sees key j iff j <= i and (j < sink or i - j < recent); `recent` counts the token itself.
/// A retrieval head sees every j <= i. Streaming attention: arXiv 2309.17453, section 3.2; per head: arXiv 2410.10819.
inline KeyRange visibleKeys(HeadKind kind, std::int64_t query, std::int64_t sink, std::int64_t recent)
{
    if (kind == HeadKind::Retrieval)
        return {0, 0, query + 1};
    const std::int64_t begin = std::max<std::int64_t>(0, query + 1 - recent);
    // Sinks that the window covers already are counted once, in the window.
    return {std::min(sink, begin), begin, query + 1};
}

} // namespace zigzag
