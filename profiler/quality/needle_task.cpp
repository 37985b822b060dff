// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/quality/needle.h"

#include "engine/base/files.h"
#include "profiler/quality/needle_grammar.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace zigzag {

struct NeedleTask::Grammar : NeedleGrammar { };

Result<NeedleTask> NeedleTask::load(const std::filesystem::path &grammar)
{
    ZIGZAG_TRY(text, readTextFile(grammar, 1u << 20));
    ZIGZAG_TRY(parsed, parseNeedleGrammar(text, grammar.string()));
    NeedleTask task;
    task.m_grammar = std::make_shared<const Grammar>(Grammar{std::move(parsed)});
    return task;
}

// The twin of passkey_prompt in resources/training/passkey_text.py.
Result<NeedlePrompt> NeedleTask::prompt(const Tokenizer &tokenizer, std::int64_t context, double depth,
                                        std::mt19937_64 &random) const
{
    const NeedleGrammar &grammar = *m_grammar;
    const std::string key = grammar.heldOutKey(random);
    const auto fill = [&](std::string_view slot) -> const std::string & { return slot == "key" ? key : grammar.name; };
    const std::string needle = fillSlots(grammar.needle, fill);
    const std::string question = fillSlots(grammar.question, fill);
    const auto tokensOf
        = [&](const std::string &text) { return static_cast<std::int64_t>(tokenizer.encode(text, false).size()); };

    // The room for filler: what the needle, the question, the answer, a beginning-of-text token and one to spare leave.
    const std::int64_t room = context - 2 - tokensOf(needle) - tokensOf(question) - tokensOf(key);
    if (room < 0)
        return badInput(fmt::format("a needle and its question need {} tokens, and the context is {}: choose a longer context",
                                    context - room, context));
    std::vector<std::string> sentences;
    std::size_t bytes = 0;
    std::int64_t used = 0;
    for (;;) {
        std::string next = grammar.sentence(random);
        used += tokensOf(next);
        if (used > room)
            break;
        bytes += next.size();
        sentences.push_back(std::move(next));
    }
    for (;; bytes -= sentences.back().size(), sentences.pop_back()) {
        const auto before = static_cast<std::size_t>(std::lround(static_cast<double>(bytes) * depth));
        std::string text;
        bool placed = false;
        for (const std::string &sentence : sentences) {
            if (!placed && text.size() >= before) {
                text += needle;
                placed = true;
            }
            text += sentence;
        }
        if (!placed)
            text += needle;
        text += question;
        // Where the tokens of question and answer part is the tokenizer's business: what both texts share is the prompt.
        const std::vector<int> asked = tokenizer.encode(text, true);
        const std::vector<int> answered = tokenizer.encode(text + key, true);
        if (static_cast<std::int64_t>(answered.size()) > context && !sentences.empty())
            continue; // sentences may cost a token more together than alone
        const auto parting = std::mismatch(asked.begin(), asked.end(), answered.begin(), answered.end()).second;
        NeedlePrompt prompt;
        prompt.tokens.assign(answered.begin(), parting);
        prompt.answer.assign(parting, answered.end());
        const auto found = std::search(prompt.tokens.begin(), prompt.tokens.end(), prompt.answer.begin(), prompt.answer.end());
        if (prompt.answer.empty() || found == prompt.tokens.end())
            return badInput("the model's tokenizer writes the key in the needle otherwise than in the answer: this task needs "
                            "one that does not");
        prompt.needleBegin = found - prompt.tokens.begin();
        return prompt;
    }
}

} // namespace zigzag
