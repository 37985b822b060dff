// SPDX-License-Identifier: GPL-3.0-or-later
// The data sets of kvpress (https://github.com/NVIDIA/kvpress, evaluation/benchmarks), written as JSON or JSON Lines: RULER,
// LongBench, LongBench v2 and InfiniteBench with the published prompts already in context and question, judged by the rules of
// each. kvpress compresses the context before the question is known, which no map does; the text is the same.
#include "profiler/questions/question_readers.h"

#include <fmt/format.h>

namespace zigzag::questions {
namespace {

bool isKvpress(const json::Value &record)
{
    return hasText(record, "context") && hasText(record, "question") && hasText(record, "answer_prefix")
        && has(record, "max_new_tokens") && !has(record, "rule") && !has(record, "prompt")
        && (has(record, "task") || has(record, "choice_A"));
}

/// The rule of a task, and what else its publishers say; false: it is none that can be judged here.
Result<bool> judge(Question &question, const json::Value &record, const std::string &where)
{
    if (const LongBenchTask *task = longBenchTask(question.task); task && has(record, "answers")) {
        ZIGZAG_TRY(classes, classesIn(record, "all_classes", where));
        question.classes = std::move(classes);
        question.rule = task->rule;
        question.endsAtLine = task->endsAtLine;
        return true;
    }
    if (isOfInfiniteBench(question.task)) {
        const InfiniteBenchTask *task = infiniteBenchTask(question.task);
        if (task)
            question.rule = task->rule;
        // Of code_debug it has the letter alone, and the rule asks for the function's name before it.
        return task && (task->rule != ScoringRule::InfiniteDebug || question.references.size() > 1);
    }
    const RulerTask *task = rulerTask(question.task);
    if (task)
        question.rule = task->rule;
    return task != nullptr;
}

Result<std::optional<Question>> readKvpress(const json::Value &record, const std::string &where, std::vector<std::string> &notes)
{
    const bool isV2 = has(record, "choice_A");
    ZIGZAG_TRY(context, json::stringIn(record, "context", where));
    ZIGZAG_TRY(asked, json::stringIn(record, "question", where));
    ZIGZAG_TRY(begin, json::stringIn(record, "answer_prefix", where));
    ZIGZAG_TRY(task, nameIn(record, isV2 ? "length" : "task", isV2 ? "any length" : "", where));
    ZIGZAG_TRY(references, referencesIn(record, has(record, "answers") ? "answers" : "answer", where));
    ZIGZAG_TRY(id, nameIn(record, "_id", "", where));
    ZIGZAG_TRY(answerTokens, answerTokensIn(record, 128, where));
    Question question;
    question.source = "kvpress";
    question.task = std::move(task);
    question.id = std::move(id);
    question.prompt = context + asked;
    question.answerBegin = std::move(begin);
    question.references = std::move(references);
    question.answerTokens = answerTokens;
    if (isV2) {
        question.rule = ScoringRule::Letter;
        return question;
    }
    ZIGZAG_TRY(isJudged, judge(question, record, where));
    if (!isJudged) {
        addNote(
            notes,
            fmt::format("questions of \"{}\" are left out: they cannot be judged by their publishers' rule here; a \"rule\" in "
                        "their lines would make them questions of your own",
                        question.task));
        return std::nullopt;
    }
    return question;
}

Result<RecordReader> openKvpress(const std::filesystem::path &)
{
    return readKvpress;
}

} // namespace

Format kvpress()
{
    return {"kvpress", "context, question, answer_prefix, answer or answers, task, max_new_tokens", isKvpress, openKvpress};
}

} // namespace zigzag::questions
