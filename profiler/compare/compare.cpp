// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/compare/compare.h"

#include "profiler/trace/lane_time.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <tuple>

namespace zigzag {
namespace {

/// Op, layer, kind; notGrouped where the rows do not ask for it. Events of other programs have a name alone.
using Key = std::tuple<int, int, int, std::string>;
constexpr int notGrouped = -2;
constexpr int noOp = -1; ///< kernels that no span is known for

struct Group {
    Difference row; ///< as named by its first span
    std::vector<std::int64_t> ns; ///< [passes]
};
struct Sums {
    std::map<Key, Group> groups;
    std::vector<std::int64_t> wholeNs; ///< [passes]
};

Key keyOf(const TraceSpan *span, GroupBy by)
{
    const bool op = by == GroupBy::Op || by == GroupBy::OpAndLayer || by == GroupBy::OpAndKind;
    const bool layer = by == GroupBy::Layer || by == GroupBy::OpAndLayer;
    const bool kind = by == GroupBy::LayerKind || by == GroupBy::OpAndKind;
    const int of = !span || span->layer < 0 ? -1 : static_cast<int>(span->kind);
    return {op ? (span ? static_cast<int>(span->op) : noOp) : notGrouped,
            layer ? (span ? span->layer : -1) : notGrouped,
            kind ? of : notGrouped,
            {}};
}

Difference namedRow(const Key &key)
{
    OpRow label;
    const auto &[op, layer, kind, name] = key;
    if (op >= 0)
        label.op = static_cast<Op>(op);
    if (layer != notGrouped)
        label.layer = layer;
    if (kind >= 0)
        label.kind = static_cast<LayerKind>(kind);
    Difference row;
    row.name = !name.empty() ? name : op == noOp ? "kernels without a span" : label.label();
    row.op = label.op;
    row.layer = label.layer;
    return row;
}

/// The pass of every span: the outermost span that it lies in. The chunks of a prefill are one, on each rank.
std::vector<std::size_t> passesOf(const Trace &trace, std::size_t &passes)
{
    std::vector<std::size_t> passOf(trace.spans.size());
    const bool one = trace.info.phase == Phase::Prefill;
    passes = 0;
    for (std::size_t i = 0; i < passOf.size(); ++i) {
        const std::int32_t parent = trace.spans[i].parent;
        const std::size_t rank = trace.info.gpus > 1 ? trace.spans[i].row : 0;
        passOf[i] = parent >= 0 ? passOf[static_cast<std::size_t>(parent)] : one ? rank : passes;
        if (parent < 0)
            passes = one ? std::max(passes, rank + 1) : passes + 1;
    }
    return passOf;
}

/// Calls `add` with every span's own time, or with every kernel's and the span that launched it (null where it is not known).
template <class Add> void forOwnTimes(const Trace &trace, const std::vector<std::size_t> &passOf, const Add &add)
{
    if (trace.kernels.empty() || trace.info.inDeviceTime) { // there, spans are as long as their kernels
        for (std::size_t i = 0; i < trace.spans.size(); ++i) {
            const TraceSpan &span = trace.spans[i];
            add(&span, passOf[i], span.durationNs);
            if (span.parent >= 0)
                add(&trace.spans[static_cast<std::size_t>(span.parent)], passOf[i], -span.durationNs);
        }
        return;
    }
    for (const KernelSpan &kernel : trace.kernels) {
        const auto launcher = static_cast<std::size_t>(std::max(kernel.span, 0));
        if (kernel.span >= 0)
            add(&trace.spans[launcher], passOf[launcher], kernel.durationNs);
        else { // of the pass that the host was in
            const auto after = std::partition_point(trace.spans.begin(), trace.spans.end(),
                                                    [&](const TraceSpan &span) { return span.beginNs <= kernel.beginNs; });
            const std::ptrdiff_t before = after - trace.spans.begin() - 1;
            add(nullptr, before < 0 ? 0 : passOf[static_cast<std::size_t>(before)], kernel.durationNs);
        }
    }
}

/// Of another program's trace: from its first beginning to its last end, and what each name's events take without those inside
/// them. Rows run beside each other and idle, so the parts add up to the busy time of all rows, and not to the whole.
Sums sumsOfForeign(const Trace &trace)
{
    Sums sums;
    sums.wholeNs = {trace.endNs() - trace.beginNs()};
    const LaneTimes times = laneTimes(trace);
    std::vector<std::int64_t> ofName(trace.kernelNames.size(), -1); // those of no event stay negative
    for (std::size_t i = 0; i < trace.kernels.size(); ++i) {
        std::int64_t &ns = ofName[trace.kernels[i].name];
        ns = std::max<std::int64_t>(ns, 0) + times.selfNs[i];
    }
    for (std::size_t i = 0; i < ofName.size(); ++i) {
        if (ofName[i] < 0)
            continue;
        const Key key{notGrouped, notGrouped, notGrouped, trace.kernelNames[i].empty() ? "(no name)" : trace.kernelNames[i]};
        Group &group = sums.groups[key];
        group.row = namedRow(key);
        group.ns.resize(1);
        group.ns[0] += ofName[i];
    }
    return sums;
}

Sums sumsOf(const Trace &trace, GroupBy by)
{
    if (trace.info.isForeign)
        return sumsOfForeign(trace);
    std::size_t passes = 0;
    const std::vector<std::size_t> passOf = passesOf(trace, passes);
    passes = std::max<std::size_t>(passes, trace.kernels.empty() ? 0 : 1); // kernels alone, of another profiler
    Sums sums;
    sums.wholeNs.resize(passes);
    forOwnTimes(trace, passOf, [&](const TraceSpan *span, std::size_t pass, std::int64_t ns) {
        const Key key = keyOf(span, by);
        const auto [place, isNew] = sums.groups.try_emplace(key);
        if (isNew) {
            place->second.row = namedRow(key);
            place->second.ns.resize(passes);
        }
        place->second.ns[pass] += ns;
        sums.wholeNs[pass] += ns;
    });
    return sums;
}

std::vector<double> milliseconds(const std::vector<std::int64_t> &ns)
{
    std::vector<double> ms;
    ms.reserve(ns.size());
    for (const std::int64_t each : ns)
        ms.push_back(static_cast<double>(each) / 1e6);
    return ms;
}

double median(const std::vector<double> &values)
{
    return values.empty() ? 0.0 : quantile(values, 0.5);
}

std::optional<double> range(const std::vector<double> &values, bool predicted)
{
    if (predicted)
        return 0.0;
    return values.size() < 2 ? std::nullopt : std::optional(quantile(values, 0.75) - quantile(values, 0.25));
}

std::optional<double> rangeOf(const BenchRecord &record)
{
    return record.samplesMs.size() == 1 ? std::nullopt : std::optional(record.spreadMs); // none at all: a prediction
}

std::string pointName(const BenchRecord &record)
{
    std::string name = fmt::format("{}, {} at {}", record.map, nameOf(record.phase), record.context);
    if (record.batch != 1)
        name += fmt::format(" x {}", record.batch);
    if (record.mixed != MixedMode::Fused)
        name += fmt::format(", {}", nameOf(record.mixed));
    return name;
}

} // namespace

std::string_view nameOf(Verdict verdict)
{
    constexpr std::array names = {"within the spread", "grew", "shrank", "one sample", "only in A", "only in B"};
    return names[static_cast<std::size_t>(verdict)];
}

Verdict Difference::verdict() const
{
    if (onlyA || onlyB)
        return onlyA ? Verdict::OnlyA : Verdict::OnlyB;
    if (!spreadA || !spreadB)
        return Verdict::Single;
    if (std::abs(absolute()) <= 0.5 * (*spreadA + *spreadB))
        return Verdict::Within;
    return absolute() > 0 ? Verdict::Grew : Verdict::Shrank;
}

std::vector<double> passTimes(const Trace &trace)
{
    return milliseconds(sumsOf(trace, GroupBy::Layer).wholeNs);
}

std::vector<Difference> compareTraces(const Trace &a, const Trace &b, GroupBy by)
{
    const Sums first = sumsOf(a, by), second = sumsOf(b, by);
    const auto fillA = [&](Difference &row, const std::vector<std::int64_t> &ns) {
        const std::vector<double> ms = milliseconds(ns);
        row.a = median(ms);
        row.spreadA = range(ms, a.info.predicted);
    };
    const auto fillB = [&](Difference &row, const std::vector<std::int64_t> &ns) {
        const std::vector<double> ms = milliseconds(ns);
        row.b = median(ms);
        row.spreadB = range(ms, b.info.predicted);
    };
    std::vector<Difference> rows;
    for (const auto &[key, group] : first.groups) {
        Difference row = group.row;
        fillA(row, group.ns);
        if (const auto found = second.groups.find(key); found != second.groups.end())
            fillB(row, found->second.ns);
        else
            row.onlyA = true;
        rows.push_back(std::move(row));
    }
    for (const auto &[key, group] : second.groups)
        if (!first.groups.count(key)) {
            rows.push_back(group.row);
            fillB(rows.back(), group.ns);
            rows.back().onlyB = true;
        }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Difference &x, const Difference &y) { return std::abs(x.absolute()) > std::abs(y.absolute()); });
    Difference whole;
    whole.name = "the whole";
    fillA(whole, first.wholeNs);
    fillB(whole, second.wholeNs);
    rows.insert(rows.begin(), std::move(whole));
    return rows;
}

