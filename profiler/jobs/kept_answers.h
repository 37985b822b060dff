// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/ask_questions.h"
#include "profiler/jobs/job.h"
#include "profiler/search/search.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace zigzag::jobs {

/// Answers to the same questions under several maps as they come, in any order: what a run that was stopped goes on from. In
/// memory and, where a file is named, in that ("zigzag-search-progress" of the method "questions"), which is written at most once
/// a second.
class KeptAnswers
{
public:
    /// None yet, and no file.
    KeptAnswers() = default;
    /// What waits in the file of the same questions, model and way to ask; a file of others is refused.
    static Result<KeptAnswers> open(const std::filesystem::path &file, const JobContext &context,
                                    std::span<const Question> questions, AskAs as, Begin begin);

    /// The answers under a map as an engine runs it, for AskPlan::known: [questions], or empty where nothing is kept of so many.
    std::vector<std::optional<QuestionAnswer>> of(const HeadMap &map, const std::string &engine, std::size_t questions) const;
    void take(const HeadMap &map, const std::string &engine, std::size_t questions, std::size_t question,
              const QuestionAnswer &answer);
    /// Empty where nothing was opened.
    const std::string &questionsHash() const { return m_questionsHash; }
    /// Of all maps.
    int count() const;

    /// Nothing where no file is named.
    Result<void> save();
    /// All of it is in a record.
    void removeFile() const;

private:
    std::string stateJson() const;
    Result<void> read(const std::string &state, std::size_t questions);

    std::filesystem::path m_file;
    std::string m_plan, m_questionsHash;
    std::map<std::string, std::vector<std::optional<QuestionAnswer>>> m_answers; ///< by map and engine
    std::chrono::steady_clock::time_point m_saved = std::chrono::steady_clock::now();
};

} // namespace zigzag::jobs
