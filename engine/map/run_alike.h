// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"

#include <compare>
#include <string>

namespace zigzag {

// One rule for "these two maps make the model compute the same": equal patterns of heads. A window that no head of its layer
// uses, provenance and names do not count.

/// Orders what a layer computes. Both maps have the layer, and the same number of KV heads.
std::strong_ordering compareLayer(const HeadMap &a, const HeadMap &b, int layer);

/// Whether every layer computes the same; false for maps of different shapes.
bool runAlike(const HeadMap &a, const HeadMap &b);

/// Stands for a map in files: equal for maps that run alike, and for no others. 16 hexadecimal digits.
std::string fingerprintOf(const HeadMap &map);

} // namespace zigzag
