// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/questions/question.h"

#include <filesystem>
#include <string>
#include <vector>

namespace zigzag {

/// The questions of a file, and what it was read as.
struct QuestionFile {
    std::string format; ///< "LongBench", "RULER", "kvpress", "MRCR", "InfiniteBench", "LongBench v2", "questions"
    std::vector<Question> questions;
    std::vector<std::string> notes; ///< what was left out and why, one line each
};

/// Reads a file as its repository has it, known by its content: JSON Lines, JSON, Parquet never. A person's own file has
/// `prompt`, or `context` and `question`, and `answer` or `answers` in each line. Refuses what it does not know, with the line.
Result<QuestionFile> readQuestions(const std::filesystem::path &path);

} // namespace zigzag
