// SPDX-License-Identifier: GPL-3.0-or-later
// LongBench (arXiv 2308.14508) and LongBench v2 (arXiv 2412.15204), as the files of their repository have them. Prompts are in
// resources/tasks/longbench.json; lengths of answers from LongBench/config/dataset2maxlen.json, rules from LongBench/eval.py, who
// is asked without a chat template from LongBench/pred.py, and of v2 both from pred.py.
#include "profiler/questions/question_readers.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace zigzag::questions {
namespace {

using enum ScoringRule;

constexpr std::array tasks = {
    LongBenchTask{"narrativeqa", QaF1, 128},
    LongBenchTask{"qasper", QaF1, 128},
    LongBenchTask{"multifieldqa_en", QaF1, 64},
    LongBenchTask{"hotpotqa", QaF1, 32},
    LongBenchTask{"2wikimqa", QaF1, 32},
    LongBenchTask{"musique", QaF1, 32},
    LongBenchTask{"gov_report", RougeL, 512},
    LongBenchTask{"qmsum", RougeL, 512},
    LongBenchTask{"multi_news", RougeL, 512},
    LongBenchTask{"trec", Classification, 64, false, true},
    LongBenchTask{"triviaqa", QaF1, 32, false, true},
    LongBenchTask{"samsum", RougeL, 128, false, true},
    LongBenchTask{"lsht", Classification, 64, false, true},
    LongBenchTask{"passage_count", Count, 32},
    LongBenchTask{"passage_retrieval_en", Retrieval, 32},
    LongBenchTask{"passage_retrieval_zh", RetrievalZh, 32},
    LongBenchTask{"lcc", CodeSimilarity, 64, false},
    LongBenchTask{"repobench-p", CodeSimilarity, 64, false},
};

constexpr std::array<std::string_view, 3> othersTasks = {"multifieldqa_zh", "dureader", "vcsum"};

constexpr std::string_view promptFile = "longbench.json";

bool isLongBench(const json::Value &record)
{
    return hasText(record, "input") && hasText(record, "context") && has(record, "answers") && hasText(record, "dataset");
}

Result<RecordReader> openLongBench(const std::filesystem::path &file)
{
    ZIGZAG_TRY(document, publishedPrompts(promptFile));
    // LongBench-E: the same datasets, evenly spread over lengths.
    const bool isEven = file.stem().string().ends_with("_e");
    return [prompts = document.at("prompts"), isEven](const json::Value &record, const std::string &where,
                                                      std::vector<std::string> &notes) -> Result<std::optional<Question>> {
        ZIGZAG_TRY(dataset, json::stringIn(record, "dataset", where));
        const LongBenchTask *task = longBenchTask(dataset);
        if (std::find(othersTasks.begin(), othersTasks.end(), dataset) != othersTasks.end()) {
            addNote(
                notes,
                fmt::format("questions of {} are left out: LongBench counts their words as jieba's dictionary cuts them, which "
                            "is not done here",
                            dataset));
            return std::nullopt;
        }
        if (!task)
            return badInput(fmt::format("{}: \"{}\" is none of LongBench's datasets; ask it as questions of your own, with "
                                        "\"prompt\" and \"answers\"",
                                        where, printable(dataset)));
        ZIGZAG_TRY(prompt, json::stringIn(prompts, task->name, std::string(promptFile)));
        ZIGZAG_TRY(context, json::stringIn(record, "context", where));
        ZIGZAG_TRY(input, json::stringOr(record, "input", "", where));
        ZIGZAG_TRY(references, referencesIn(record, "answers", where));
        ZIGZAG_TRY(classes, classesIn(record, "all_classes", where));
        ZIGZAG_TRY(id, nameIn(record, "_id", "", where));
        Question question;
        question.source = "longbench";
        question.task = std::string(task->name) + (isEven || dataset.ends_with("_e") ? "_e" : "");
        question.id = std::move(id);
        question.prompt = filled(prompt, {{"context", context}, {"input", input}});
        question.references = std::move(references);
        question.classes = std::move(classes);
        question.rule = task->rule;
        question.answerTokens = task->answerTokens;
        question.isTemplated = task->isTemplated;
        question.endsAtLine = task->endsAtLine;
        return question;
    };
}

bool isLongBenchV2(const json::Value &record)
{
    return hasText(record, "choice_A") && hasText(record, "choice_D") && hasText(record, "context") && hasText(record, "question")
        && !has(record, "answer_prefix"); // kvpress has the prompt in them already
}

Result<std::optional<Question>> readV2(const json::Value &prompts, const json::Value &record, const std::string &where)
{
    ZIGZAG_TRY(prompt, json::stringIn(prompts, "longbench-v2", std::string(promptFile)));
    std::array<std::string, 6> texts;
    constexpr std::array<const char *, 6> keys = {"context", "question", "choice_A", "choice_B", "choice_C", "choice_D"};
    for (std::size_t i = 0; i < keys.size(); ++i) {
        ZIGZAG_TRY(text, json::stringIn(record, keys[i], where));
        texts[i] = stripped(text);
    }
    ZIGZAG_TRY(references, referencesIn(record, "answer", where));
    for (const std::string &letter : references)
        if (letter.size() != 1 || letter[0] < 'A' || letter[0] > 'D')
            return badInput(fmt::format("{}: \"answer\" must be a letter from A to D, not {}", where, printable(letter)));
    // Published results are told by length: short, medium, long.
    ZIGZAG_TRY(task, nameIn(record, "length", "any length", where));
    ZIGZAG_TRY(id, nameIn(record, "_id", "", where));
    Question question;
    question.source = "longbench-v2";
    question.task = std::move(task);
    question.id = std::move(id);
    question.prompt = filled(prompt,
                             {{keys[0], texts[0]},
                              {keys[1], texts[1]},
                              {keys[2], texts[2]},
                              {keys[3], texts[3]},
                              {keys[4], texts[4]},
                              {keys[5], texts[5]}});
    question.references = std::move(references);
    question.rule = Letter;
    question.answerTokens = 128;
    return question;
}

Result<RecordReader> openLongBenchV2(const std::filesystem::path &)
{
    ZIGZAG_TRY(document, publishedPrompts(promptFile));
    return [prompts = document.at("prompts")](const json::Value &record, const std::string &where, std::vector<std::string> &) {
        return readV2(prompts, record, where);
    };
}

} // namespace

const LongBenchTask *longBenchTask(std::string_view name)
{
    if (name.ends_with("_e") || name.ends_with("-e"))
        name.remove_suffix(2);
    const auto *found = std::find_if(tasks.begin(), tasks.end(), [&](const LongBenchTask &task) { return task.name == name; });
    return found == tasks.end() ? nullptr : found;
}

Format longBench()
{
    return {"LongBench", "input, context, answers, dataset", isLongBench, openLongBench};
}

Format longBenchV2()
{
    return {"LongBench v2", "context, question, choice_A to choice_D, answer", isLongBenchV2, openLongBenchV2};
}

} // namespace zigzag::questions
