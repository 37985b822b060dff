// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/base/job_time.h"
#include "profiler/check/server_check.h"
#include "profiler/cost/cost_model.h"
#include "profiler/jobs/job.h"

#include <optional>
#include <string>
#include <vector>

namespace zigzag::jobs {

struct CheckPlan {
    check::ServerAddress server = {};
    std::string key = {}; ///< sent to the server; empty: none
    std::string servedName = {}; ///< the model's at the server; empty: the only one that it has
    int silenceSeconds = 600; ///< without a byte from the server
    JobTime time = {}; ///< that all of it may take
    NamedMap map; ///< in its file's words, sinks and all
    /// The map as the engine behind the server is to run it, such as "the map, as vllm runs it"; none: as ours does.
    std::optional<check::Hypothesis> meant = {};
    check::AnswerPlan answers = {}; ///< a context of 0: twice the map's window; the window is the map's
    check::TimesPlan times = {}; ///< without contexts: no times
    /// What our engine takes on the server's machine; none: nothing is predicted.
    std::optional<CostModel> cost = {};
    std::optional<HeadMap> costMap = {}; ///< the map in the shape of `cost`; none: that of `meant`
};

/// What our engine would take at the least and in all, on the machine of the cost model.
struct Foreseen {
    double ms = 0, floorMs = 0;
};
struct CheckedTimes {
    check::ServedTimes served;
    std::optional<Foreseen> first, step; ///< TTFT and TPOT; none without a cost model
};

struct ServerCheck {
    std::string server; ///< its address
    std::string served; ///< the model's name there, as it came
    std::vector<std::string> ways; ///< in which the server may be running, the one that is meant first
    check::Answers answers; ///< likenesses in the order of `ways`
    std::vector<CheckedTimes> times;
    std::string whyNoTimes; ///< they were asked for and could not be taken; what was found stands all the same
    /// The same times as a run that is shown and compared beside others, of a machine that is the server.
    MachineProfile machine;
    std::vector<BenchRecord> records;

    bool isApplied() const { return answers.finding == check::Finding::Found && answers.nearest == 0; }
    /// "the server runs the map, sinks kept": what was found out, in one sentence.
    std::string says() const;
};

/// The model's name at the server: the plan's, or the only one. Asked before a model is loaded, it costs nobody that time.
Result<std::string> nameAtServer(const CheckPlan &plan, const std::atomic<bool> *cancel);

/// Whether a server applies the map, and how fast it is. The ways it may run are the one that is meant, the map with its sinks,
/// its windows alone, and full attention; ways that are the same count once. Cancelled, it fails within a second, whatever the
/// server does; out of time, with a line that says so. Steps have "answers" and "times" as their subjects.
Result<ServerCheck> checkServer(const JobContext &context, const CheckPlan &plan);

} // namespace zigzag::jobs
