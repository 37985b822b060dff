// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/run_alike.h"

#include "engine/base/sha256.h"

#include <fmt/format.h>
#include <optional>

namespace zigzag {

std::strong_ordering compareLayer(const HeadMap &a, const HeadMap &b, int layer)
{
    for (int head = 0; head < a.kvHeads(); ++head)
        if (const auto order = a.pattern(layer, head) <=> b.pattern(layer, head); order != 0)
            return order;
    return std::strong_ordering::equal;
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
    const std::optional<StreamingWindow> one = map.oneStreamingWindow();
    std::string text = map.streamingHeads() == 0 ? "no window"
        : one                                    ? fmt::format("{} {}", one->sink, one->recent)
                                                 : "a window per layer";
    for (int layer = 0; layer < map.layers(); ++layer) {
        text += ' ' + map.letters(layer);
        if (map.isLocal(layer))
            text += fmt::format(" {}", map.pattern(layer, 0).recent());
        if (!one && map.hasStreaming(layer))
            text += fmt::format(" {} {}", map.window(layer).sink, map.window(layer).recent);
    }
    constexpr std::size_t digits = 16;
    Sha256 hash;
    hash.update(text);
    return hash.hex().substr(0, digits);
}

} // namespace zigzag
