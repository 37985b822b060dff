// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Includes nlohmann/json: for .cpp files that print or read records.

#include "engine/base/result.h"
#include "profiler/base/run_types.h"
#include "profiler/evaluate/ask_questions.h"

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// What is kept of a question: enough to know it again, and to read what broke.
struct AskedQuestion {
    std::string source, task, id;
    std::int64_t context = 0;
    double depth = -1;
    std::vector<std::string> references;
    std::string end; ///< of what was asked: its last few hundred bytes
};

/// One map's answers, in the questions' order; fewer where it was stopped.
struct AnswersOfMap {
    std::string map; ///< the name that it goes by; the first of a record is full attention
    double sparsity = 0;
    int sink = 0, recent = 0;
    std::string engine; ///< as whose the map was run; empty: ours
    std::vector<QuestionAnswer> answers;
};

/// `zigzag-answers`, version 1: one model asked the same questions under several maps.
struct AnswersRecord {
    std::string model, fingerprint;
    MachineProfile machine;
    std::string asked; ///< "ruler", or the files' names
    std::string questionsHash; ///< "sha256:…" over all that was asked, references included
    AskAs as = AskAs::Auto;
    std::uint64_t seed = 0;
    std::vector<AskedQuestion> questions;
    std::vector<AnswersOfMap> maps;

    /// Questions that every map answered.
    std::size_t answered() const;
};

std::string_view nameOf(AskAs as);
Result<AskAs> parseAskAs(std::string_view name);
/// Of `questions`, as AnswersRecord keeps them.
std::vector<AskedQuestion> keptOf(std::span<const Question> questions);
std::string hashOf(std::span<const Question> questions);

nlohmann::ordered_json answersJson(const AnswersRecord &record);
Result<void> writeAnswersFile(const std::filesystem::path &file, const AnswersRecord &record);
/// Trusts nothing.
Result<AnswersRecord> readAnswersFile(const std::filesystem::path &file);
Result<AnswersRecord> answersFrom(std::string_view text, const std::string &where);

} // namespace zigzag
