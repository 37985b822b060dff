// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/run_types.h"

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

namespace zigzag {

struct BenchPlan {
    std::vector<NamedMap> maps;
    std::vector<std::int64_t> contexts;
    std::vector<Phase> phases;
    std::vector<MixedMode> mixed = {MixedMode::Fused}; ///< for maps with mixed layers; exclusive maps run once
    int repeats = 5;
    int warmup = 1;
    int decodeSteps = 8; ///< steps behind one decode sample
    std::uint64_t seed = 1; ///< of the random tokens
};

/// Called after every sample with the records as far as they are; `done` and `all` count samples.
using BenchProgress = std::function<void(int done, int all, const std::vector<BenchRecord> &records)>;

/// Measures every point of the plan, the compared maps interleaved (A B A B …) within each context and phase. A point that
/// does not fit into memory is a record with a failure. When cancelled, the records so far come back.
Result<std::vector<BenchRecord>> runBench(const std::shared_ptr<DeviceModel> &model, const ModelConfig &config,
                                          const MachineProfile &machine, const BenchPlan &plan,
                                          const std::atomic<bool> *cancel = nullptr, const BenchProgress &progress = {});

/// Floors of records again, once the machine's ceilings are known better than when the bench began.
void updateFloors(std::vector<BenchRecord> &records, const BenchPlan &plan, const ModelConfig &config,
                  const MachineProfile &machine);

} // namespace zigzag
