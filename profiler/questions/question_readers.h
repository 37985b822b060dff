// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to the readers of this folder: one for each format, each in a file of its own.

#include "engine/base/json_input.h"
#include "engine/base/result.h"
#include "profiler/questions/question.h"

#include <filesystem>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zigzag::questions {

/// What was left out and why, one line each; the same twice is one, and of very many the last says so.
void addNote(std::vector<std::string> &notes, std::string note);

/// What a record asks. Nothing where it is left out, with a note; a question without references has no answer in the file.
using RecordReader = std::function<Result<std::optional<Question>>(const json::Value &record, const std::string &where,
                                                                   std::vector<std::string> &notes)>;

struct Format {
    std::string_view name; ///< as QuestionFile says it
    std::string_view keys; ///< what its records have, for who gave others
    bool (*isOf)(const json::Value &record);
    /// A reader for a file of this name, which may tell the task. Fails where the set cannot be asked or judged here.
    Result<RecordReader> (*open)(const std::filesystem::path &file);
};

// In the order in which they are tried: whoever has more keys comes first.
Format longBenchV2();
Format longBench();
Format ruler();
Format mrcr();
Format kvpress();
Format infiniteBench();
Format ownQuestions();

// ---- What published sets say of their tasks.

struct LongBenchTask {
    std::string_view name;
    ScoringRule rule = ScoringRule::QaF1;
    int answerTokens = 0;
    bool isTemplated = true, endsAtLine = false;
};
/// With or without the "_e" or "-e" of LongBench-E. Null also for those that are judged by words as jieba cuts them.
const LongBenchTask *longBenchTask(std::string_view name);

struct RulerTask {
    ScoringRule rule = ScoringRule::RulerAll;
    int answerTokens = 0;
    std::string_view answerBegin; ///< with what its lead to the answer begins, which older files have in the prompt
};
/// A task, of the published ones or one made like them: told by what stands before the first '_'.
const RulerTask *rulerTask(std::string_view name);

struct InfiniteBenchTask {
    std::string_view name;
    ScoringRule rule = ScoringRule::QaF1;
    int answerTokens = 0;
};
/// Null also for those whose rule is not among ours.
const InfiniteBenchTask *infiniteBenchTask(std::string_view name);
/// Whether it is one of its twelve at all.
bool isOfInfiniteBench(std::string_view name);

// ---- What readers share.

inline constexpr std::size_t mostReferences = 1000, mostValues = 100'000, longestReference = 1 << 20, mostClasses = 1000,
                             mostMessages = 100'000;
inline constexpr int mostAnswerTokens = 1 << 16;

bool hasText(const json::Value &record, std::string_view key);
bool has(const json::Value &record, std::string_view key);

/// Answers as text: one, or a list of them, each a text or a number. Empty texts are none.
Result<std::vector<std::string>> referencesIn(const json::Value &record, std::string_view key, const std::string &where,
                                              std::size_t most = mostReferences);
/// A list of texts; empty where it is absent.
Result<std::vector<std::string>> classesIn(const json::Value &record, std::string_view key, const std::string &where);
/// "max_new_tokens".
Result<int> answerTokensIn(const json::Value &record, int fallback, const std::string &where);
/// A name for tables and errors: a text or a whole number, without control characters; the fallback where it is absent.
Result<std::string> nameIn(const json::Value &record, std::string_view key, std::string fallback, const std::string &where);
/// A conversation: a list of objects with "role" and "content", of which the last is the user's.
Result<std::vector<ChatMessage>> conversationOf(const json::Value &list, const std::string &where);

using Filling = std::initializer_list<std::pair<std::string_view, std::string_view>>;
/// A prompt with values in the place of their names in braces, once: what is put in is not looked through again.
std::string filled(std::string_view prompt, Filling values);
/// Without blanks at both ends, those of Python's strip.
std::string_view stripped(std::string_view text);

/// A file of resources/tasks with prompts as they were published.
Result<json::Value> publishedPrompts(std::string_view file);

} // namespace zigzag::questions
