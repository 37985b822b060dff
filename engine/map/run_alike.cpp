// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/run_alike.h"

#include "engine/base/sha256.h"

#include <fmt/format.h>
#include <tuple>

namespace zigzag {

std::strong_ordering compareLayer(const HeadMap &a, const HeadMap &b, int layer)
{
    bool streams = false;
    for (int head = 0; head < a.kvHeads(); ++head) {
        if (const auto order = a.at(layer, head) <=> b.at(layer, head); order != 0)
            return order;
        streams = streams || a.at(layer, head) == HeadKind::Streaming;
    }
    return streams ? std::tuple(a.sink(), a.recent()) <=> std::tuple(b.sink(), b.recent()) : std::strong_ordering::equal;
}

bool runAlike(const HeadMap &a, const HeadMap &b)
{
    if (a.layers() != b.layers() || a.kvHeads() != b.kvHeads())
        return false;
    for (int layer = 0; layer < a.layers(); ++layer)
        if (compareLayer(a, b, layer) != 0)
            return false;
    return true;
}

std::string fingerprintOf(const HeadMap &map)
{
    std::string text = map.streamingHeads() > 0 ? fmt::format("{} {}", map.sink(), map.recent()) : std::string("no window");
    for (int layer = 0; layer < map.layers(); ++layer) {
        text += ' ';
        for (int head = 0; head < map.kvHeads(); ++head)
            text += map.at(layer, head) == HeadKind::Retrieval ? 'R' : 'S';
    }
    constexpr std::size_t digits = 16;
    Sha256 hash;
    hash.update(text);
    return hash.hex().substr(0, digits);
}

} // namespace zigzag
