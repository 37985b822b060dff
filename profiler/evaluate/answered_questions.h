// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"
#include "profiler/evaluate/task_prompts.h"
#include "profiler/questions/question.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace zigzag {

/// The questions of files (readQuestions), each with its right answer behind it (answeredPrompt).
struct AnsweredQuestions {
    std::vector<TaskPrompt> prompts; ///< in the order of the files
    std::vector<std::string> notes; ///< what was left out and why, one line each
};

/// At most `longest` tokens each, the answer's room included: of what is longer the middle is left out.
Result<AnsweredQuestions> readAnsweredQuestions(const Model &model, std::span<const std::filesystem::path> files, AskAs as,
                                                std::int64_t longest);

/// Stands for prompts in files: SHA-256 over their tokens and where their answers are, in hexadecimal digits.
std::string digestOf(std::span<const TaskPrompt> prompts);

} // namespace zigzag
