// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"
#include "profiler/evaluate/task_prompts.h"
#include "profiler/evaluate/told_run.h"
#include "profiler/questions/question.h"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace zigzag {

/// Questions with an answer behind each, for what measures the prediction of an answer's tokens.
struct AnsweredQuestions {
    std::vector<TaskPrompt> prompts; ///< in the questions' order
    std::vector<std::string> notes; ///< what was left out and why, one line each
};

/// The questions of files (readQuestions), in their order; what was left out is added to `notes`.
Result<std::vector<Question>> readAllQuestions(std::span<const std::filesystem::path> files, std::vector<std::string> &notes);

/// With the answers that the questions give (answeredPrompt): at most `longest` tokens each, the answer's room included: of what
/// is longer the middle is left out.
Result<AnsweredQuestions> withGivenAnswers(const Model &model, std::span<const Question> questions, AskAs as,
                                           std::int64_t longest);

/// With the model's own: what it says under full attention, where that is right by the question's rule (a score of one half or
/// more). Other words for the same answer are as likely as the given ones are not; and a question that full attention fails says
/// nothing of a map: it is left out, with a note. `texts`: whose tokenizer and template ask.
Result<AnsweredQuestions> withOwnAnswers(const std::shared_ptr<DeviceModel> &model, const Model &texts,
                                         std::span<const Question> questions, AskAs as, std::int64_t longest,
                                         const std::atomic<bool> *cancel = nullptr, const PromptProgress &progress = {});

/// Stands for prompts in files: SHA-256 over their tokens and where their answers are, in hexadecimal digits.
std::string digestOf(std::span<const TaskPrompt> prompts);

} // namespace zigzag
