// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/measure/bench.h"

namespace zigzag {

/// How much of a bench's time is behind it: its points weigh as much as their floors, for a long prefill takes a thousand times
/// as long as a step. A number of samples alone would promise an end that does not come.
class BenchShare
{
public:
    BenchShare(const BenchPlan &plan, const ModelConfig &config, const MachineProfile &machine);

    /// 0 to 1, of the records so far, as BenchProgress has them.
    double of(const std::vector<BenchRecord> &records) const;
    /// What an earlier run had measured of it.
    double begunAt() const { return m_begunAt; }

private:
    double weightOf(const BenchRecord &record) const;

    int m_repeats, m_decodeSteps;
    double m_all = 0, m_begunAt = 0;
};

} // namespace zigzag
