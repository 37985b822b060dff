// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Includes nlohmann/json (answers_file.h): for .cpp files.

#include "profiler/evaluate/answers_file.h"
#include "profiler/jobs/carry_job.h"
#include "profiler/jobs/recommend_search.h"

#include <utility>
#include <vector>

namespace zigzag::jobs {

/// The half of a person's questions that chose nothing, asked of maps. Answers are kept in a record beside the progress, and one
/// that goes on asks nobody twice.
class AskedJudge
{
public:
    static Result<AskedJudge> create(RecommendRun &run, StageClock &clock);

    /// Scores of full attention and of the map, of the questions that both answered. `standIns`: null where it has none.
    Result<std::pair<std::vector<double>, std::vector<double>>> operator()(const TriedMap &map, const Carried *standIns);

private:
    AskedJudge(RecommendRun &run, StageClock &clock)
        : m_run(&run)
        , m_clock(&clock)
    { }
    /// Its place in the record, where everything was answered before or is now; behind the last one where it was stopped.
    Result<std::size_t> answersOf(const std::string &name, const TriedMap *map, const Carried *standIns);

    RecommendRun *m_run;
    StageClock *m_clock;
    std::vector<Question> m_questions;
    AnswersRecord m_record;
};

} // namespace zigzag::jobs
