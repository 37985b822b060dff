// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/trace/trace.h"

#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace zigzag {

/// What the rows of an op table stand for.
enum class GroupBy { Op, Layer, LayerKind, OpAndLayer, OpAndKind, Rank, OpAndRank };

/// Sums over the spans of one group. A group by layer counts each span once, by its own time, so that nothing is counted
/// twice; its count is that of spans too.
struct OpRow {
    std::optional<Op> op; ///< none when grouped by layer or kind alone
    std::optional<int> layer; ///< −1 = outside the layers; none when grouped by op or kind
    std::optional<LayerKind> kind; ///< none outside the layers, and when not grouped by kind
    std::optional<int> rank; ///< of a group by ranks
    std::int64_t count = 0;
    std::int64_t totalNs = 0; ///< spans with what is inside them
    std::int64_t selfNs = 0; ///< without
    double meanNs = 0, p50Ns = 0, p99Ns = 0; ///< of the spans' totals
    double bytes = 0, flops = 0; ///< sums
    double bytesPerSecond = 0, flopsPerSecond = 0; ///< sums / total
    double floorNs = 0; ///< sum of the floors
    /// floor / total: 1 = at the floor; 0 where no floor is known, or where the time is below it: then the data came from a
    /// nearer cache than the ceiling's, or the machine changed, and the ratio is no result.
    double floorRatio = 0;
    std::int64_t waitNs = 0; ///< part of selfNs: for other ranks, in collectives
    std::int64_t exchangeNs = 0; ///< part of selfNs: in collectives, once all ranks had come
    std::int64_t kernelNs = 0; ///< of the spans' own kernels; one that waits for the one before it counts from that one's end on

    /// "attention", "layer 3", "outside", "attention · layer 3", "attention · streaming", "rank 1".
    std::string label() const;
};

/// A stretch of time: spans that lie in it at least partly count, with the part that lies in it.
struct TimeRange {
    std::int64_t beginNs = std::numeric_limits<std::int64_t>::min();
    std::int64_t endNs = std::numeric_limits<std::int64_t>::max();
};

/// One row a group, the largest own time first. Linear in the number of spans.
std::vector<OpRow> opTable(const Trace &trace, GroupBy by, const TimeRange &range = {});

/// Sums over the kernels of one name. Of another program's trace, where calls contain calls: without what is inside them too.
struct KernelRow {
    std::string name;
    std::int64_t count = 0;
    std::int64_t totalNs = 0; ///< a call that calls itself counts once
    std::int64_t selfNs = 0; ///< of a row of the trace they add up to the time in which anything ran there
    double meanNs = 0, p50Ns = 0, p99Ns = 0;
};
std::vector<KernelRow> kernelTable(const Trace &trace, const TimeRange &range = {});

} // namespace zigzag
