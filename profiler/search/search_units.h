// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/criterion.h"
#include "engine/map/head_map.h"
#include "engine/map/head_scores.h"

#include <span>
#include <string_view>
#include <vector>

namespace zigzag {

/// What a search turns as one (engine/map/criterion.h): "layer", which keeps the map exclusive, or "head".
std::string_view nameOf(Unit unit);

/// All of them: a unit keeps its number, whether or not it may be turned.
int unitCount(const ModelShape &model, Unit unit);
/// False for what lies in a layer that the model's own file makes local: turning it changes nothing, so no search tries it.
bool isMappable(const ModelShape &model, Unit unit, int which);
int mappableUnits(const ModelShape &model, Unit unit);
/// The map in which these units stream. A head's unit is layer · kv_heads + head.
HeadMap mapWith(const ModelShape &model, Unit unit, StreamingWindow window, std::span<const int> streaming);
/// Scores of units as scores of KV heads: a layer's repeats across its row. Values are clamped to [0, 1]; local
/// layers, which retrieve nothing from beyond their window, have 0.
std::vector<float> spreadOverHeads(const ModelShape &model, Unit unit, std::span<const double> perUnit);

} // namespace zigzag
