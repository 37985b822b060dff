// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/cache_views.h"

#include <algorithm>
#include <cassert>
#include <tuple>

namespace zigzag::gpu {

HeadCaches viewOf(std::span<const HeadCache> heads, std::span<const int> selected, const SequenceRows &rows)
{
    HeadCaches view = {};
    const std::int64_t offset = rows.first * rows.cacheStride;
    assert(heads.size() <= static_cast<std::size_t>(maxKvHeads));
    for (std::size_t i = 0; i < heads.size(); ++i) {
        const HeadCache &head = heads[i];
        const HeadPattern &pattern = head.pattern;
        view.heads[i]
            = {static_cast<std::byte *>(head.keys) + offset,
               static_cast<std::byte *>(head.values) + offset,
               head.slots,
               head.stagedKeys,
               head.stagedValues,
               static_cast<int>(pattern.sink()),
               pattern.keepsEverything() ? everyKey : static_cast<int>(std::min<std::int64_t>(pattern.recent(), everyKey - 1))};
    }
    // The longest first: what runs last should be short.
    for (const int head : selected)
        view.selected[view.selectedCount++] = static_cast<std::uint8_t>(head);
    const auto place
        = [&](std::uint8_t head) { return std::tuple(!heads[head].pattern.keepsEverything(), -heads[head].slots, head); };
    std::ranges::sort(view.selected, view.selected + view.selectedCount, {}, place);
    view.sequenceStride = rows.cacheStride;
    return view;
}

} // namespace zigzag::gpu
