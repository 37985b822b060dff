// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/check/server_check.h"

#include "engine/run/log_sum_exp.h"
#include "engine/run/session.h"
#include "profiler/evaluate/task_prompts.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <span>

namespace zigzag::check {

namespace {

// The nearest way has to be this much nearer to the server than to the next way.
constexpr double clearly = 1.0 / 3;
constexpr double sameLogprobs = 1e-9; ///< nats, mean: two ways that compute the same

double meanBetween(std::span<const double> a, std::span<const double> b)
{
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        sum += std::abs(a[i] - b[i]);
    return a.empty() ? 0 : sum / static_cast<double>(a.size());
}

/// A prompt of so many tokens with its answer, which is left out: it asks for what stands far before the window.
Result<Prompt> longPrompt(const Model &texts, std::int64_t context, std::uint64_t seed)
{
    TaskPlan plan;
    plan.contexts = {context};
    plan.depths = {0.25};
    plan.seed = seed;
    ZIGZAG_TRY(made, makeTaskPrompts(texts, plan));
    TaskPrompt &prompt = made.front();
    prompt.tokens.resize(static_cast<std::size_t>(prompt.answers.front().begin));
    return promptOf(std::move(prompt.tokens), texts.tokenizer ? &*texts.tokenizer : nullptr);
}

struct Row {
    double logprob = 0; ///< of the server's token
    bool isChosen = false; ///< it is the likeliest here, too
};

Row rowOf(std::span<const float> logits, int token)
{
    const float given = logits[static_cast<std::size_t>(token)];
    return {static_cast<double>(given) - logSumExp(logits), given == *std::max_element(logits.begin(), logits.end())};
}

/// Our engine under one way, given the prompt and the server's own tokens.
Result<void> follow(const Hypothesis &way, std::span<const int> prompt, const ServedTokens &served, Likeness &likeness,
                    const std::atomic<bool> *cancel)
{
    SessionOptions options;
    options.maxContext = std::ssize(prompt) + std::ssize(served.tokens);
    ZIGZAG_TRY(session, Session::create(way.device, way.map, options));
    session->setCancelFlag(cancel);
    ZIGZAG_TRY(logits, session->run(prompt));
    for (std::size_t i = 0; i < served.tokens.size(); ++i) {
        if (i > 0) {
            ZIGZAG_TRY(next, session->run(std::span(served.tokens).subspan(i - 1, 1)));
            logits = std::move(next);
        }
        const Row row = rowOf(logits, served.tokens[i]);
        likeness.logprobs.push_back(row.logprob);
        likeness.equal += row.isChosen ? 1 : 0;
        likeness.largestDifference = std::max(likeness.largestDifference, std::abs(row.logprob - served.logprobs[i]));
    }
    return {};
}

} // namespace

void judge(Answers &answers)
{
    const std::vector<Likeness> &all = answers.likenesses;
    const auto nearest = std::min_element(
        all.begin(), all.end(), [](const Likeness &a, const Likeness &b) { return a.meanDifference < b.meanDifference; });
    answers.nearest = static_cast<std::size_t>(nearest - all.begin());
    answers.toNext = std::numeric_limits<double>::infinity();
    for (const Likeness &other : all)
        if (const double between = meanBetween(nearest->logprobs, other.logprobs); between > sameLogprobs)
            answers.toNext = std::min(answers.toNext, between);
    if (std::isinf(answers.toNext)) // nothing to tell apart
        answers.finding = Finding::Undecided;
    else if (nearest->meanDifference <= clearly * answers.toNext)
        answers.finding = Finding::Found;
    else
        answers.finding = nearest->meanDifference < answers.toNext ? Finding::Undecided : Finding::None;
}

Result<Answers> compareAnswers(CompletionClient &client, const std::string &served, const Model &texts,
                               const std::vector<Hypothesis> &hypotheses, const AnswerPlan &plan, const std::atomic<bool> *cancel,
                               const std::function<void(double)> &progress)
{
    const TokenNames names(texts.tokenizer ? &*texts.tokenizer : nullptr, texts.config.vocabulary);
    Answers answers;
    answers.likenesses.resize(hypotheses.size());
    std::vector<double> theirs;
    const double all = plan.prompts * static_cast<double>(1 + hypotheses.size());
    double done = 0;
    const auto tell = [&] {
        if (progress)
            progress(++done / all);
    };
    for (int i = 0; i < plan.prompts; ++i) {
        ZIGZAG_TRY(prompt, longPrompt(texts, plan.context, plan.seed + static_cast<std::uint64_t>(i)));
        const auto length = std::ssize(prompt.tokens);
        if (length <= plan.window)
            return badInput(
                fmt::format("prompts of {} tokens are not longer than the map's window of {}, within which every way is "
                            "the same; give a larger --context, or a map with a smaller window",
                            length, plan.window));
        ZIGZAG_TRY(given, client.complete(served, prompt, plan.tokens, names));
        tell();
        for (std::size_t way = 0; way < hypotheses.size(); ++way) {
            ZIGZAG_CHECK(follow(hypotheses[way], prompt.tokens, given, answers.likenesses[way], cancel));
            tell();
        }
        theirs.insert(theirs.end(), given.logprobs.begin(), given.logprobs.end());
        answers.context = length;
    }
    answers.prompts = plan.prompts;
    answers.inText = client.asksInText();
    answers.tokens = static_cast<int>(theirs.size());
    for (Likeness &likeness : answers.likenesses)
        likeness.meanDifference = meanBetween(likeness.logprobs, theirs);
    judge(answers);
    return answers;
}

Result<std::vector<ServedTimes>> measureTimes(const CompletionClient &client, const std::string &served, const Model &texts,
                                              const TimesPlan &plan, const std::function<void(double)> &progress)
{
    std::vector<ServedTimes> all;
    std::uint64_t seed = plan.seed;
    double done = 0;
    for (const std::int64_t context : plan.contexts) {
        ServedTimes times;
        for (int i = 0; i < plan.repeats; ++i) {
            ZIGZAG_TRY(prompt, longPrompt(texts, context, seed++));
            ZIGZAG_TRY(stream, client.stream(served, prompt, plan.tokens));
            times.context = std::ssize(prompt.tokens);
            times.firstMs.push_back(stream.firstMs);
            times.stepMs.push_back(stream.laterMs / (stream.tokens - 1));
            if (progress)
                progress(++done / (static_cast<double>(plan.contexts.size()) * plan.repeats));
        }
        all.push_back(std::move(times));
    }
    return all;
}

} // namespace zigzag::check
