// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/run_types.h"
#include "profiler/trace/op_table.h"

#include <string>
#include <vector>

namespace zigzag {

/// One line of a comparison of two runs, or of a run and a prediction. Milliseconds; medians with interquartile ranges.
struct Difference {
    std::string name; ///< "attention", "layer 3", "full, decode at 4096"
    double a = 0, b = 0;
    double spreadA = 0, spreadB = 0; ///< 0: a prediction, or a single measurement
    bool onlyA = false, onlyB = false; ///< one of them has no such line

    double absolute() const { return b - a; }
    double relative() const { return a > 0 ? b / a - 1 : 0; }
    /// Too small to be told from noise: the ranges around the two medians meet.
    bool isWithinSpread() const { return !onlyA && !onlyB && (b > a ? b - a : a - b) <= 0.5 * (spreadA + spreadB); }
};

/// Own time in one pass (a decode step, a chunk of a prefill), by op, layer or both: the median over each trace's passes. The
/// largest difference first.
std::vector<Difference> compareTraces(const Trace &a, const Trace &b, GroupBy by);

/// Points that both runs have, in the order of the first, then those that one lacks.
std::vector<Difference> compareRecords(const std::vector<BenchRecord> &a, const std::vector<BenchRecord> &b);

} // namespace zigzag
