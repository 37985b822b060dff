// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/compare.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <tuple>

namespace zigzag {
namespace {

using Key = std::tuple<int, int, int>; // op, layer, kind; −2 where not grouped by it

struct Sums {
    std::string name;
    std::vector<double> perPass; ///< ms
};

Key keyOf(const TraceSpan &span, GroupBy by)
{
    const bool op = by == GroupBy::Op || by == GroupBy::OpAndLayer || by == GroupBy::OpAndKind;
    const bool layer = by == GroupBy::Layer || by == GroupBy::OpAndLayer;
    const bool kind = by == GroupBy::LayerKind || by == GroupBy::OpAndKind;
    return {op ? static_cast<int>(span.op) : -2, layer ? span.layer : -2,
            kind ? (span.layer < 0 ? -1 : static_cast<int>(span.kind)) : -2};
}

std::string labelOf(const TraceSpan &span, GroupBy by)
{
    OpRow row;
    const auto [op, layer, kind] = keyOf(span, by);
    if (op != -2)
        row.op = span.op;
    if (layer != -2)
        row.layer = layer;
    if (kind >= 0)
        row.kind = span.kind;
    return row.label();
}

/// Own times of every group, summed up within each pass: the outermost span that a span lies in.
std::map<Key, Sums> sumsOf(const Trace &trace, GroupBy by)
{
    std::vector<std::int64_t> self(trace.spans.size());
    std::vector<std::size_t> passOf(trace.spans.size());
    std::size_t passes = 0;
    for (std::size_t i = 0; i < self.size(); ++i) {
        const TraceSpan &span = trace.spans[i];
        self[i] += span.durationNs;
        if (span.parent >= 0) {
            self[static_cast<std::size_t>(span.parent)] -= span.durationNs;
            passOf[i] = passOf[static_cast<std::size_t>(span.parent)];
        } else {
            passOf[i] = passes++;
        }
    }
    std::map<Key, Sums> groups;
    for (std::size_t i = 0; i < self.size(); ++i) {
        Sums &sums = groups[keyOf(trace.spans[i], by)];
        if (sums.perPass.empty()) {
            sums.perPass.resize(passes);
            sums.name = labelOf(trace.spans[i], by);
        }
        sums.perPass[passOf[i]] += static_cast<double>(self[i]) / 1e6;
    }
    return groups;
}

double median(const std::vector<double> &values)
{
    return quantile(values, 0.5);
}

double range(const std::vector<double> &values)
{
    return values.size() < 2 ? 0.0 : quantile(values, 0.75) - quantile(values, 0.25);
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

std::vector<Difference> compareTraces(const Trace &a, const Trace &b, GroupBy by)
{
    const auto first = sumsOf(a, by), second = sumsOf(b, by);
    std::vector<Difference> rows;
    for (const auto &[key, sums] : first) {
        Difference row{.name = sums.name, .a = median(sums.perPass), .spreadA = range(sums.perPass)};
        if (const auto found = second.find(key); found != second.end()) {
            row.b = median(found->second.perPass);
            row.spreadB = range(found->second.perPass);
        } else {
            row.onlyA = true;
        }
        rows.push_back(std::move(row));
    }
    for (const auto &[key, sums] : second)
        if (!first.count(key))
            rows.push_back({.name = sums.name, .b = median(sums.perPass), .spreadB = range(sums.perPass), .onlyB = true});
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Difference &x, const Difference &y) { return std::abs(x.absolute()) > std::abs(y.absolute()); });
    return rows;
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
        Difference row{.name = pointName(record), .a = record.medianMs, .spreadA = record.spreadMs};
        const auto found = std::find_if(b.begin(), b.end(),
                                        [&](const BenchRecord &other) { return samePoint(record, other) && isThere(other); });
        row.onlyA = found == b.end();
        if (!row.onlyA) {
            row.b = found->medianMs;
            row.spreadB = found->spreadMs;
        }
        (row.onlyA ? lacking : rows).push_back(std::move(row));
    }
    for (const BenchRecord &record : b) {
        const bool known = std::any_of(a.begin(), a.end(),
                                       [&](const BenchRecord &other) { return samePoint(record, other) && isThere(other); });
        if (!known && isThere(record))
            lacking.push_back({.name = pointName(record), .b = record.medianMs, .spreadB = record.spreadMs, .onlyB = true});
    }
    rows.insert(rows.end(), lacking.begin(), lacking.end());
    return rows;
}

} // namespace zigzag
