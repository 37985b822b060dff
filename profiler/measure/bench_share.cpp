// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/measure/bench_share.h"

#include "profiler/cost/op_cost.h"

#include <algorithm>

namespace zigzag {

BenchShare::BenchShare(const BenchPlan &plan, const ModelConfig &config, const MachineProfile &machine)
    : m_repeats(std::max(1, plan.repeats))
    , m_decodeSteps(plan.decodeSteps)
{
    for (const NamedMap &map : plan.maps)
        for (const std::int64_t context : plan.contexts) {
            if (context < 1 || context >= std::int64_t{1} << 31)
                continue; // the bench refuses it
            for (const int batch : plan.batches)
                for (const Phase phase : plan.phases) {
                    BenchRecord point;
                    point.phase = phase;
                    point.floorMs = computeFloor(config, map.map, machine, phase, context, batch).ms;
                    m_all += weightOf(point) * (map.map.isExclusive() ? 1.0 : static_cast<double>(plan.mixed.size()));
                }
        }
    m_begunAt = of(plan.known);
}

double BenchShare::weightOf(const BenchRecord &record) const
{
    constexpr double launchMs = 0.01; // also of what has next to nothing to do
    return record.phase == Phase::Prefill ? record.floorMs + launchMs : m_decodeSteps * (record.floorMs + launchMs);
}

double BenchShare::of(const std::vector<BenchRecord> &records) const
{
    double done = 0;
    for (const BenchRecord &record : records)
        done += weightOf(record)
            * (record.failure.empty() ? std::min(1.0, static_cast<double>(record.samplesMs.size()) / m_repeats) : 1.0);
    return m_all > 0 ? std::min(1.0, done / m_all) : 0.0;
}

} // namespace zigzag
