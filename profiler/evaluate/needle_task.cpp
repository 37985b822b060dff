// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/needle.h"

#include "engine/base/files.h"
#include "profiler/evaluate/filler.h"
#include "profiler/evaluate/needle_grammar.h"

#include <algorithm>
#include <cmath>

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
Result<NeedlePrompt> NeedleTask::prompt(const Tokenizer &tokenizer, std::int64_t context, double depth, std::mt19937_64 &random,
                                        const TaskFrame &frame) const
{
    const NeedleGrammar &grammar = *m_grammar;
    const std::string key = grammar.heldOutKey(random);
    const auto fill = [&](std::string_view slot) -> const std::string & { return slot == "key" ? key : grammar.name; };
    const std::string needle = fillSlots(grammar.needle, fill);
    std::string question = fillSlots(grammar.question, fill);
    if (frame.isChat) {
        const QuestionParts parts = partsOf(question);
        question = parts.asked + frame.after + parts.begun;
    }
    const auto compose = [&](const std::vector<std::string> &sentences) {
        std::size_t bytes = 0;
        for (const std::string &sentence : sentences)
            bytes += sentence.size();
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
        return frame.before + text + question + key;
    };
    ZIGZAG_TRY(sentences,
               fillerFor(grammar, tokenizer, context, random, compose, "a needle with its question", frame.addsSpecial()));
    std::string text = compose(sentences);
    // Where the tokens of question and answer part is the tokenizer's business: what both texts share is the prompt.
    const std::vector<int> answered = tokenizer.encode(text, frame.addsSpecial());
    text.resize(text.size() - key.size());
    const std::vector<int> asked = tokenizer.encode(text, frame.addsSpecial());
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

} // namespace zigzag
