// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/task_prompts.h"

#include "engine/model/context_limit.h"
#include "profiler/evaluate/task_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <fmt/format.h>

namespace zigzag {
namespace {

constexpr std::array<std::pair<TaskKind, std::string_view>, 5> kinds = {{{TaskKind::Passkey, "passkey"},
                                                                         {TaskKind::Passkeys, "passkeys"},
                                                                         {TaskKind::Recall, "recall"},
                                                                         {TaskKind::Copy, "copy"},
                                                                         {TaskKind::Asked, "asked"}}};
constexpr auto madeElsewhere = "questions from outside are no task that is made here: choose passkey, passkeys, recall or copy";
constexpr int markerTokens = 4, keyTokens = 5, recalledKeys = 8, copiedAnswer = 16;

std::mt19937_64 randomOf(std::uint64_t seed, TaskKind kind, std::int64_t context, double depth, int trial)
{
    const auto bits = std::bit_cast<std::uint64_t>(depth);
    const auto low = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
    std::seed_seq sequence{low(seed), low(seed >> 32), static_cast<std::uint32_t>(kind), low(static_cast<std::uint64_t>(context)),
                           low(bits), low(bits >> 32), static_cast<std::uint32_t>(trial)};
    return std::mt19937_64(sequence);
}

/// Builds a prompt of exactly `context` tokens from filler and needles.
class TokenBuilder
{
public:
    TokenBuilder(int vocabulary, std::mt19937_64 &random)
        : m_vocabulary(static_cast<std::uint64_t>(vocabulary))
        , m_random(random)
    { }
    std::vector<int> some(std::int64_t count)
    {
        std::vector<int> tokens(static_cast<std::size_t>(count));
        for (int &token : tokens)
            token = static_cast<int>(m_random() % m_vocabulary);
        return tokens;
    }

private:
    std::uint64_t m_vocabulary;
    std::mt19937_64 &m_random;
};

void append(std::vector<int> &to, const std::vector<int> &what)
{
    to.insert(to.end(), what.begin(), what.end());
}

} // namespace

std::string_view nameOf(TaskKind kind)
{
    return kinds[static_cast<std::size_t>(kind)].second;
}

Result<TaskKind> parseTaskKind(std::string_view name)
{
    for (const auto &[kind, known] : kinds)
        if (known == name && kind != TaskKind::Asked)
            return kind;
    return badInput(fmt::format("'{}' is no task: choose passkey, passkeys, recall or copy", name));
}

Result<TaskPrompt> tokenPrompt(TaskKind kind, int vocabulary, std::int64_t context, double depth, int needles,
                               std::mt19937_64 &random)
{
    if (kind == TaskKind::Asked)
        return badInput(madeElsewhere);
    TaskPrompt prompt{kind, context, depth, {}, {}};
    TokenBuilder builder(vocabulary, random);
    if (kind == TaskKind::Copy) {
        const std::int64_t answer = std::min<std::int64_t>(copiedAnswer, context / 4);
        // The deeper, the shorter the way back: from half the context to little more than the answer.
        const std::int64_t half = context / 2;
        const auto period = answer + std::lround(static_cast<double>(half - answer) * (1.0 - depth));
        if (answer < 1 || period < 2)
            return badInput(fmt::format("copying needs at least 8 tokens, and the context is {}: choose a longer one", context));
        const std::vector<int> piece = builder.some(period);
        while (static_cast<std::int64_t>(prompt.tokens.size()) < context)
            prompt.tokens.push_back(piece[prompt.tokens.size() % piece.size()]);
        prompt.answers.push_back({context - answer, context});
        return prompt;
    }
    const int keys = kind == TaskKind::Passkey ? 1 : kind == TaskKind::Passkeys ? needles : recalledKeys;
    const int asked = kind == TaskKind::Passkeys ? keys : 1;
    const std::int64_t needle = markerTokens + keyTokens, filler = context - needle * (keys + asked);
    if (filler < 0)
        return badInput(fmt::format("{} with {} keys needs {} tokens, and the context is {}: choose a longer one", nameOf(kind),
                                    keys, context - filler, context));
    std::vector<std::vector<int>> markers, values;
    for (int i = 0; i < keys; ++i) {
        markers.push_back(builder.some(markerTokens));
        values.push_back(builder.some(keyTokens));
    }
    for (int i = 0, placed = 0; i < keys; ++i) { // several needles spread from the depth on; a list stands in one place
        const double share = kind == TaskKind::Passkeys ? depth + (1.0 - depth) * i / keys : depth;
        const auto before = static_cast<int>(std::lround(static_cast<double>(filler) * share));
        append(prompt.tokens, builder.some(std::max(0, before - placed)));
        placed = std::max(placed, before);
        append(prompt.tokens, markers[static_cast<std::size_t>(i)]);
        append(prompt.tokens, values[static_cast<std::size_t>(i)]);
    }
    append(prompt.tokens, builder.some(context - needle * asked - static_cast<std::int64_t>(prompt.tokens.size())));
    const auto first = kind == TaskKind::Recall ? static_cast<std::size_t>(random() % static_cast<std::uint64_t>(keys)) : 0;
    for (std::size_t i = first; i < first + static_cast<std::size_t>(asked); ++i) {
        append(prompt.tokens, markers[i]);
        const auto begin = static_cast<std::int64_t>(prompt.tokens.size());
        append(prompt.tokens, values[i]);
        prompt.answers.push_back({begin, begin + keyTokens});
    }
    return prompt;
}

Result<std::vector<TaskPrompt>> makeTaskPrompts(const Model &model, const TaskPlan &plan)
{
    if (plan.kinds.empty() || plan.contexts.empty() || plan.depths.empty() || plan.trials < 1)
        return badInput("nothing to ask: give at least one task, one context, one depth and one trial");
    if (plan.kinds.size() * plan.contexts.size() * plan.depths.size() * static_cast<std::size_t>(plan.trials) > 100'000)
        return badInput("more than 100,000 prompts: choose fewer trials");
    if (plan.needles < 1 || plan.needles > 16)
        return badInput(fmt::format("{} keys in a prompt are outside 1 to 16: choose fewer", plan.needles));
    if (std::find(plan.kinds.begin(), plan.kinds.end(), TaskKind::Asked) != plan.kinds.end())
        return badInput(madeElsewhere);
    for (const std::int64_t context : plan.contexts)
        ZIGZAG_CHECK(checkWithinMaximum(model.config, context, 16));
    for (const double depth : plan.depths)
        if (!(depth >= 0 && depth <= 1))
            return badInput(fmt::format("a depth of {} is outside 0 to 1: 0 is the beginning of the text, 1 its end", depth));
    if (!model.tokenizerRefusal.empty()) // it was trained on text: chance tokens would judge it by nonsense
        return badInput(model.tokenizerRefusal);
    if (!model.tokenizer && model.config.vocabulary < 16)
        return badInput(fmt::format("a vocabulary of {} tokens is too small for these tasks", model.config.vocabulary));
    std::vector<TaskPrompt> prompts;
    ZIGZAG_TRY(frame, taskFrame(model, plan.as));
    TaskText text;
    if (model.tokenizer) {
        ZIGZAG_TRY(loaded, TaskText::load());
        text = std::move(loaded);
    }
    for (const TaskKind kind : plan.kinds)
        for (const std::int64_t context : plan.contexts)
            for (const double depth : plan.depths)
                for (int trial = 0; trial < plan.trials; ++trial) {
                    std::mt19937_64 random = randomOf(plan.seed, kind, context, depth, trial);
                    ZIGZAG_TRY(prompt,
                               model.tokenizer
                                   ? text.prompt(kind, *model.tokenizer, context, depth, plan.needles, random, frame)
                                   : tokenPrompt(kind, model.config.vocabulary, context, depth, plan.needles, random));
                    prompts.push_back(std::move(prompt));
                }
    return prompts;
}

} // namespace zigzag
