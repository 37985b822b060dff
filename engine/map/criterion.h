// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/map/head_scores.h"
#include "engine/map/penalty.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// What streams together: a KV head by itself, or a whole layer.
enum class Unit { Head, Layer };

/// A way to choose which heads stream: it says what streaming each unit would give up, and the units that give up least
/// stream, as many as a target asks for. One file per criterion; `criteria()` lists them all.
struct Criterion {
    std::string_view name;
    std::string_view description;
    Unit unit = Unit::Layer;
    /// [layers * kv_heads] or [layers], none below 0. Deterministic.
    std::vector<Penalty> (*penalties)(const HeadScores &scores);
};

std::span<const Criterion> criteria();
Result<const Criterion *> findCriterion(std::string_view name);

/// A gate from here on is a strong one: the head is lost when it streams.
inline constexpr float strongGate = 0.9f;

/// What one layer, or the whole map, gave up.
struct Sacrifice {
    int streaming = 0; ///< KV heads that stream
    int flipped = 0; ///< KV heads whose kind differs from `duo` at the same number of streaming heads
    int demoted = 0; ///< KV heads with a strong gate that stream
    double transportCost = 0.0; ///< Σ g over streaming heads + Σ (1 − g) over retrieval heads
};

struct SacrificeReport {
    Sacrifice total;
    std::vector<Sacrifice> layers;
};

/// Layers that the model's own file makes local give up nothing and count nowhere.
SacrificeReport sacrificed(const HeadMap &map, const HeadScores &scores);

} // namespace zigzag
