// SPDX-License-Identifier: GPL-3.0-or-later
// RULER (arXiv 2404.06654), as its scripts/data/prepare.py writes it: LENGTH/data/TASK/validation.jsonl. Lengths of answers and
// their beginnings from scripts/data/synthetic/constants.py, rules from scripts/eval/synthetic/constants.py.
#include "profiler/questions/question_readers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

namespace zigzag::questions {
namespace {

using enum ScoringRule;

struct Kind {
    std::string_view name; ///< before the first '_' of a task
    RulerTask task;
};
constexpr std::array kinds = {
    Kind{"niah", {RulerAll, 128, " The special magic "}},
    Kind{"vt", {RulerAll, 30, " Answer: According to the chain(s) of variable assignment"}},
    Kind{"cwe", {RulerAll, 120, " Answer: The top 10 words"}},
    Kind{"fwe", {RulerAll, 50, " Answer: According to the coded text"}},
    Kind{"qa", {RulerPart, 32, " Answer:"}},
};

/// With what a conversation of scripts/data/template.py begins: such a file is of one model, and asked as it is.
constexpr std::array<std::string_view, 10> templateBegins = {"[INST] ",
                                                             "A chat between a curious user",
                                                             "You are a helpful assistant. USER: ",
                                                             "<BOS_TOKEN>",
                                                             "[gMASK]sop",
                                                             "User: hi\n",
                                                             "<|user|>",
                                                             "<|begin_of_text|>",
                                                             "<|startoftext|>",
                                                             "<SPECIAL_10>"};

bool isRuler(const json::Value &record)
{
    return hasText(record, "input") && has(record, "outputs") && !has(record, "pred"); // with it: what a model said
}

/// The task that the names of file and folder tell; empty: they do not.
std::string taskOf(const std::filesystem::path &file)
{
    std::string stem = file.stem().string();
    if (rulerTask(stem))
        return stem;
    const std::string folder = file.parent_path().filename().string();
    return rulerTask(folder) ? folder : std::string();
}

/// The length that a folder around it is called by; 0: none is.
std::int64_t contextOf(const std::filesystem::path &file)
{
    constexpr int levels = 4;
    std::filesystem::path folder = file.parent_path();
    for (int level = 0; level < levels && folder.has_filename(); ++level, folder = folder.parent_path()) {
        const std::string name = folder.filename().string();
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
        if (error == std::errc{} && end == name.data() + name.size() && number >= 128 && number <= 1 << 24)
            return number;
    }
    return 0;
}

Result<std::optional<Question>> readRuler(const std::string &task, std::int64_t context, const json::Value &record,
                                          const std::string &where)
{
    const RulerTask &facts = *rulerTask(task);
    ZIGZAG_TRY(prompt, json::stringIn(record, "input", where));
    ZIGZAG_TRY(begin, json::stringOr(record, "answer_prefix", "", where));
    ZIGZAG_TRY(references, referencesIn(record, "outputs", where));
    ZIGZAG_TRY(length, json::integerOr(record, "length", 0, 0, std::int64_t{1} << 31, where));
    ZIGZAG_TRY(position, json::integerOr(record, "token_position_answer", -1, -1, std::int64_t{1} << 31, where));
    Question question;
    question.source = "ruler";
    question.task = printable(task); // a file's name may be anything behind "niah_"
    question.context = context;
    question.rule = facts.rule;
    question.answerTokens = facts.answerTokens;
    question.references = std::move(references);
    question.isTemplated = std::none_of(templateBegins.begin(), templateBegins.end(),
                                        [&](std::string_view each) { return prompt.starts_with(each); });
    // Older files have the answer's beginning in the prompt, where it would be the user's in a conversation.
    constexpr std::size_t longestBegin = 300;
    const std::size_t found = prompt.rfind(facts.answerBegin);
    if (begin.empty() && question.isTemplated && found != std::string::npos && prompt.size() - found <= longestBegin) {
        begin = prompt.substr(found);
        prompt.resize(found);
    }
    question.prompt = std::move(prompt);
    question.answerBegin = std::move(begin);
    if (position >= 0 && length > 0)
        question.depth = std::min(1.0, static_cast<double>(position) / static_cast<double>(length));
    return question;
}

Result<RecordReader> openRuler(const std::filesystem::path &file)
{
    std::string task = taskOf(file);
    if (task.empty())
        return badInput(
            fmt::format("{}: which of RULER's tasks this is, only names tell, and neither the file's nor its folder's "
                        "does; name it as RULER does, niah_single_1/validation.jsonl or niah_single_1.jsonl",
                        file.string()));
    return [task = std::move(task), context = contextOf(file)](const json::Value &record, const std::string &where,
                                                               std::vector<std::string> &) {
        return readRuler(task, context, record, where);
    };
}

} // namespace

const RulerTask *rulerTask(std::string_view name)
{
    const std::string_view kind = name.substr(0, name.find('_'));
    const auto *found = std::find_if(kinds.begin(), kinds.end(), [&](const Kind &each) { return each.name == kind; });
    return found == kinds.end() ? nullptr : &found->task;
}

Format ruler()
{
    return {"RULER", "input, outputs", isRuler, openRuler};
}

} // namespace zigzag::questions