Difference compareRecord(const BenchRecord &a, const BenchRecord &b)
{
    const std::string ofA = pointName(a), ofB = pointName(b);
    Difference row;
    row.name = ofA == ofB ? ofA : "the whole";
    row.a = a.medianMs;
    row.b = b.medianMs;
    row.spreadA = rangeOf(a);
    row.spreadB = rangeOf(b);
    return row;
}

std::vector<Difference> compareRecords(const std::vector<BenchRecord> &a, const std::vector<BenchRecord> &b)
{
    const auto samePoint = [](const BenchRecord &x, const BenchRecord &y) {
        return x.map == y.map && x.phase == y.phase && x.context == y.context && x.batch == y.batch && x.mixed == y.mixed;
    };
    const auto isThere = [](const BenchRecord &record) { return record.failure.empty(); };
    std::vector<Difference> rows, lacking;
    for (const BenchRecord &record : a) {
        if (!isThere(record))
            continue;
        const auto found = std::find_if(b.begin(), b.end(),
                                        [&](const BenchRecord &other) { return samePoint(record, other) && isThere(other); });
        Difference row = compareRecord(record, found == b.end() ? record : *found);
        row.onlyA = found == b.end();
        if (row.onlyA)
            row.b = 0;
        (row.onlyA ? lacking : rows).push_back(std::move(row));
    }
    for (const BenchRecord &record : b) {
        const bool known = std::any_of(a.begin(), a.end(),
                                       [&](const BenchRecord &other) { return samePoint(record, other) && isThere(other); });
        if (known || !isThere(record))
            continue;
        Difference row = compareRecord(record, record);
        row.a = 0;
        row.onlyB = true;
        lacking.push_back(std::move(row));
    }
    rows.insert(rows.end(), lacking.begin(), lacking.end());
    return rows;
}

} // namespace zigzag
