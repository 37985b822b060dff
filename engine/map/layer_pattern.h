// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"

#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// Layers that keep everything by their place alone, where no scores are known; all others stream. A layer that any of the three
/// names retrieves. Layers are counted without those that the model's own file makes local.
struct LayerPattern {
    int every = 0; ///< the last of every so many layers, as models that slide by themselves have it; 0: none
    int first = 0, last = 0; ///< so many at either end
    bool operator==(const LayerPattern &) const = default;
};

/// "every:4", "first:2,last:2", or several of the three; each once, and one at least.
Result<LayerPattern> parseLayerPattern(std::string_view text);
/// The same text again.
std::string nameOf(const LayerPattern &pattern);

struct PatternRequest {
    LayerPattern pattern;
    std::vector<StreamingWindow> windows; ///< [layers]
    /// Layers that keep the heads that `base` has: [layers], or empty for none.
    std::vector<bool> locked = {};
    const HeadMap *base = nullptr; ///< must be there where a layer is locked
};

/// The map, and where it comes from. A pattern without counts is refused, and so are counts beyond the layers that a map decides.
Result<HeadMap> assignByPattern(const ModelShape &model, const PatternRequest &request);

} // namespace zigzag
