// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/run_task.h"
#include "engine/map/head_scores.h"
#include "profiler/cost/cost_model.h"
#include "profiler/evaluate/needle.h"
#include "profiler/measure/bench.h"
#include "profiler/search/attention_score.h"

#include <QString>
#include <atomic>
#include <memory>
#include <vector>

namespace zigzag {

enum class RunKind { Load, Calibrate, Score, Measure, Needle, Task };

/// A piece of work for the worker's thread. Everything that it needs travels with it, by value.
struct RunRequest {
    int id = 0; ///< results of another id than the current one are dropped
    RunKind kind = RunKind::Load;
    std::string model; ///< Load: as the command line names it
    BenchPlan bench; ///< Measure
    AttentionScorePlan score; ///< Score
    NeedlePlan needle; ///< Needle
    std::vector<NamedMap> needleMaps; ///< Needle: asked in this order
    std::int64_t maxContext = 0; ///< Calibrate
    JobTime time; ///< Calibrate: of the job that it is a part of; Measure has its plan's
    std::string task; ///< Task: its name; of those that wait, the last of a name runs
    QString title; ///< Task: what a person calls it, translated
    RunTask work; ///< Task
    double expectedSeconds = 0; ///< what it should take, for the time left before it has a pace of its own; 0 = nobody knows
    bool background = false; ///< nobody asked for it: it makes no message out of date
    std::shared_ptr<std::atomic<bool>> cancel; ///< set by the window's thread, read by the engine
};

/// What a person calls a request: in the list of those that wait.
QString titleOf(const RunRequest &request);

/// What the window needs to know of a model that the worker holds.
struct LoadedModel {
    std::string name; ///< as it was asked for
    ModelConfig config;
    ModelShape shape;
    bool hasTokenizer = false;
    std::string device;
};

struct RunOutcome {
    enum class Kind { Done, Cancelled, Failed };
    Kind kind = Kind::Done;
    QString error; ///< one line, when it failed
};

} // namespace zigzag
