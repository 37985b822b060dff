// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/compare/op_matrix.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace zigzag {
namespace {

using OpTimes = std::array<double, opNames.size()>; // µs

/// Own times by op, of every step of a trace.
void addSteps(const Trace &trace, std::vector<OpTimes> &steps, std::array<bool, opNames.size()> &seen)
{
    const std::size_t first = steps.size();
    std::vector<std::size_t> stepOf(trace.spans.size());
    for (std::size_t i = 0; i < trace.spans.size(); ++i) {
        const TraceSpan &span = trace.spans[i];
        seen[static_cast<std::size_t>(span.op)] = true;
        if (span.parent >= 0)
            stepOf[i] = stepOf[static_cast<std::size_t>(span.parent)];
        else if (trace.info.phase == Phase::Decode || steps.size() == first) // the chunks of a prefill are one step
            steps.push_back({});
        if (span.parent < 0)
            stepOf[i] = steps.size() - 1;
        const double us = static_cast<double>(span.durationNs) / 1e3;
        OpTimes &times = steps[stepOf[i]];
        times[static_cast<std::size_t>(span.op)] += us;
        if (span.parent >= 0)
            times[static_cast<std::size_t>(trace.spans[static_cast<std::size_t>(span.parent)].op)] -= us;
    }
}

OpTime summary(const std::vector<double> &values)
{
    if (values.empty())
        return {};
    return {quantile(values, 0.5), values.size() < 2 ? 0.0 : quantile(values, 0.75) - quantile(values, 0.25)};
}

/// The forward pass's order; what runs inside attention right behind it, and what lies between the ops last.
std::vector<Op> inOrder()
{
    std::vector<Op> ops;
    for (std::size_t i = 0; i < opNames.size(); ++i) {
        const auto op = static_cast<Op>(i);
        if (op == Op::Commit || op == Op::CopyHeads || op == Op::Pass)
            continue;
        ops.push_back(op);
        if (op == Op::Attention)
            ops.insert(ops.end(), {Op::CopyHeads, Op::Commit});
    }
    ops.push_back(Op::Pass);
    return ops;
}

} // namespace

OpMatrix opMatrix(const std::vector<std::string> &columns, const std::vector<std::vector<Trace>> &runs)
{
    OpMatrix matrix;
    matrix.columns = columns;
    std::vector<std::vector<OpTimes>> steps(runs.size());
    std::vector<std::array<bool, opNames.size()>> seen(runs.size(), std::array<bool, opNames.size()>{});
    for (std::size_t run = 0; run < runs.size(); ++run) {
        std::size_t kernels = 0;
        for (const Trace &trace : runs[run]) {
            addSteps(trace, steps[run], seen[run]);
            kernels += trace.kernels.size();
        }
        std::vector<double> totals;
        for (const OpTimes &step : steps[run]) {
            double sum = 0;
            for (const double us : step)
                sum += us;
            totals.push_back(sum);
        }
        matrix.totals.push_back(summary(totals));
        matrix.kernels.push_back(totals.empty() ? 0.0 : static_cast<double>(kernels) / static_cast<double>(totals.size()));
    }
    for (const Op op : inOrder()) {
        OpMatrix::Row row{op, {}};
        bool any = false;
        for (std::size_t run = 0; run < runs.size(); ++run) {
            std::vector<double> values;
            for (const OpTimes &step : steps[run])
                values.push_back(step[static_cast<std::size_t>(op)]);
            const bool there = seen[run][static_cast<std::size_t>(op)];
            any = any || there;
            row.times.push_back(there ? std::optional(summary(values)) : std::nullopt);
        }
        if (any)
            matrix.rows.push_back(std::move(row));
    }
    return matrix;
}

std::vector<ComparedRun> comparedRuns(const TracePlan &plan, const std::vector<NamedMap> &maps,
                                      const std::vector<MixedMode> &mixed)
{
    std::vector<ComparedRun> runs;
    for (const NamedMap &map : maps) {
        TracePlan own = plan;
        own.map = map;
        if (map.map.isExclusive()) {
            own.mixed = MixedMode::Fused;
            runs.push_back({map.name, own});
            continue;
        }
        for (const MixedMode mode : mixed) {
            own.mixed = mode;
            runs.push_back({fmt::format("{}, {}", map.name, nameOf(mode)), own});
        }
    }
    return runs;
}

Result<std::vector<std::vector<Trace>>> recordRuns(const std::shared_ptr<DeviceModel> &model, const ModelConfig &config,
                                                   const MachineProfile &machine, const std::vector<ComparedRun> &runs,
                                                   int repeats, const std::atomic<bool> *cancel,
                                                   const std::function<void(int done, int all)> &progress)
{
    std::vector<std::vector<Trace>> traces(runs.size());
    const int all = repeats * static_cast<int>(runs.size());
    int done = 0;
    for (int repeat = 0; repeat < repeats; ++repeat)
        for (std::size_t run = 0; run < runs.size(); ++run) {
            TracePlan plan = runs[run].plan;
            plan.seed += static_cast<std::uint64_t>(repeat); // fresh tokens and keys, the same for every run
            ZIGZAG_TRY(trace, recordTrace(model, config, machine, plan, cancel));
            traces[run].push_back(std::move(trace));
            if (progress)
                progress(++done, all);
        }
    return traces;
}

} // namespace zigzag
