// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/ask_questions.h"
#include "profiler/evaluate/map_quality.h"
#include "profiler/evaluate/needle.h"
#include "profiler/evaluate/perplexity.h"
#include "profiler/jobs/job.h"

namespace zigzag {
struct AnswersOfMap; // answers_file.h
}

namespace zigzag::jobs {

/// Full attention in the shape and window of a map: what maps are held against.
HeadMap fullLike(const HeadMap &map);

/// The cells so far of the map that is asked, after each question: the last one perhaps under way.
using NeedlesTold = std::function<void(const NamedMap &asked, const NeedleResult &soFar)>;

/// Asks each map the same questions, in this order; one result for each. Names are the subjects of progress.
Result<std::vector<NeedleResult>> askNeedles(const JobContext &context, const std::vector<NamedMap> &maps, const NeedlePlan &plan,
                                             const NeedlesTold &told = {});

struct Distillation {
    MapQuality quality;
    int prompts = 0; ///< of the plan; the quality is of fewer where it was stopped (MapQuality::prompts)
};
/// How far a map is from full attention at the tokens that predict the tasks' answers.
Result<Distillation> distill(const JobContext &context, const HeadMap &map, const TaskPlan &tasks);

/// The perplexity of a text under each map, in windows of `window` tokens.
Result<std::vector<Perplexity>> perplexities(const JobContext &context, const std::vector<NamedMap> &maps,
                                             std::span<const int> tokens, std::int64_t window);

/// The answers of one map; fewer than the questions where it was stopped.
Result<std::vector<QuestionAnswer>> ask(const JobContext &context, const NamedMap &map, std::span<const Question> questions,
                                        const AskPlan &plan, const AnswerTold &told = {});

/// A map as a record names it, without its answers. `engine`: as whose it is run; empty: ours.
AnswersOfMap answersUnder(const NamedMap &map, const std::string &engine);

} // namespace zigzag::jobs
