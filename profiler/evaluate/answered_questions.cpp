// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/answered_questions.h"

#include "engine/base/sha256.h"
#include "profiler/evaluate/question_prompts.h"
#include "profiler/questions/question_file.h"

#include <fmt/format.h>

namespace zigzag {

Result<AnsweredQuestions> readAnsweredQuestions(const Model &model, std::span<const std::filesystem::path> files, AskAs as,
                                                std::int64_t longest)
{
    AnsweredQuestions all;
    for (const std::filesystem::path &file : files) {
        ZIGZAG_TRY(read, readQuestions(file));
        for (const std::string &note : read.notes)
            all.notes.push_back(fmt::format("{}: {}", file.string(), note));
        for (const Question &question : read.questions) {
            ZIGZAG_TRY(prompt, answeredPrompt(model, question, as, longest));
            all.prompts.push_back(std::move(prompt));
        }
    }
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
