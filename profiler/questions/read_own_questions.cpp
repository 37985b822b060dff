// SPDX-License-Identifier: GPL-3.0-or-later
// What people write themselves: a prompt, or a context and a question about it, and the answers that are right.
#include "profiler/questions/question_readers.h"
#include "profiler/questions/scoring.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace zigzag::questions {
namespace {

constexpr std::array<std::string_view, 14> readKeys
    = {"prompt", "messages", "context", "question", "answer",  "answers",       "id",
       "_id",    "task",     "system",  "rule",     "classes", "answer_prefix", "max_new_tokens"};

bool isOwn(const json::Value &record)
{
    const bool asks
        = hasText(record, "prompt") || has(record, "messages") || (hasText(record, "context") && hasText(record, "question"));
    return asks && (has(record, "answer") || has(record, "answers"));
}

/// Prompt and system, or a whole conversation.
Result<void> readAsked(const json::Value &record, Question &question, const std::string &where)
{
    const int ways = (has(record, "prompt") ? 1 : 0) + (has(record, "messages") ? 1 : 0)
        + (has(record, "context") || has(record, "question") ? 1 : 0);
    if (ways != 1)
        return badInput(fmt::format("{}: a question is \"prompt\", or \"context\" and \"question\", or \"messages\"; give one of "
                                    "these",
                                    where));
    if (const json::Value *list = json::find(record, "messages")) {
        if (has(record, "system"))
            return badInput(fmt::format("{}: \"system\" stands beside \"messages\"; put it into them", where));
        ZIGZAG_TRY(messages, conversationOf(*list, where));
        question.messages = std::move(messages);
        return {};
    }
    ZIGZAG_TRY(system, json::stringOr(record, "system", "", where));
    question.system = std::move(system);
    if (has(record, "prompt")) {
        ZIGZAG_TRY(prompt, json::stringIn(record, "prompt", where));
        question.prompt = std::move(prompt);
        return {};
    }
    ZIGZAG_TRY(context, json::stringIn(record, "context", where));
    ZIGZAG_TRY(asked, json::stringIn(record, "question", where));
    question.prompt = context + "\n\n" + asked;
    return {};
}

Result<std::optional<Question>> readOwn(const std::filesystem::path &file, const json::Value &record, const std::string &where,
                                        std::vector<std::string> &notes)
{
    Question question;
    ZIGZAG_CHECK(readAsked(record, question, where));
    if (has(record, "answer") && has(record, "answers"))
        return badInput(fmt::format("{}: \"answer\" and \"answers\" stand beside each other; give one of them", where));
    ZIGZAG_TRY(references, referencesIn(record, has(record, "answers") ? "answers" : "answer", where));
    ZIGZAG_TRY(classes, classesIn(record, "classes", where));
    ZIGZAG_TRY(begin, json::stringOr(record, "answer_prefix", "", where));
    ZIGZAG_TRY(id, nameIn(record, has(record, "id") ? "id" : "_id", "", where));
    ZIGZAG_TRY(task, nameIn(record, "task", printable(file.stem().string()), where));
    ZIGZAG_TRY(answerTokens, answerTokensIn(record, question.answerTokens, where));
    ZIGZAG_TRY(ruleName, json::stringOr(record, "rule", "", where));
    if (!ruleName.empty()) {
        const auto rule = parseScoringRule(ruleName);
        if (!rule)
            return badInput(fmt::format("{}: \"rule\": {}", where, rule.error().message));
        question.rule = *rule;
    }
    for (const auto &[key, value] : record.items())
        if (std::find(readKeys.begin(), readKeys.end(), key) == readKeys.end())
            addNote(notes, fmt::format("\"{}\" says nothing here and is not read", printable(key)));
    question.source = printable(file.filename().string());
    question.task = std::move(task);
    question.id = std::move(id);
    question.answerBegin = std::move(begin);
    question.references = std::move(references);
    question.classes = std::move(classes);
    question.answerTokens = answerTokens;
    return question;
}

Result<RecordReader> openOwn(const std::filesystem::path &file)
{
    return [file](const json::Value &record, const std::string &where, std::vector<std::string> &notes) {
        return readOwn(file, record, where, notes);
    };
}

} // namespace

Format ownQuestions()
{
    return {"questions", "prompt (or context and question, or messages) and answer or answers", isOwn, openOwn};
}

} // namespace zigzag::questions
