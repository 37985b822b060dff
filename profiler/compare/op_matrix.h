// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/trace/trace.h"
#include "profiler/trace/trace_run.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zigzag {

/// What one op, or all of them, take in one step of one of the runs that are compared.
struct OpTime {
    double us = 0; ///< own time, summed up over the layers: the median over steps
    double spreadUs = 0; ///< interquartile range; 0 for a single step
};

/// Runs beside each other, op by op: which op pays for a map, or for the way its mixed layers run. A step is a decode step, or
/// a whole prefill.
struct OpMatrix {
    struct Row {
        Op op = Op::Pass; ///< Pass: what lies between the ops
        std::vector<std::optional<OpTime>> times; ///< [columns]; none where the run has no such op
    };
    std::vector<std::string> columns; ///< "duo.json, two-launch"
    std::vector<Row> rows; ///< in the order of the forward pass
    std::vector<OpTime> totals; ///< [columns], of whole steps
    std::vector<double> kernels; ///< [columns], launched in one step; 0 where none were recorded
};

/// Each run has one trace or several repeats of it.
OpMatrix opMatrix(const std::vector<std::string> &columns, const std::vector<std::vector<Trace>> &runs);

/// A run of every map, and of a mixed one each way that is given.
struct ComparedRun {
    std::string name;
    TracePlan plan;
};
std::vector<ComparedRun> comparedRuns(const TracePlan &plan, const std::vector<NamedMap> &maps,
                                      const std::vector<MixedMode> &mixed);

/// Records every run `repeats` times, one run after the other and again, so that a machine that changes its speed does so for
/// all of them. [runs][repeats]
Result<std::vector<std::vector<Trace>>> recordRuns(const std::shared_ptr<DeviceModel> &model, const ModelConfig &config,
                                                   const MachineProfile &machine, const std::vector<ComparedRun> &runs,
                                                   int repeats, const std::atomic<bool> *cancel = nullptr,
                                                   const std::function<void(int done, int all)> &progress = {});

} // namespace zigzag
