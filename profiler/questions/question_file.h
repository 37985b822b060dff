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
    std::string format; ///< "LongBench", "RULER", "kvpress", "MRCR", "InfiniteBench", "LongBench v2", "questions"; of a folder:
                        ///< its files'
    std::vector<Question> questions; ///< each has something to ask, a right answer, and an id that is its task's alone
    std::vector<std::string> notes; ///< what was left out and why, one line each
};

/// Reads a file as its repository has it, known by its content: lines of JSON, a list, or one object; Parquet and CSV never. A
/// person's own file has in each line `prompt` (or `context` and `question`, or `messages`: role and content) and `answer` or
/// `answers` (a text, a number, a list of them); it may have `id`, `task`, `system`, `rule` (nameOf a ScoringRule), `classes`,
/// `answer_prefix` (what the answer begins with) and `max_new_tokens`. RULER's and InfiniteBench's task is told by the name of
/// the file or its folder. Refuses what it does not know, with the line. At most 1 GiB and 100,000 questions.
///
/// Of a folder, all files below it that end in .json or .jsonl, by name; those that hold no questions are named in a note.
Result<QuestionFile> readQuestions(const std::filesystem::path &path);

} // namespace zigzag
