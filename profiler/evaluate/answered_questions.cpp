// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/answered_questions.h"

#include "engine/base/sha256.h"
#include "engine/run/device_model.h"
#include "profiler/evaluate/ask_questions.h"
#include "profiler/evaluate/question_prompts.h"
#include "profiler/questions/asked_prompt.h"
#include "profiler/questions/question_file.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

namespace zigzag {

Result<std::vector<Question>> readAllQuestions(std::span<const std::filesystem::path> files, std::vector<std::string> &notes)
{
    std::vector<Question> all;
    for (const std::filesystem::path &file : files) {
        ZIGZAG_TRY(read, readQuestions(file));
        for (const std::string &note : read.notes)
            notes.push_back(fmt::format("{}: {}", file.string(), note));
        all.insert(all.end(), std::make_move_iterator(read.questions.begin()), std::make_move_iterator(read.questions.end()));
    }
    return all;
}

Result<AnsweredQuestions> withGivenAnswers(const Model &model, std::span<const Question> questions, AskAs as,
                                           std::int64_t longest)
{
    AnsweredQuestions all;
    for (const Question &question : questions) {
        ZIGZAG_TRY(prompt, answeredPrompt(model, question, as, longest));
        all.prompts.push_back(std::move(prompt));
    }
    return all;
}

Result<AnsweredQuestions> withOwnAnswers(const std::shared_ptr<DeviceModel> &model, const Model &texts,
                                         std::span<const Question> questions, AskAs as, std::int64_t longest,
                                         const std::atomic<bool> *cancel, const PromptProgress &progress)
{
    AnsweredQuestions all;
    const HeadMap full(texts.shape(), HeadKind::Retrieval, defaultSink, defaultRecent);
    ZIGZAG_TRY(answers, askQuestions(model, texts, full, questions, {.as = as, .longest = longest}, cancel, progress));
    if (answers.size() < questions.size())
        return cancelled("stopped before every question was answered under full attention; run it again");
    for (std::size_t i = 0; i < questions.size(); ++i) {
        const QuestionAnswer &answer = answers[i];
        if (answer.score < 0.5 || answer.tokens.empty())
            continue;
        ZIGZAG_TRY(asked, askedPrompt(texts, questions[i], as, longest));
        TaskPrompt prompt;
        prompt.kind = TaskKind::Asked;
        prompt.depth = std::max(0.0, questions[i].depth);
        prompt.tokens = std::move(asked.tokens);
        const auto begin = std::ssize(prompt.tokens);
        prompt.tokens.insert(prompt.tokens.end(), answer.tokens.begin(), answer.tokens.end());
        prompt.answers = {{begin, std::ssize(prompt.tokens)}};
        prompt.context = questions[i].context > 0 ? questions[i].context : std::ssize(prompt.tokens);
        all.prompts.push_back(std::move(prompt));
    }
    if (all.prompts.size() < questions.size())
        all.notes.push_back(
            fmt::format("full attention answers {} of {} questions, and the others are left out: what they were to "
                        "show, no map can lose",
                        all.prompts.size(), questions.size()));
    return all;
}

std::string digestOf(std::span<const TaskPrompt> prompts)
{
    Sha256 digest;
    const auto add = [&](std::int64_t number) { digest.update(fmt::format("{} ", number)); };
    for (const TaskPrompt &prompt : prompts) {
        add(static_cast<std::int64_t>(prompt.tokens.size()));
        for (const int token : prompt.tokens)
            add(token);
        for (const AnswerSpan &answer : prompt.answers) {
            add(answer.begin);
            add(answer.end);
        }
    }
    return digest.hex();
}

} // namespace zigzag
