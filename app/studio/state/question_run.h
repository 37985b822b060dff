// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/carry/engine_serving.h"
#include "profiler/carry/sink_carrier.h"
#include "profiler/evaluate/answers_file.h"
#include "profiler/jobs/kept_answers.h"
#include "profiler/questions/ruler.h"

#include <QString>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zigzag {

/// What one run asks, by value.
struct AskedQuestions {
    RulerPlan ruler;
    QString file; ///< of questions; empty: RULER's tasks
    std::vector<NamedMap> maps; ///< the first is full attention
    std::optional<EngineServing> served; ///< how an engine runs the second
    std::string model;
};

/// The questions themselves, and what a record calls them.
Result<std::vector<Question>> questionsOf(const AskedQuestions &asked, const Model &model, std::string &name);

/// What the runs of one request share: one that was stopped goes on from the answers that there are.
struct QuestionsSoFar {
    jobs::KeptAnswers answers;
    CalibrationState calibration; ///< of what stands in for the second map's sinks
    std::shared_ptr<const std::vector<Question>> questions; ///< for whom asks one of them again
};

/// Asks the maps in turn; `told` hears of the record after each, and now and then while one is asked. What was answered waits in
/// a file of the person's data folder until all maps are through, so that it is not lost with the window either.
Result<void> askMaps(const AskedQuestions &asked, const JobContext &context, QuestionsSoFar &soFar,
                     const std::function<void(const AnswersRecord &)> &told);

} // namespace zigzag
