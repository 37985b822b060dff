// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"
#include "profiler/search/search_units.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace zigzag {

/// How sure a choice of units is, of the prompts that it was made from: over resamples of the prompts (Bootstrap), how often the
/// same would have been chosen. It knows nothing of what other prompts than such ones would say.
struct CutConfidence {
    int count = 0; ///< units that stream
    std::vector<int> streaming; ///< which, ascending
    int prompts = 0;
    double same = 0; ///< share of the resamples in which these very units stream
    std::vector<double> side; ///< [units]: share in which a unit is on its side of the cut; 1 for what no search turns

    bool isSettled() const;
    /// The units that are on their side too seldom, the least sure first; where those are fewer than two, the least sure one of
    /// each side as well. Empty where the cut is settled.
    std::vector<int> undecided() const;

    bool operator==(const CutConfidence &) const = default;
};

/// Share of the resamples from which on a choice is settled, and of the prompts that it takes at least: a resample of few prompts
/// is often the same few.
inline constexpr double settledShare = 0.95;
inline constexpr int settledPrompts = 8;
inline constexpr int bootstrapResamples = 1000;

/// Units that stream at a cut: `asked`, or half of what can stream where that is 0. Refuses a count that leaves no cut, which is
/// any for a model with fewer than two units; asked for nothing, such a model has 0.
Result<int> cutCount(const ModelShape &model, Unit unit, int asked);

/// losses: [prompts][candidates], at least one prompt. `choose` makes the set that streams (ascending) of the candidates' sums
/// over a resample; `chosen` is what the search took.
CutConfidence bootstrapChoice(std::span<const std::vector<double>> losses, std::vector<int> chosen, int units, std::uint64_t seed,
                              const std::function<std::vector<int>(std::span<const double> sums)> &choose);
/// Where units are ranked by what each does alone, the lowest stream, and of equal ones the lower. losses: [prompts][units]
CutConfidence bootstrapRanking(std::span<const std::vector<double>> losses, const ModelShape &model, Unit unit, int count,
                               std::uint64_t seed);

} // namespace zigzag
