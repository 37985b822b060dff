// SPDX-License-Identifier: GPL-3.0-or-later
// InfiniteBench (arXiv 2402.13718), as the files of its data folder are: TASK.jsonl. Prompts of open models are in
// resources/tasks/infinitebench.json, with the answer's beginning apart: as text they are the published ones, and in a
// conversation the model begins with it. How they are filled and how long answers may be: src/eval_utils.py.
#include "profiler/questions/question_readers.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace zigzag::questions {
namespace {

using enum ScoringRule;

constexpr std::array tasks = {
    InfiniteBenchTask{"passkey", InfinitePasskey, 6},
    InfiniteBenchTask{"number_string", InfinitePasskey, 12},
    InfiniteBenchTask{"kv_retrieval", InfiniteKv, 50},
    InfiniteBenchTask{"longbook_choice_eng", InfiniteChoice, 40},
    InfiniteBenchTask{"longbook_qa_eng", QaF1, 40},
    InfiniteBenchTask{"math_find", InfiniteMathFind, 3},
    InfiniteBenchTask{"code_debug", InfiniteDebug, 5},
    InfiniteBenchTask{"longbook_qa_chn", InfiniteQaZh, 40},
    InfiniteBenchTask{"longdialogue_qa_eng", InfiniteDialogue, 40},
    InfiniteBenchTask{"math_calc", InfiniteCalc, 30'000},
    InfiniteBenchTask{"code_run", InfiniteRun, 5},
};
constexpr std::string_view withoutRule = "longbook_sum_eng";

/// The published task that the file's name begins with: "passkey" for passkey.jsonl and passkey_8192.jsonl.
std::string taskOf(const std::filesystem::path &file)
{
    const std::string stem = file.stem().string();
    for (const InfiniteBenchTask &task : tasks)
        if (stem.starts_with(task.name))
            return std::string(task.name);
    return std::string(stem.starts_with(withoutRule) ? withoutRule : std::string_view());
}

/// "What is the largest number in the following list?" of "The largest number of the list is:".
Result<std::string> mathFindPrefix(const std::string &input, const std::string &where)
{
    const std::size_t the = input.find("The ");
    const std::size_t lineEnd = the == std::string::npos ? the : std::min(input.find('\n', the), input.size());
    const std::size_t of = the == std::string::npos ? the : std::string_view(input).substr(0, lineEnd).rfind(" of");
    if (of == std::string::npos || of < the + 5)
        return badInput(
            fmt::format("{}: \"input\" does not say \"The ... of\", by which this task is asked; fetch the file anew", where));
    std::string target = input.substr(the, of - the);
    std::transform(target.begin(), target.end(), target.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return fmt::format("What is {} in the following list?", target);
}

/// "func_7(-3)" in "Please give me the exact number of the return value of func_7(-3)."
Result<std::string> calledFunction(std::string_view input, const std::string &where)
{
    constexpr std::string_view name = "func_", digits = "0123456789";
    const auto behindDigits = [&](std::size_t from) { return std::min(input.find_first_not_of(digits, from), input.size()); };
    for (std::size_t at = input.find(name); at != std::string_view::npos; at = input.find(name, at + 1)) {
        const std::size_t bracket = behindDigits(at + name.size());
        if (bracket == at + name.size() || bracket == input.size() || input[bracket] != '(')
            continue;
        const std::size_t argument = bracket + (input.substr(bracket + 1).starts_with('-') ? 2 : 1);
        const std::size_t end = behindDigits(std::min(argument, input.size()));
        if (end > argument && end < input.size() && input[end] == ')')
            return std::string(input.substr(at, end + 1 - at));
    }
    return badInput(fmt::format("{}: \"input\" calls no func_1(2), by which this task is asked; fetch the file anew", where));
}

struct Options {
    std::array<std::string, 4> texts;
    std::vector<std::string> references; ///< the right one's text, and its letter
};

Result<Options> optionsIn(const json::Value &record, const std::vector<std::string> &answers, const std::string &where)
{
    Options options;
    ZIGZAG_TRY(list, json::arrayIn(record, "options", where));
    if (list->size() != options.texts.size())
        return badInput(fmt::format("{}: \"options\" has {} members instead of four; fetch the file anew", where, list->size()));
    for (std::size_t i = 0; i < options.texts.size(); ++i) {
        ZIGZAG_TRY(text, json::asString((*list)[i], "a member of \"options\"", where));
        options.texts[i] = std::move(text);
    }
    if (answers.empty())
        return options;
    if (answers.size() == 2 && answers[1].size() == 1 && answers[1][0] >= 'A' && answers[1][0] <= 'D') {
        options.references = answers;
        return options;
    }
    const auto *right = std::find(options.texts.begin(), options.texts.end(), answers[0]);
    if (answers.size() != 1 || right == options.texts.end())
        return badInput(fmt::format("{}: \"answer\" is none of the options; fetch the file anew", where));
    options.references = {answers[0], std::string(1, static_cast<char>('A' + (right - options.texts.begin())))};
    return options;
}

/// Of math_calc, the values one after another, which may be a list within a list.
Result<std::vector<std::string>> answersIn(const json::Value &record, const InfiniteBenchTask &task, const std::string &where)
{
    const json::Value *answer = json::find(record, "answer");
    if (task.rule == InfiniteCalc && answer && answer->is_array() && answer->size() == 1 && answer->front().is_array())
        return referencesIn({{"answer", answer->front()}}, "answer", where, mostValues);
    return referencesIn(record, "answer", where, task.rule == InfiniteCalc ? mostValues : mostReferences);
}

Result<std::optional<Question>> readRecord(const json::Value &document, const InfiniteBenchTask &task, const json::Value &record,
                                           const std::string &where)
{
    ZIGZAG_TRY(prompt, json::stringIn(document.at("prompts"), task.name, "infinitebench.json"));
    ZIGZAG_TRY(begin, json::stringOr(document.at("answer_begins"), task.name, "", "infinitebench.json"));
    ZIGZAG_TRY(context, json::stringIn(record, "context", where));
    ZIGZAG_TRY(input, json::stringIn(record, "input", where));
    ZIGZAG_TRY(references, answersIn(record, task, where));
    ZIGZAG_TRY(id, nameIn(record, "id", "", where));
    Options options;
    if (task.rule == InfiniteChoice || task.rule == InfiniteDebug) {
        ZIGZAG_TRY(read, optionsIn(record, references, where));
        options = std::move(read);
        references = std::move(options.references);
    }
    std::string prefix;
    if (task.rule == InfiniteMathFind) {
        ZIGZAG_TRY(asked, mathFindPrefix(input, where));
        prefix = std::move(asked);
    }
    std::string call;
    if (task.rule == InfiniteRun) {
        ZIGZAG_TRY(called, calledFunction(input, where));
        call = std::move(called);
    }
    Question question;
    question.source = "infinitebench";
    question.task = task.name;
    question.id = std::move(id);
    question.prompt = filled(prompt,
                             {{"context", context},
                              {"input", input},
                              {"question", input},
                              {"prefix", prefix},
                              {"func", std::string_view(call).substr(0, call.find('('))},
                              {"func_call", call},
                              {"option_A", options.texts[0]},
                              {"option_B", options.texts[1]},
                              {"option_C", options.texts[2]},
                              {"option_D", options.texts[3]}});
    question.answerBegin = filled(begin, {{"func_call", call}});
    question.references = std::move(references);
    question.rule = task.rule;
    question.answerTokens = task.answerTokens;
    return question;
}

bool isInfiniteBench(const json::Value &record)
{
    return hasText(record, "context") && hasText(record, "input") && has(record, "answer") && !has(record, "answers");
}

Result<RecordReader> openInfiniteBench(const std::filesystem::path &file)
{
    const std::string name = taskOf(file);
    if (name.empty())
        return badInput(
            fmt::format("{}: which of InfiniteBench's tasks this is, only the file's name tells, and it does not; name "
                        "it as InfiniteBench does, for instance kv_retrieval.jsonl",
                        file.string()));
    const InfiniteBenchTask *task = infiniteBenchTask(name);
    if (!task)
        return badInput(fmt::format("{}: the rule by which InfiniteBench judges {} is none of ours; ask it as questions of your "
                                    "own, with \"prompt\", \"answers\" and \"rule\"",
                                    file.string(), name));
    ZIGZAG_TRY(document, publishedPrompts("infinitebench.json"));
    ZIGZAG_CHECK(json::objectIn(document, "answer_begins", "infinitebench.json"));
    return
        [document = std::move(document), task](const json::Value &record, const std::string &where, std::vector<std::string> &) {
            return readRecord(document, *task, record, where);
        };
}

} // namespace

const InfiniteBenchTask *infiniteBenchTask(std::string_view name)
{
    const auto *found
        = std::find_if(tasks.begin(), tasks.end(), [&](const InfiniteBenchTask &task) { return task.name == name; });
    return found == tasks.end() ? nullptr : found;
}

bool isOfInfiniteBench(std::string_view name)
{
    return infiniteBenchTask(name) || name == withoutRule;
}

Format infiniteBench()
{
    return {"InfiniteBench", "context, input, answer, options", isInfiniteBench, openInfiniteBench};
}

} // namespace zigzag::questions
