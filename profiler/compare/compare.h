// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/base/run_types.h"
#include "profiler/trace/op_table.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// What a difference between two runs amounts to.
enum class Verdict {
    Within, ///< too small to be told from noise: the ranges around the two medians meet
    Grew,
    Shrank,
    Single, ///< one sample has no spread: nothing can be claimed
    OnlyA, ///< the other has no such line
    OnlyB,
};
/// "within the spread", "grew", …
std::string_view nameOf(Verdict verdict);

/// One line of a comparison of two runs, or of a run and a prediction. Milliseconds; medians with interquartile ranges.
struct Difference {
    std::string name; ///< "attention", "layer 3", "full, decode at 4096"
    std::optional<Op> op; ///< none: not grouped by it, or not known
    std::optional<int> layer; ///< −1: outside the layers
    double a = 0, b = 0;
    std::optional<double> spreadA, spreadB; ///< 0 of a prediction; nothing of a single sample
    bool onlyA = false, onlyB = false; ///< one of them has no such line

    double absolute() const { return b - a; }
    double relative() const { return a > 0 ? b / a - 1 : 0; }
    Verdict verdict() const;
    bool isWithinSpread() const { return verdict() == Verdict::Within; }
};

/// Milliseconds of each decode step; of another program's trace its extent, from the first beginning to the last end; of a
/// prefill, whose chunks are one run, a single number. Where kernels were recorded, the host has only launched: their time
/// counts, and not the spans'.
std::vector<double> passTimes(const Trace &trace);

/// The whole first, then the own time in one pass by op, layer or both, the largest difference first: medians over each trace's
/// passes. The parts add up to the whole within every pass. Another program's trace is one pass, whose whole is its extent and
/// whose parts are own times by name, whatever `by` says: nothing of one row is counted twice, and rows that run at once add up
/// to more.
std::vector<Difference> compareTraces(const Trace &a, const Trace &b, GroupBy by);

/// Two points, whatever they are.
Difference compareRecord(const BenchRecord &a, const BenchRecord &b);
/// Points that both runs have, in the order of the first, then those that one lacks.
std::vector<Difference> compareRecords(const std::vector<BenchRecord> &a, const std::vector<BenchRecord> &b);

} // namespace zigzag
