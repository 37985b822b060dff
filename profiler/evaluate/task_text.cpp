// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/task_text.h"

#include "engine/base/files.h"
#include "engine/model/resources.h"
#include "profiler/evaluate/filler.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace zigzag {

/// A stretch of the prompt's end; answers are what the model has to say.
struct TaskText::Piece {
    std::string text;
    bool answer = false;
};

namespace {

constexpr std::size_t recalledKeys = 8;
constexpr std::size_t copiedAnswer = 16; // characters

/// A prompt's text with its needles put in after the given numbers of bytes of filler.
std::string withNeedles(const std::vector<std::string> &sentences, const std::vector<std::string> &needles, double depth)
{
    std::size_t bytes = 0;
    for (const std::string &sentence : sentences)
        bytes += sentence.size();
    std::string text;
    std::size_t filler = 0, next = 0;
    const auto due = [&] { // needles spread from the depth on; a single one stands at it
        const double share = depth + (1.0 - depth) * static_cast<double>(next) / static_cast<double>(needles.size());
        return next < needles.size() && filler >= static_cast<std::size_t>(std::lround(static_cast<double>(bytes) * share));
    };
    for (const std::string &sentence : sentences) {
        while (due())
            text += needles[next++];
        text += sentence;
        filler += sentence.size();
    }
    while (next < needles.size())
        text += needles[next++];
    return text;
}

/// Where the tokens of two texts part is the tokenizer's business: how many they share from the beginning.
std::int64_t sharedTokens(const std::vector<int> &a, const std::vector<int> &b)
{
    return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

} // namespace

Result<TaskText> TaskText::load()
{
    const std::filesystem::path file = resourceFolder() / "tasks" / "passkey.json";
    ZIGZAG_TRY(text, readTextFile(file, 1u << 20));
    ZIGZAG_TRY(grammar, parseNeedleGrammar(text, file.string()));
    TaskText task;
    task.m_grammar = std::move(grammar);
    return task;
}

Result<TaskPrompt> TaskText::prompt(TaskKind kind, const Tokenizer &tokenizer, std::int64_t context, double depth, int needles,
                                    std::mt19937_64 &random, const TaskFrame &frame) const
{
    TaskPrompt prompt{kind, context, depth, {}, {}};
    if (kind == TaskKind::Copy)
        return copy(std::move(prompt), tokenizer, random);
    std::vector<std::string> names = {m_grammar.name};
    if (kind != TaskKind::Passkey) {
        names = m_grammar.names;
        for (std::size_t i = names.size(); i > 1; --i) // std::shuffle's order differs between standard libraries
            std::swap(names[i - 1], names[random() % i]);
        names.resize(std::min(names.size(), kind == TaskKind::Passkeys ? static_cast<std::size_t>(needles) : recalledKeys));
    }
    std::vector<std::string> statements, keys;
    for (const std::string &name : names) {
        keys.push_back(m_grammar.heldOutKey(random));
        statements.push_back(
            fillSlots(m_grammar.needle, [&](std::string_view slot) { return slot == "key" ? keys.back() : name; }));
    }
    std::vector<Piece> ending;
    const std::size_t first = kind == TaskKind::Recall ? random() % names.size() : 0;
    const std::size_t last = kind == TaskKind::Recall ? first + 1 : names.size();
    const auto question
        = [&](std::size_t i) { return fillSlots(m_grammar.question, [&](std::string_view) { return names[i]; }); };
    if (frame.isChat) {
        std::string asked;
        for (std::size_t i = first; i < last; ++i)
            asked += (i > first ? " " : "") + partsOf(question(i)).asked;
        ending.push_back({asked + frame.after});
    }
    for (std::size_t i = first; i < last; ++i) {
        ending.push_back({frame.isChat ? partsOf(question(i)).begun : question(i)});
        ending.push_back({keys[i], true});
        if (i + 1 < last)
            ending.push_back({m_grammar.answerEnd + " "});
    }
    if (kind == TaskKind::Recall) { // the list stands in one place
        std::string list;
        for (const std::string &statement : statements)
            list += statement;
        statements = {std::move(list)};
    }
    return assemble(std::move(prompt), tokenizer, std::move(statements), ending, random, frame);
}

Result<TaskPrompt> TaskText::assemble(TaskPrompt prompt, const Tokenizer &tokenizer, std::vector<std::string> needles,
                                      const std::vector<Piece> &ending, std::mt19937_64 &random, const TaskFrame &frame) const
{
    std::string end;
    for (const Piece &piece : ending)
        end += piece.text;
    const auto compose = [&](const std::vector<std::string> &sentences) {
        return frame.before + withNeedles(sentences, needles, prompt.depth) + end;
    };
    ZIGZAG_TRY(sentences,
               fillerFor(m_grammar, tokenizer, prompt.context, random, compose, nameOf(prompt.kind), frame.addsSpecial()));
    std::string text = frame.before + withNeedles(sentences, needles, prompt.depth);
    prompt.tokens = tokenizer.encode(text + end, frame.addsSpecial());
    for (const Piece &piece : ending) {
        const std::int64_t begin = sharedTokens(tokenizer.encode(text, frame.addsSpecial()), prompt.tokens);
        text += piece.text;
        const std::int64_t after = sharedTokens(tokenizer.encode(text, frame.addsSpecial()), prompt.tokens);
        if (piece.answer && begin > 0 && begin < after)
            prompt.answers.push_back({begin, after});
    }
    if (prompt.answers.empty())
        return badInput("the model's tokenizer leaves no token to the answer alone: this task needs one that does");
    return prompt;
}

Result<TaskPrompt> TaskText::copy(TaskPrompt prompt, const Tokenizer &tokenizer, std::mt19937_64 &random) const
{
    constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz0123456789 ";
    const auto tokensOf = [&](std::string_view text) { return tokenizer.encode(text, true).size(); };
    const auto context = static_cast<std::size_t>(prompt.context), most = context - 1; // a beginning-of-text token
    const auto drawn = [&](std::mt19937_64 from, std::size_t count) { // always the same characters, so many of them
        std::string text;
        while (text.size() < count)
            text += alphabet[from() % alphabet.size()];
        return text;
    };
    // Characters that make about as many tokens; with a token for each character, exactly.
    constexpr std::size_t longestToken = 64;
    const std::size_t sample = tokensOf(drawn(random, most));
    if (sample * longestToken <= most)
        return badInput("the model's tokenizer has no tokens for letters and digits: this task needs one that does");
    const std::size_t characters = std::max(most, context * most / sample), longest = characters / 2;
    if (longest < copiedAnswer)
        return badInput(fmt::format("copying needs {} tokens, and the context is {}: choose a longer context",
                                    2 * copiedAnswer + 1, prompt.context));
    // The deeper, the shorter the way back.
    const auto period = copiedAnswer
        + static_cast<std::size_t>(std::lround(static_cast<double>(longest - copiedAnswer) * (1.0 - prompt.depth)));
    const std::string piece = drawn(random, period);
    const auto repeated = [&](std::size_t count) {
        std::string text;
        while (text.size() < count)
            text += piece[text.size() % period];
        return text;
    };
    std::size_t length = characters;
    for (std::size_t tokens = tokensOf(repeated(length)), steps = 0; tokens != context && steps < 8; ++steps) { // near it
        length = std::min(length * context / tokens, longestToken * context);
        tokens = tokensOf(repeated(length));
    }
    while (tokensOf(repeated(length + 1)) <= context)
        ++length;
    while (length > period + copiedAnswer && tokensOf(repeated(length)) > context)
        --length;
    const std::string text = repeated(length);
    prompt.tokens = tokenizer.encode(text, true);
    const std::int64_t begin = sharedTokens(tokenizer.encode(text.substr(0, length - copiedAnswer), true), prompt.tokens);
    prompt.answers.push_back({std::max<std::int64_t>(1, begin), static_cast<std::int64_t>(prompt.tokens.size())});
    return prompt;
}

} // namespace zigzag
