// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/trace.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace zigzag {
namespace {

constexpr std::int64_t longestSum = std::int64_t{1} << 62; // of all durations, so that no table of them overflows

template <class Event>
std::string timeFault(const Event &event, const char *what, std::size_t index, std::size_t rows, std::int64_t &sum)
{
    if (event.beginNs < 0 || event.beginNs > latestTraceNs || event.durationNs < 0 || event.durationNs > latestTraceNs)
        return fmt::format("{} {} begins or lasts outside of 0 … 2^50 ns", what, index);
    if (event.row >= rows)
        return fmt::format("{} {} is in row {}, and there are {}", what, index, event.row, rows);
    sum += event.durationNs;
    if (sum > longestSum)
        return fmt::format("{} {} and those before it last longer than 2^62 ns in all", what, index);
    return {};
}

std::string spanFault(const Trace &trace, std::size_t index)
{
    const TraceSpan &span = trace.spans[index];
    if (static_cast<std::size_t>(span.op) >= opNames.size() || span.kind > LayerKind::Local || span.layer < -1)
        return fmt::format("span {} names an op, layer or kind that there is not", index);
    if (span.bytes < 0 || span.flops < 0 || span.tokens < 0 || span.firstPosition < 0 || !(span.floorNs >= 0))
        return fmt::format("span {} has a negative count", index);
    if (span.parent < 0)
        return span.parent == -1 && span.depth == 0 ? std::string() : fmt::format("span {} has a depth without a parent", index);
    if (static_cast<std::size_t>(span.parent) >= index)
        return fmt::format("span {} comes before its parent {}", index, span.parent);
    const TraceSpan &parent = trace.spans[static_cast<std::size_t>(span.parent)];
    if (span.beginNs < parent.beginNs || span.endNs() > parent.endNs() || span.row != parent.row)
        return fmt::format("span {} does not lie in its parent {}", index, span.parent);
    if (span.depth != parent.depth + 1)
        return fmt::format("span {} is not one deeper than its parent {}", index, span.parent);
    return {};
}

std::string collectiveFault(const Trace &trace, std::size_t index, std::int64_t &sum)
{
    const CollectiveSpan &each = trace.collectives[index];
    if (auto fault = timeFault(each, "collective", index, trace.rows.size(), sum); !fault.empty())
        return fault;
    if (each.kind > CollectiveKind::Gather || each.bytes < 0 || each.waitNs < 0 || each.waitNs > each.durationNs)
        return fmt::format("collective {} has a kind, bytes or a wait that cannot be", index);
    if (each.span < -1 || each.span >= static_cast<std::int64_t>(trace.spans.size()))
        return fmt::format("collective {} has a span that there is not", index);
    if (each.span < 0)
        return {};
    const TraceSpan &around = trace.spans[static_cast<std::size_t>(each.span)];
    return each.row != around.row || each.beginNs < around.beginNs || each.endNs() > around.endNs()
        ? fmt::format("collective {} does not lie in its span {}", index, each.span)
        : std::string();
}

/// Of each row, where the last span of each depth ended.
using Ends = std::vector<std::vector<std::int64_t>>;

std::string siblingFault(const TraceSpan &span, std::size_t index, Ends &ends)
{
    std::vector<std::int64_t> &ofRow = ends[span.row];
    if (ofRow.size() > span.depth && span.beginNs < ofRow[span.depth])
        return fmt::format("span {} begins before the span beside it ends", index);
    ofRow.resize(span.depth + std::size_t{1});
    ofRow.back() = span.endNs();
    return {};
}

} // namespace

std::string_view kindName(LayerKind kind)
{
    constexpr std::array<std::string_view, 4> names{"retrieval", "streaming", "mixed", "local"};
    return names[static_cast<std::size_t>(kind)];
}

std::int64_t Trace::beginNs() const
{
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (const TraceSpan &span : spans)
        least = std::min(least, span.beginNs);
    for (const KernelSpan &kernel : kernels)
        least = std::min(least, kernel.beginNs);
    return spans.empty() && kernels.empty() ? 0 : least;
}

std::int64_t Trace::endNs() const
{
    std::int64_t most = 0;
    for (const TraceSpan &span : spans)
        most = std::max(most, span.endNs());
    for (const KernelSpan &kernel : kernels)
        most = std::max(most, kernel.endNs());
    for (const CollectiveSpan &each : collectives)
        most = std::max(most, each.endNs());
    return most;
}

std::string traceFault(const Trace &trace)
{
    if (trace.info.isForeign && !trace.spans.empty())
        return "another program's trace has no spans of this one, and this has";
    if (trace.info.gpus > 1 && (trace.info.isForeign || trace.rows.size() != static_cast<std::size_t>(trace.info.gpus)))
        return fmt::format("it is of {} ranks, with a row each, and has {} rows", trace.info.gpus, trace.rows.size());
    std::int64_t sum = 0;
    Ends ends(trace.rows.size());
    for (std::size_t i = 0; i < trace.spans.size(); ++i) {
        std::string fault = timeFault(trace.spans[i], "span", i, trace.rows.size(), sum);
        if (fault.empty())
            fault = spanFault(trace, i);
        if (fault.empty() && !trace.info.inDeviceTime) // kernels of several streams run side by side
            fault = siblingFault(trace.spans[i], i, ends);
        if (!fault.empty())
            return fault;
    }
    for (std::size_t i = 0; i < trace.kernels.size(); ++i) {
        const KernelSpan &kernel = trace.kernels[i];
        if (auto fault = timeFault(kernel, "kernel", i, trace.rows.size(), sum); !fault.empty())
            return fault;
        if (kernel.name >= trace.kernelNames.size() || kernel.span < -1
            || kernel.span >= static_cast<std::int64_t>(trace.spans.size()))
            return fmt::format("kernel {} has a name or a span that there is not", i);
    }
    for (std::size_t i = 0; i < trace.collectives.size(); ++i)
        if (const std::string fault = collectiveFault(trace, i, sum); !fault.empty())
            return fault;
    return {};
}

} // namespace zigzag
