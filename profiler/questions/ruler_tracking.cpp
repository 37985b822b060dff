// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/ruler_draft.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {
namespace {

constexpr std::size_t hops = 4; // RULER's vt: one chain

/// A value and the variables that get it, each from the one before.
struct Chain {
    std::vector<std::string> variables;
    std::string value;

    std::vector<std::string> lines() const
    {
        std::vector<std::string> lines = {fmt::format("VAR {} = {}", variables.front(), value)};
        for (std::size_t i = 1; i < variables.size(); ++i)
            lines.push_back(fmt::format("VAR {} = VAR {} ", variables[i], variables[i - 1]));
        return lines;
    }
};

/// `letters` of a name: 5, and 3 in the example, which therefore shares none with the question.
Chain drawnChain(int letters, std::string_view otherValue, RulerRandom &random)
{
    Chain chain;
    while (chain.variables.size() < hops + 1) {
        std::string name = random.letters(letters, 'A');
        if (std::find(chain.variables.begin(), chain.variables.end(), name) == chain.variables.end())
            chain.variables.push_back(std::move(name));
    }
    do
        chain.value = fmt::format("{}", 10'000 + random.below(90'000));
    while (chain.value == otherValue);
    return chain;
}

/// The chain's lines in their order, somewhere among lines of noise.
std::string hidden(const Chain &chain, std::size_t noises, std::string_view pad, const std::string &noise, std::uint64_t seed)
{
    const std::vector<std::string> lines = chain.lines();
    const std::vector<std::size_t> places = RulerRandom(seed).places(lines.size(), noises);
    std::string text;
    const auto add = [&](std::string_view line) { text.append(text.empty() ? "" : "\n").append(line); };
    if (!pad.empty())
        add(pad);
    std::size_t next = 0;
    for (std::size_t i = 0; i < noises; ++i) {
        if (next < places.size() && places[next] == i)
            add(lines[next++]);
        add(noise);
    }
    return text;
}

std::string promptOf(const RulerInstruction &instruction, const Chain &chain, std::string_view context)
{
    return filled(instruction.prompt, {{"context", context}, {"query", chain.value}});
}

std::string answerOf(const RulerInstruction &instruction, const Chain &chain)
{
    return filled(instruction.answer, {{"count", fmt::format("{}", chain.variables.size())}, {"query", chain.value}});
}

/// A question with its answer, as long as RULER's: of at most 500 tokens.
std::string exampleOf(const RulerSetting &setting, const Chain &chain, std::uint64_t seed)
{
    constexpr std::int64_t longest = 500;
    constexpr std::size_t mostNoises = 64;
    const RulerInstruction &instruction = setting.texts.tracking;
    std::string example;
    for (std::size_t noises = hops + 1; noises <= mostNoises; ++noises) {
        const std::string asked
            = promptOf(instruction, chain, hidden(chain, noises, {}, setting.texts.noise, seed)) + answerOf(instruction, chain);
        if (!example.empty() && setting.fit.tokensWithin(asked) > longest)
            break;
        example = asked;
    }
    for (const std::string &variable : chain.variables)
        example += " " + variable;
    return example + "\n\n";
}

} // namespace

Result<Question> trackingQuestion(const RulerSetting &setting, const RulerPlace &place)
{
    const RulerInstruction &instruction = setting.texts.tracking;
    RulerRandom random(seedOf(place.seed, "chain"));
    const Chain chain = drawnChain(5, {}, random);
    const std::string example = exampleOf(setting, drawnChain(3, chain.value, random), seedOf(place.seed, "example"));
    RulerDraft draft;
    draft.what = place.task;
    draft.least = hops + 1;
    draft.compose = [&](std::int64_t units, std::string_view pad) {
        Question question = rulerQuestion(place, instruction);
        question.prompt = example
            + promptOf(instruction, chain,
                       hidden(chain, static_cast<std::size_t>(units), pad, setting.texts.noise, seedOf(place.seed, "places")));
        question.answerBegin = answerOf(instruction, chain);
        question.references = chain.variables;
        return question;
    };
    draft.pads = [&](std::int64_t) {
        const std::string &noise = setting.texts.noise;
        return endsOf(noise + " " + noise + " " + noise);
    };
    return setting.fit.fitted(draft, place.context);
}

} // namespace zigzag
