// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/ruler.h"

#include "engine/base/printable.h"
#include "engine/model/resources.h"
#include "profiler/questions/ruler_draft.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace zigzag {
namespace {

constexpr std::array<std::string_view, 13> tasks = {"niah_single_1",
                                                    "niah_single_2",
                                                    "niah_single_3",
                                                    "niah_multikey_1",
                                                    "niah_multikey_2",
                                                    "niah_multikey_3",
                                                    "niah_multivalue",
                                                    "niah_multiquery",
                                                    "vt",
                                                    "cwe",
                                                    "fwe",
                                                    "qa_1",
                                                    "qa_2"};

constexpr std::int64_t longestContext = 4ll << 20;
constexpr std::int64_t mostTokens = 512ll << 20; // of all questions: they are some GB of text at once
constexpr int mostTrials = 10'000;

struct Data {
    std::vector<std::string> haystack;
    RulerDocuments squad, hotpot;
};

Result<std::vector<std::string_view>> askedTasks(const RulerPlan &plan)
{
    const auto hasData = [&](std::string_view task) {
        return task == "qa_1" ? !plan.squad.empty() : task == "qa_2" ? !plan.hotpot.empty() : true;
    };
    std::vector<std::string_view> asked;
    if (plan.tasks.empty()) {
        std::copy_if(tasks.begin(), tasks.end(), std::back_inserter(asked), hasData);
        return asked;
    }
    for (const std::string &name : plan.tasks) {
        const auto *task = std::find(tasks.begin(), tasks.end(), name);
        if (task == tasks.end())
            return badInput(fmt::format("RULER has no task \"{}\": it has {}", printable(name),
                                        listOf(std::vector<std::string>(tasks.begin(), tasks.end()))));
        if (!hasData(*task))
            return badInput(fmt::format("{} needs {}: give the file, or leave the task out", *task,
                                        *task == "qa_1" ? "SQuAD's JSON file" : "HotpotQA's JSON file"));
        if (std::find(asked.begin(), asked.end(), *task) == asked.end())
            asked.push_back(*task);
    }
    return asked;
}

Result<void> checkSizes(const RulerPlan &plan, std::size_t taskCount)
{
    if (plan.trials < 1 || plan.trials > mostTrials)
        return badInput(fmt::format("{} trials of each RULER task: choose 1 to {}", plan.trials, mostTrials));
    if (plan.contexts.empty())
        return badInput("RULER's tasks need a context: say how many tokens");
    std::int64_t sum = 0;
    for (const std::int64_t context : plan.contexts) {
        if (context < 1 || context > longestContext)
            return badInput(fmt::format("a context of {} tokens for RULER: choose 1 to {}", context, longestContext));
        sum = std::min(mostTokens + 1, sum + context);
    }
    const auto each = static_cast<std::int64_t>(taskCount) * plan.trials;
    if (sum > mostTokens / each)
        return badInput(
            fmt::format("RULER's questions of this plan have more than {} tokens in all: ask for fewer tasks, contexts or "
                        "trials at once",
                        mostTokens));
    return {};
}

Result<Data> readData(const RulerPlan &plan, const std::vector<std::string_view> &asked)
{
    const auto isAsked = [&](std::string_view task) { return std::find(asked.begin(), asked.end(), task) != asked.end(); };
    Data data;
    if (!plan.haystack.empty()) {
        ZIGZAG_TRY(sentences, readHaystack(plan.haystack));
        data.haystack = std::move(sentences);
    }
    if (isAsked("qa_1")) {
        ZIGZAG_TRY(read, readSquad(plan.squad));
        data.squad = std::move(read);
    }
    if (isAsked("qa_2")) {
        ZIGZAG_TRY(read, readHotpot(plan.hotpot));
        data.hotpot = std::move(read);
    }
    return data;
}

Result<Question> questionAt(const RulerSetting &setting, const RulerPlace &place, const Data &data)
{
    if (isNeedleTask(place.task))
        return needleQuestion(setting, place);
    if (place.task == "vt")
        return trackingQuestion(setting, place);
    if (place.task == "cwe")
        return commonWordsQuestion(setting, place);
    if (place.task == "fwe")
        return frequentWordsQuestion(setting, place);
    return documentQuestion(setting, place, place.task == "qa_1" ? data.squad : data.hotpot);
}

} // namespace

std::span<const std::string_view> rulerTasks()
{
    return tasks;
}

Result<std::vector<Question>> rulerQuestions(const Model &model, const RulerPlan &plan, AskAs as)
{
    ZIGZAG_TRY(tokenizer, tokenizerOf(model));
    ZIGZAG_TRY(asked, askedTasks(plan));
    ZIGZAG_CHECK(checkSizes(plan, asked.size()));
    ZIGZAG_TRY(texts, RulerTexts::load());
    ZIGZAG_TRY(data, readData(plan, asked));
    const RulerFit fit(model, *tokenizer, as);
    const RulerSetting setting{fit, texts, data.haystack};
    std::vector<Question> questions;
    for (const std::string_view task : asked)
        for (const std::int64_t context : plan.contexts)
            for (int trial = 0; trial < plan.trials; ++trial) {
                RulerPlace place{task, context, trial, 0, seedOf(plan.seed, task)};
                place.seed = seedOf(seedOf(place.taskSeed, "context", static_cast<std::uint64_t>(context)), "trial",
                                    static_cast<std::uint64_t>(trial));
                ZIGZAG_TRY(question, questionAt(setting, place, data));
                questions.push_back(std::move(question));
            }
    return questions;
}

} // namespace zigzag
