// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/job.h"
#include "profiler/jobs/recommend_ways.h"
#include "profiler/questions/question.h"
#include "profiler/search/search.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zigzag::jobs {

/// What a person asks for who wants one map for one engine.
struct RecommendRequest {
    std::string engine = std::string(ourEngine);
    std::int64_t context = 0; ///< tokens at which budgets hold and savings are told; more than can be tried here is welcome
    std::optional<std::int64_t> memory; ///< bytes of keys and values that one sequence may take in that engine
    std::optional<double> tpotMs; ///< that a token may take, as predicted for our engine on this machine
    std::vector<int> recents; ///< windows that are tried; empty: an eighth and a quarter of the prompts
    std::optional<int> sink; ///< none: by the prompts' length
    /// Share of full attention's score that must be kept on the judging prompts, by the lower end of its 95 % interval.
    double kept = 0.9;
    double seconds = 1200; ///< that all of it may take
    /// A person's questions, half of which choose and half of which judge; null: needle tasks that are made here.
    std::shared_ptr<const std::vector<Question>> questions = {};
    AskAs as = AskAs::Auto;
    std::uint64_t seed = 1;
    std::filesystem::path progressFolder = {}; ///< where an unfinished one waits; empty: nowhere
    Begin begin = Begin::GoOn;
};

/// How long a prompt takes: each token its share, and more with every token that is there before it.
struct Pace {
    double perToken = 0, perPair = 0; ///< seconds; a pair: a token, and each token of the prompt
    double of(std::int64_t tokens) const
    {
        const auto count = static_cast<double>(tokens);
        return count * (perToken + perPair * count);
    }
};

struct RecommendSeconds {
    double scores = 0, standIns = 0, sweep = 0, judging = 0, writing = 0;
    double fitting = 0; ///< of stand-ins, behind their calibration
    double all() const { return scores + standIns + sweep + judging + writing + fitting; }
};

/// What will be done. Every number of it decides the result, so a run that goes on keeps it.
struct RecommendPlan {
    std::int64_t promptTokens = 0; ///< of every prompt: at most the context
    std::vector<StreamingWindow> windows; ///< tried; layers are ordered in the last one, the widest
    bool greedy = false; ///< layers turned one by one; otherwise each alone
    int scorePrompts = 0, sweepPrompts = 0, judgePrompts = 0;
    int counts = 0; ///< of streaming layers, tried in each window
    int judgedMaps = 0;
    int fittedMaps = 0; ///< of those judged, the first that have stand-ins: what these do is fitted before they are judged
    int fitSteps = 0; ///< of each fit
    RecommendSeconds seconds; ///< as planned, all ways together
    std::vector<std::string> shortened; ///< what is less than it might be because the time is short, one sentence each

    bool operator==(const RecommendPlan &) const;
    std::string toJson() const;
    static Result<RecommendPlan> fromJson(std::string_view text);
};

/// Refuses what no plan can be made for: a context or a share that is none, windows that leave nothing to leave out.
Result<void> checkRequest(const RecommendRequest &request, const ModelConfig &config);

/// The windows that are tried with prompts of so many tokens, the widest last.
std::vector<StreamingWindow> windowsFor(const RecommendRequest &request, const ModelConfig &config, std::int64_t tokens);

/// Two short passes; of a slow model one, and shorter.
Result<Pace> measurePace(const JobContext &context, double seconds);

/// How many ways are searched, how many of them have stand-ins, and whether these can be fitted here.
struct WayCounts {
    int all = 1, standingIn = 0;
    bool canFit = true;
    bool fits() const { return standingIn > 0 && canFit; }
};
WayCounts countsOf(const std::vector<ServingWay> &ways);
/// The longest prompts, and then the most of them, for which the time is enough; where stand-ins can be fitted, a part of it is
/// left to that.
RecommendPlan planFor(const RecommendRequest &request, const ModelConfig &config, WayCounts ways, const Pace &pace);

/// What will be done and how long it takes, a line each.
std::vector<std::string> planText(const RecommendRequest &request, const RecommendPlan &plan,
                                  const std::vector<ServingWay> &ways);

/// So many needle tasks of a length, of one key and, where there is room, of several, at depths that are spread evenly.
TaskPlan needleTasks(int prompts, std::int64_t tokens, std::uint64_t seed);

/// A half of the questions, every other one of each task and length: those that choose, or those that judge.
std::vector<Question> halfOf(const std::vector<Question> &questions, bool judging);

} // namespace zigzag::jobs
