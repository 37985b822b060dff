// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/needle_grammar.h"
#include "profiler/evaluate/task_frame.h"
#include "profiler/evaluate/task_prompts.h"

namespace zigzag {

/// The tasks as text, in the grammar that the bundled model was trained on.
class TaskText
{
public:
    static Result<TaskText> load();
    /// As many tokens as `context` says, answers included (fillerFor: filler.h). In a chat's frame the user asks all questions,
    /// and the answers are begun in turn.
    Result<TaskPrompt> prompt(TaskKind kind, const Tokenizer &tokenizer, std::int64_t context, double depth, int needles,
                              std::mt19937_64 &random, const TaskFrame &frame = {}) const;

private:
    struct Piece;
    Result<TaskPrompt> assemble(TaskPrompt prompt, const Tokenizer &tokenizer, std::vector<std::string> needles,
                                const std::vector<Piece> &ending, std::mt19937_64 &random, const TaskFrame &frame) const;
    Result<TaskPrompt> copy(TaskPrompt prompt, const Tokenizer &tokenizer, std::mt19937_64 &random) const;

    NeedleGrammar m_grammar;
};

} // namespace zigzag
