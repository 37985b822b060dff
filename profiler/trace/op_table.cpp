// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/op_table.h"

#include "profiler/trace/device_time.h"
#include "profiler/trace/lane_time.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <numeric>
#include <tuple>

namespace zigzag {
namespace {

/// The part of an event that lies in the range; negative when none does.
template <class Event> std::int64_t within(const Event &event, const TimeRange &range)
{
    const std::int64_t begin = std::max(event.beginNs, range.beginNs), end = std::min(event.endNs(), range.endNs);
    return begin < end || (begin == end && event.durationNs == 0) ? end - begin : -1;
}

/// The value below which `fraction` of the values lie, interpolated. Reorders them.
double quantileOf(std::vector<std::int64_t> &values, double fraction)
{
    const double place = fraction * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::ptrdiff_t>(place);
    std::nth_element(values.begin(), values.begin() + below, values.end());
    const auto low = static_cast<double>(values[static_cast<std::size_t>(below)]);
    if (below + 1 == static_cast<std::ptrdiff_t>(values.size()))
        return low;
    const auto high = static_cast<double>(*std::min_element(values.begin() + below + 1, values.end()));
    return low + (place - static_cast<double>(below)) * (high - low);
}

/// What a row and its list of times have in common.
template <class Row> void setQuantiles(Row &row, std::vector<std::int64_t> &times)
{
    row.meanNs = std::accumulate(times.begin(), times.end(), 0.0) / static_cast<double>(row.count);
    row.p50Ns = quantileOf(times, 0.5);
    row.p99Ns = quantileOf(times, 0.99);
}

constexpr bool byOp(GroupBy by)
{
    return by == GroupBy::Op || by == GroupBy::OpAndLayer || by == GroupBy::OpAndKind || by == GroupBy::OpAndRank;
}

struct Group {
    OpRow row;
    std::vector<std::int64_t> times;
};

} // namespace

std::string OpRow::label() const
{
    const std::string place = layer ? (*layer < 0 ? std::string("outside") : fmt::format("layer {}", *layer))
        : kind                      ? std::string(kindName(*kind))
        : rank                      ? fmt::format("rank {}", *rank)
                                    : std::string();
    if (!op)
        return place.empty() ? "outside" : place;
    return place.empty() || place == "outside" ? std::string(nameOf(*op)) : fmt::format("{} · {}", nameOf(*op), place);
}

std::vector<OpRow> opTable(const Trace &trace, GroupBy by, const TimeRange &range)
{
    const std::size_t count = trace.spans.size();
    std::vector<std::int64_t> part(count), self(count), kernelNs(count), waitNs(count), exchangeNs(count);
    for (std::size_t i = 0; i < count; ++i) {
        part[i] = within(trace.spans[i], range);
        self[i] = std::max<std::int64_t>(0, part[i]);
    }
    for (std::size_t i = 0; i < count; ++i)
        if (const std::int32_t parent = trace.spans[i].parent; parent >= 0)
            self[static_cast<std::size_t>(parent)] -= std::max<std::int64_t>(0, part[i]);
    for (std::int64_t &ns : self) // in device time children may overlap, and then cover more than there is
        ns = std::max<std::int64_t>(0, ns);
    OwnTime own;
    for (KernelSpan kernel : trace.kernels) {
        const std::int64_t begin = own.beginNs(kernel);
        kernel.durationNs = kernel.endNs() - begin;
        kernel.beginNs = begin;
        if (const std::int64_t ns = within(kernel, range); kernel.span >= 0 && ns > 0)
            kernelNs[static_cast<std::size_t>(kernel.span)] += ns;
    }
    for (const CollectiveSpan &each : trace.collectives) {
        if (each.span < 0)
            continue;
        CollectiveSpan waiting = each;
        waiting.durationNs = each.waitNs;
        const std::int64_t all = std::max<std::int64_t>(0, within(each, range)),
                           waited = std::max<std::int64_t>(0, within(waiting, range));
        waitNs[static_cast<std::size_t>(each.span)] += waited;
        exchangeNs[static_cast<std::size_t>(each.span)] += all - waited;
    }

    using Key = std::tuple<int, int, int, int>; // op, layer, kind, rank; −2 where not grouped by it
    std::map<Key, Group> groups;
    for (std::size_t i = 0; i < count; ++i) {
        if (part[i] < 0)
            continue;
        const TraceSpan &span = trace.spans[i];
        const bool byLayer = by == GroupBy::Layer || by == GroupBy::OpAndLayer;
        const bool byKind = by == GroupBy::LayerKind || by == GroupBy::OpAndKind;
        const bool byRank = by == GroupBy::Rank || by == GroupBy::OpAndRank;
        const int kind = span.layer < 0 ? -1 : static_cast<int>(span.kind);
        Group &group = groups[{byOp(by) ? static_cast<int>(span.op) : -2, byLayer ? span.layer : -2, byKind ? kind : -2,
                               byRank ? span.row : -2}];
        OpRow &row = group.row;
        if (byOp(by))
            row.op = span.op;
        if (byLayer)
            row.layer = span.layer;
        if (byKind && kind >= 0)
            row.kind = span.kind;
        if (byRank)
            row.rank = span.row;
        const std::int64_t time = byOp(by) ? part[i] : self[i];
        const double share = span.durationNs > 0 ? static_cast<double>(part[i]) / static_cast<double>(span.durationNs) : 1.0;
        ++row.count;
        row.totalNs += time;
        row.selfNs += self[i];
        row.bytes += share * static_cast<double>(span.bytes);
        row.flops += share * static_cast<double>(span.flops);
        row.floorNs += share * static_cast<double>(span.floorNs);
        row.waitNs += waitNs[i];
        row.exchangeNs += exchangeNs[i];
        row.kernelNs += kernelNs[i];
        group.times.push_back(time);
    }
    std::vector<OpRow> rows;
    for (auto &[key, group] : groups) {
        OpRow &row = group.row;
        setQuantiles(row, group.times);
        const auto seconds = static_cast<double>(row.totalNs) / 1e9;
        row.bytesPerSecond = seconds > 0 ? row.bytes / seconds : 0.0;
        row.flopsPerSecond = seconds > 0 ? row.flops / seconds : 0.0;
        const double ratio = row.totalNs > 0 ? row.floorNs / static_cast<double>(row.totalNs) : 0.0;
        row.floorRatio = ratio <= 1 ? ratio : 0.0;
        rows.push_back(row);
    }
    std::stable_sort(rows.begin(), rows.end(), [](const OpRow &a, const OpRow &b) { return a.selfNs > b.selfNs; });
    return rows;
}

std::vector<KernelRow> kernelTable(const Trace &trace, const TimeRange &range)
{
    std::vector<KernelRow> rows(trace.kernelNames.size());
    std::vector<std::vector<std::int64_t>> times(rows.size());
    const LaneTimes lanes = trace.info.isForeign ? laneTimes(trace, range) : LaneTimes();
    for (std::size_t i = 0; i < trace.kernels.size(); ++i) {
        const KernelSpan &kernel = trace.kernels[i];
        const std::int64_t ns = within(kernel, range);
        if (ns < 0)
            continue;
        KernelRow &row = rows[kernel.name];
        ++row.count;
        row.totalNs += trace.info.isForeign ? lanes.outerNs[i] : ns;
        row.selfNs += trace.info.isForeign ? lanes.selfNs[i] : ns;
        times[kernel.name].push_back(ns);
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i].name = trace.kernelNames[i];
        if (rows[i].count > 0)
            setQuantiles(rows[i], times[i]);
    }
    std::erase_if(rows, [](const KernelRow &row) { return row.count == 0; });
    std::stable_sort(rows.begin(), rows.end(), [](const KernelRow &a, const KernelRow &b) { return a.selfNs > b.selfNs; });
    return rows;
}

} // namespace zigzag
