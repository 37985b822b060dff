// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/assign.h"
#include "engine/map/criterion.h"
#include "engine/map/head_scores.h"
#include "engine/model/model_config.h"
#include "profiler/evaluate/needle.h"
#include "profiler/measure/bench.h"
#include "profiler/search/attention_score.h"

#include <string>
#include <vector>

namespace zigzag {

/// All that the main job found out, to be written down.
struct Report {
    std::string modelName; ///< as it was asked for
    ModelConfig config;
    MachineProfile machine;
    double sparsity = 0.5;
    AttentionScorePlan scorePlan;
    HeadScores scores;
    Assignment duo, zigzag;
    BenchPlan benchPlan;
    std::vector<BenchRecord> records;
    NeedlePlan needlePlan;
    int trialsAsked = 0; ///< of each cell, by the person; the plan has fewer where the job was in haste
    std::vector<std::pair<std::string, NeedleResult>> needle; ///< by map
    std::vector<std::string> files; ///< written, in order
    double seconds = 0; ///< of the whole job
};

std::string reportJson(const Report &report);
std::string reportMarkdown(const Report &report);
/// A screenful for the terminal.
std::string reportSummary(const Report &report);

} // namespace zigzag
