// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/question_prompts.h"

#include "profiler/questions/asked_prompt.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <string>
#include <string_view>

namespace zigzag {
namespace {

/// What the model should say.
std::string wantedAnswer(const Question &question)
{
    std::string wanted;
    switch (question.rule) {
    case ScoringRule::RulerAll:
    case ScoringRule::InfiniteCalc:
        for (const std::string &reference : question.references)
            wanted += (wanted.empty() ? "" : ", ") + reference;
        return wanted;
    case ScoringRule::InfiniteChoice:
    case ScoringRule::InfiniteDebug:
        for (const std::string &reference : question.references)
            if (reference.size() == 1)
                return reference;
        break;
    default:
        break;
    }
    return question.references.empty() ? wanted : question.references.front();
}

/// Whether a word behind this text needs a space before it. None behind scripts that are written without.
bool wantsSpace(std::string_view text)
{
    constexpr std::string_view without = " \t\n\r\f\v([{<\"'`";
    return !text.empty() && static_cast<unsigned char>(text.back()) < 0x80 && without.find(text.back()) == without.npos;
}

} // namespace

Result<TaskPrompt> answeredPrompt(const Model &model, const Question &question, AskAs as, std::int64_t longest)
{
    constexpr std::int64_t uncut = std::numeric_limits<std::int64_t>::max();
    std::string wanted = wantedAnswer(question);
    if (wanted.empty())
        return badInput(fmt::format("{} {} {}: there is no answer that its loss could be measured on; give one", question.source,
                                    question.task, question.id));
    const std::int64_t room = std::max(1, question.answerTokens);
    Question asked = question;
    asked.answerTokens = 0;
    if (question.rule == ScoringRule::Letter && asked.answerBegin.empty()) // as LongBench v2 wants it said
        asked.answerBegin = "The correct answer is (";
    ZIGZAG_TRY(open, askedPrompt(model, asked, as, uncut));
    if (!asked.answerBegin.empty() ? wantsSpace(asked.answerBegin)
                                   : !open.isChat && (!asked.messages.empty() || wantsSpace(asked.prompt)))
        asked.answerBegin += ' ';
    asked.answerBegin += wanted;
    ZIGZAG_TRY(answered, askedPrompt(model, asked, as, uncut));
    // The answer's first token may hold the prompt's last space.
    const auto shared = std::mismatch(open.tokens.begin(), open.tokens.end(), answered.tokens.begin(), answered.tokens.end());
    const auto answer = answered.tokens.end() - shared.second;
    if (answer == 0 || shared.second == answered.tokens.begin())
        return badInput(fmt::format("{} {} {}: the model's tokenizer leaves no token to the answer alone", question.source,
                                    question.task, question.id));
    // The prompt is cut as it is without an answer, whatever length that has.
    ZIGZAG_TRY(fitting, askedPrompt(model, asked, as, longest - room + answer));
    TaskPrompt prompt{.kind = TaskKind::Asked, .context = 0, .depth = std::max(0.0, question.depth), .tokens = {}, .answers = {}};
    prompt.tokens = std::move(fitting.tokens);
    const auto begin = static_cast<std::int64_t>(prompt.tokens.size()) - answer,
               end = begin + std::min<std::int64_t>(answer, room);
    prompt.tokens.resize(static_cast<std::size_t>(end));
    prompt.answers.push_back({begin, end});
    prompt.context = question.context > 0 ? question.context : end;
    return prompt;
}

} // namespace zigzag
