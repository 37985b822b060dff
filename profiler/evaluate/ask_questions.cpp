// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/ask_questions.h"

#include "engine/run/device_model.h"
#include "profiler/questions/asked_prompt.h"
#include "profiler/questions/scoring.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

namespace {

/// Whether the first line of what was said is over: a line break behind something.
bool hasLine(std::string_view said)
{
    const std::size_t begin = said.find_first_not_of('\n');
    return begin != std::string_view::npos && said.find('\n', begin) != std::string_view::npos;
}

/// Says the answer token by token, behind a prompt that was run and gave `logits`.
Result<void> say(Session &session, const Tokenizer &tokenizer, const std::vector<int> &ends, const Question &question,
                 std::vector<int> tokens, std::vector<float> logits, QuestionAnswer &answer)
{
    // Text is decoded from the prompt on: a tokenizer may treat the first word of a text differently. Its end is enough for that.
    constexpr std::size_t before = 16;
    if (tokens.size() > before)
        tokens.erase(tokens.begin(), tokens.end() - before);
    const std::size_t promptText = tokenizer.decode(tokens).size();
    for (int i = 0; i < question.answerTokens; ++i) {
        const int token = strongest(logits);
        if (std::find(ends.begin(), ends.end(), token) != ends.end()) {
            answer.isEnded = true;
            return {};
        }
        tokens.push_back(token);
        answer.tokens.push_back(token);
        answer.text = tokenizer.decode(tokens).substr(promptText);
        if (question.endsAtLine && hasLine(answer.text)) {
            answer.isEnded = true;
            return {};
        }
        if (i + 1 == question.answerTokens)
            return {};
        ZIGZAG_TRY(next, session.run(std::span<const int>(&token, 1)));
        logits = std::move(next);
    }
    return {};
}

std::string nameOf(const Question &question)
{
    return fmt::format("{} {} {}", question.source, question.task, question.id);
}

} // namespace

Result<std::vector<QuestionAnswer>> askQuestions(const std::shared_ptr<DeviceModel> &model, const Model &texts,
                                                 const HeadMap &map, std::span<const Question> questions, AskAs as,
                                                 const std::atomic<bool> *cancel, const PromptProgress &progress,
                                                 const AnswerTold &told, std::int64_t longest)
{
    ZIGZAG_TRY(tokenizer, tokenizerOf(texts));
    longest = longest > 0 ? std::min(longest, model->config().maxContext) : model->config().maxContext;
    SessionOptions options;
    for (const Question &question : questions) { // what cannot be asked is said before hours of work
        const auto prompt = askedPrompt(texts, question, as, longest);
        if (!prompt)
            return badInput(fmt::format("{}: {}", nameOf(question), prompt.error().message));
        options.maxContext
            = std::max(options.maxContext, static_cast<std::int64_t>(prompt->tokens.size()) + question.answerTokens);
    }
    ZIGZAG_TRY(session, Session::create(model, map, options));
    session->setCancelFlag(cancel);
    const std::int64_t chunk = model->backend->device().prefillChunk;
    const int all = static_cast<int>(questions.size());
    std::vector<QuestionAnswer> answers;
    const auto tell = [&](double share) {
        if (progress)
            progress(static_cast<double>(answers.size()) + share, all);
    };
    for (std::size_t i = 0; i < questions.size(); ++i) {
        ZIGZAG_TRY(prompt, askedPrompt(texts, questions[i], as, longest)); // again: many long ones would fill the memory
        QuestionAnswer answer;
        answer.promptTokens = std::ssize(prompt.tokens);
        answer.cut = prompt.cut;
        answer.isChat = prompt.isChat;
        session->reset();
        auto said
            = runInParts(*session, prompt.tokens, Session::Logits::Last, chunk, tell).and_then([&](std::vector<float> logits) {
                  return say(*session, *tokenizer, texts.config.endTokens, questions[i], prompt.tokens, std::move(logits),
                             answer);
              });
        if (!said && said.error().kind == ErrorKind::Cancelled && !answers.empty())
            return answers;
        if (!said)
            return tl::unexpected(said.error());
        answer.score = scoreOf(questions[i], answer.text);
        if (told)
            told(i, answer);
        answers.push_back(std::move(answer));
        tell(0.0);
    }
    return answers;
}

} // namespace zigzag
