// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>

namespace zigzag {

/// The slot of a position in a KV head's cache (the rule of kv_layout.h). Slots for every position never wrap.
inline std::int64_t cacheSlot(std::int64_t position, std::int64_t slots, std::int64_t sink)
{
    return position < slots ? position : sink + (position - sink) % (slots - sink);
}

/// Positions [begin, end) whose keys lie one after another, from row `row` of the slots or of the staged chunk.
struct KeyRun {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t row = 0;
    bool staged = false;

    bool operator==(const KeyRun &) const = default;
};

/// At most four: sinks, the ring in two pieces, the staged chunk.
struct KeyRuns {
    std::array<KeyRun, 4> runs;
    int count = 0;

    void add(KeyRun run)
    {
        if (run.begin < run.end)
            runs[static_cast<std::size_t>(count++)] = run;
    }
    const KeyRun *begin() const { return runs.data(); }
    const KeyRun *end() const { return runs.data() + count; }
};

/// Where the keys of one KV head lie while attention reads them, in ascending order of position. `tokens` queries start at
/// `first`; with `staged` their own keys are in the staged chunk and the slots hold what came before, without it every key
/// is in its slot already.
inline KeyRuns keyRuns(std::int64_t slots, bool staged, std::int64_t sink, std::int64_t first, std::int64_t tokens)
{
    KeyRuns result;
    const std::int64_t held = staged ? first : first + tokens; // positions that went through the slots
    if (held <= slots) {
        result.add({0, held, 0, false});
    } else {
        const std::int64_t ring = slots - sink;
        assert(ring >= 0 && (staged || tokens == 1));
        result.add({0, sink, 0, false});
        if (ring > 0) {
            const std::int64_t oldest = held - ring;
            const std::int64_t row = cacheSlot(oldest, slots, sink);
            const std::int64_t wrap = oldest + slots - row; // the first position of the second piece, at slot `sink`
            result.add({oldest, std::min(wrap, held), row, false});
            result.add({wrap, held, sink, false});
        }
    }
    if (staged)
        result.add({first, first + tokens, 0, true});
    return result;
}

} // namespace zigzag
