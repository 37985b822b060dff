// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/base/job_time.h"
#include "profiler/base/run_types.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace zigzag {

struct BenchPlan {
    std::vector<NamedMap> maps;
    std::vector<std::int64_t> contexts;
    std::vector<Phase> phases;
    std::vector<MixedMode> mixed = {MixedMode::Fused}; ///< for maps with mixed layers; exclusive maps run once
    std::vector<int> batches = {1}; ///< sequences at once
    int gpus = 1; ///< that the model was dealt to; floors are of as many memories and units
    std::string deal = "order"; ///< how heads got to them, in words that tell one dealing from another
    int repeats = 5; ///< of each point at least
    int warmup = 1;
    int decodeSteps = 8; ///< steps behind one decode sample
    std::uint64_t seed = 1; ///< of the random tokens
    /// A point is repeated until the interquartile range of all that is compared in it is at most this part of the median …
    double spreadBound = 0; ///< 0: `repeats` and no more
    int mostRepeats = 50; ///< … or it was repeated this often …
    double budgetSeconds = 0; ///< … or the whole plan has taken this long (0 = no limit).
    double patienceSeconds
        = 0; ///< of waiting, over all samples, while something else slows the machine; 0 = the pace is not looked at (sampler.h)
    double fullPaceMs = 0; ///< the machine's full pace where an earlier process knew it (CostModel::paceMs); 0 = not known
    /// Of the job that the bench is a part of. Once it has run out, a point whose samples are disturbed gets no more of them (one
    /// it always gets), and nothing is waited for.
    JobTime time;
    /// Records of an earlier run: a point that all of them have is not measured again.
    std::vector<BenchRecord> known;
};

/// Called after every sample with the records as far as they are; `done` and `all` count samples, of which there may become
/// more where the spread has a bound.
using BenchProgress = std::function<void(int done, int all, const std::vector<BenchRecord> &records)>;

/// The one engine behind `bench`, sweeps and the window: measures every point of the plan, the compared maps interleaved
/// (A B A B …) within each context, batch and phase. A point that
/// does not fit into memory is a record with a failure. When cancelled, the records so far come back.
Result<std::vector<BenchRecord>> runBench(const std::shared_ptr<DeviceModel> &model, const ModelConfig &config,
                                          const MachineProfile &machine, const BenchPlan &plan,
                                          const std::atomic<bool> *cancel = nullptr, const BenchProgress &progress = {});

/// Floors of records again, once the machine's ceilings are known better than when the bench began.
void updateFloors(std::vector<BenchRecord> &records, const BenchPlan &plan, const ModelConfig &config,
                  const MachineProfile &machine);

/// Measures the ceilings once more after a bench and keeps the better of both, in `machine` and in the records' floors: what ends
/// every bench, in both programs. Nothing when cancelled.
void raiseCeilingsAfter(std::vector<BenchRecord> &records, const BenchPlan &plan, const ModelConfig &config,
                        MachineProfile &machine, Backend &backend, const std::atomic<bool> *cancel = nullptr);

} // namespace zigzag
