// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/device_time.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <unordered_map>

namespace zigzag {
namespace {

bool isNorm(Op op)
{
    return op == Op::InputNorm || op == Op::PostNorm || op == Op::FinalNorm;
}

/// The host's spans as a forest.
class HostSpans
{
public:
    explicit HostSpans(std::span<const TraceSpan> spans)
        : m_spans(spans)
        , m_root(spans.size())
    {
        for (std::size_t i = 0; i < spans.size(); ++i)
            m_root[i] = spans[i].parent < 0 ? static_cast<std::int32_t>(i) : m_root[static_cast<std::size_t>(spans[i].parent)];
    }

    const TraceSpan &at(std::int32_t span) const { return m_spans[static_cast<std::size_t>(span)]; }
    std::int32_t rootOf(std::int32_t span) const { return m_root[static_cast<std::size_t>(span)]; }
    std::int32_t indexOf(std::int64_t id) const
    {
        return id >= 0 && id < static_cast<std::int64_t>(m_spans.size()) ? static_cast<std::int32_t>(id) : -1;
    }

    /// The span whose op asked for a kernel that was launched under `span`.
    std::int32_t askedBy(std::int32_t span, const std::string &kernel) const
    {
        const Op op = at(span).op;
        const bool isNormsKernel = kernel.find("rmsNorm<") != kernel.npos && !isNorm(op);
        const bool isGatesKernel = op == Op::Activation && kernel.find("swiGlu<") == kernel.npos;
        if (!isNormsKernel && !isGatesKernel)
            return span;
        for (std::int32_t before = span - 1; before >= 0 && rootOf(before) == rootOf(span); --before)
            if (isNormsKernel ? isNorm(at(before).op) : at(before).op == Op::GateUp)
                return before;
        return span;
    }

private:
    std::span<const TraceSpan> m_spans;
    std::vector<std::int32_t> m_root;
};

struct Interval {
    std::int64_t beginNs = std::numeric_limits<std::int64_t>::max(), endNs = 0;
    void include(std::int64_t begin, std::int64_t end)
    {
        beginNs = std::min(beginNs, begin);
        endNs = std::max(endNs, end);
    }
};

/// A span of a pass: the pass's own outermost span first (−1), then the others in the order of their beginning.
using Place = std::pair<std::int32_t, std::int32_t>;

} // namespace

std::int64_t OwnTime::beginNs(const KernelSpan &kernel)
{
    m_end.resize(std::max<std::size_t>(m_end.size(), std::size_t{kernel.row} + 1));
    std::int64_t &end = m_end[kernel.row];
    const std::int64_t begin = std::clamp(end, kernel.beginNs, kernel.endNs());
    end = std::max(end, kernel.endNs());
    return begin;
}

DeviceSpans inDeviceTime(std::span<const TraceSpan> host, std::span<const int> batches, const std::vector<KernelRecord> &records,
                         std::size_t firstSpan)
{
    const HostSpans spans(host);
    DeviceSpans out;
    out.rows = {deviceRow};
    std::map<Place, Interval> places;
    std::vector<Place> placeOf; // [kernels]
    std::map<std::uint32_t, std::uint16_t> rows;
    std::unordered_map<std::string, std::uint32_t> names;
    OwnTime own;
    std::int64_t origin = -1;
    constexpr Place nowhere{-1, -1};
    for (const KernelRecord &record : records) {
        const std::int32_t launch = spans.indexOf(record.launchedBy);
        const std::int32_t pass = launch < 0 ? -1 : spans.rootOf(launch);
        if (pass >= 0 && pass < static_cast<std::int32_t>(firstSpan))
            continue;
        std::int32_t op = record.isReplayed ? spans.indexOf(record.recordedBy) : launch;
        if (origin < 0)
            origin = record.beginNs;
        const auto [row, isNewRow] = rows.emplace(record.stream, static_cast<std::uint16_t>(out.rows.size()));
        if (isNewRow)
            out.rows.push_back(fmt::format("GPU stream {}", record.stream));
        const auto [name, isNewName] = names.emplace(record.name, static_cast<std::uint32_t>(out.kernelNames.size()));
        if (isNewName)
            out.kernelNames.push_back(record.name);
        const KernelSpan kernel{.beginNs = record.beginNs - origin,
                                .durationNs = std::max<std::int64_t>(0, record.endNs - record.beginNs),
                                .name = name->second,
                                .span = -1,
                                .row = row->second};
        out.kernels.push_back(kernel);
        const std::int64_t begin = own.beginNs(kernel);
        if (pass < 0 || op < 0) {
            placeOf.push_back(nowhere);
            ++out.unknown;
            continue;
        }
        op = spans.askedBy(op, record.name);
        const auto place = [&](std::int32_t span) { return Place{pass, spans.at(span).parent < 0 ? -1 : span}; };
        placeOf.push_back(place(op));
        for (std::int32_t around = op; around >= 0; around = spans.at(around).parent)
            places[place(around)].include(begin, kernel.endNs());
    }

    std::map<Place, std::int32_t> indices;
    for (const auto &[place, time] : places) {
        const auto [pass, inside] = place;
        const std::int32_t source = inside < 0 ? pass : inside;
        TraceSpan span = spans.at(source);
        span.beginNs = time.beginNs;
        span.durationNs = time.endNs - time.beginNs;
        span.row = 0;
        if (spans.rootOf(source) != pass) // it was recorded in another step
            span.firstPosition = spans.at(pass).firstPosition;
        if (inside >= 0) {
            const std::int32_t parent = spans.at(inside).parent;
            span.parent = indices.at({pass, spans.at(parent).parent < 0 ? -1 : parent});
        }
        indices.emplace(place, static_cast<std::int32_t>(out.spans.size()));
        out.spans.push_back(span);
        out.batches.push_back(batches[static_cast<std::size_t>(source)]);
    }
    for (std::size_t i = 0; i < placeOf.size(); ++i)
        if (placeOf[i] != nowhere)
            out.kernels[i].span = indices.at(placeOf[i]);
    return out;
}

} // namespace zigzag
