// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/map_meter.h"
#include "profiler/jobs/recommend_plan.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag::jobs {

/// What one way's layers were ordered as.
struct LayerOrder {
    std::vector<std::vector<int>> streaming; ///< [k]: the k layers that stream, ascending; ends where the search was stopped
    int prompts = 0; ///< that it is from

    bool isKnown() const { return streaming.size() > 1; }
};

/// Maps of one way in one window, and what they do to the prompts that choose.
struct TriedCounts {
    std::vector<int> counts; ///< of streaming layers, ascending; empty: not tried yet
    std::vector<std::vector<PromptMeasure>> measures; // [prompts done][counts + 1], full attention last
};

/// One map on the needle tasks that judge.
struct JudgedTasks {
    std::string map; ///< keyOf
    std::vector<std::vector<PromptMeasure>> measures; // [prompts done][2], full attention last
};

/// How far a recommendation is: a value that is written down as it grows, and taken up again.
struct RecommendState {
    RecommendPlan plan;
    std::vector<LayerOrder> orders; // [ways]
    std::vector<TriedCounts> tried; // [ways * windows], by ways
    std::vector<JudgedTasks> judged;

    RecommendState() = default;
    RecommendState(RecommendPlan of, std::size_t ways);

    TriedCounts &triedIn(std::size_t way, std::size_t window) { return tried[way * plan.windows.size() + window]; }
    JudgedTasks &judgedOf(const std::string &map);

    std::string toJson() const;
    /// Trusts nothing: of so many ways, and layers of this model.
    static Result<RecommendState> fromJson(std::string_view text, std::size_t ways, const ModelShape &model);
};

/// Stands for a map as one way serves it.
std::string keyOf(const ServingWay &way, const HeadMap &map);

/// Where it waits; empty without a folder.
std::filesystem::path progressFile(const RecommendRequest &request);
/// Where the answers to a person's questions are kept; empty without a folder.
std::filesystem::path answersFile(const RecommendRequest &request);
/// All that decides the result, word for word.
std::string requestJson(const RecommendRequest &request, const JobContext &context);

} // namespace zigzag::jobs
