// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"
#include "profiler/questions/question.h"

#include <cstdint>
#include <random>
#include <span>
#include <string_view>
#include <vector>

namespace zigzag {

/// What a prompt asks of long attention.
enum class TaskKind {
    Passkey, ///< one key in filler, asked for at the end
    Passkeys, ///< several keys, all asked for in turn
    Recall, ///< a list of named keys in one place, one of them asked for
    Copy, ///< a text without sense said twice; the end of its second saying is the answer
    Asked, ///< a question that came from outside (question_prompts.h), never made here
};
std::string_view nameOf(TaskKind kind);
/// Of the tasks that are made here.
Result<TaskKind> parseTaskKind(std::string_view name);

/// An answer's tokens, [begin, end) of a prompt; the token at p is predicted at p − 1.
struct AnswerSpan {
    std::int64_t begin = 0, end = 0;
};

/// A prompt with its answers in it, so that one pass tells every token's prediction. Greedy decoding says all of an answer
/// exactly when each of its tokens is the most likely one after the tokens before it.
struct TaskPrompt {
    TaskKind kind = TaskKind::Passkey;
    std::int64_t context = 0;
    double depth = 0; ///< in [0, 1]
    std::vector<int> tokens;
    std::vector<AnswerSpan> answers; ///< in order, at least one
};

struct TaskPlan {
    std::vector<TaskKind> kinds = {TaskKind::Passkey};
    std::vector<std::int64_t> contexts;
    std::vector<double> depths = {0, 0.25, 0.5, 0.75, 1};
    int trials = 1; ///< of each kind, context and depth
    int needles = 4; ///< keys of a Passkeys prompt
    std::uint64_t seed = 1;
    AskAs as = AskAs::Text; ///< copies are a text in any case: there is nothing to ask
};

/// Seeded prompts, no outside data, in the order kind, context, depth, trial; each depends on the seed and its own place
/// alone. A model with a tokenizer gets text in the grammar of resources/tasks/passkey.json (keys are held-out ones), another
/// the same tasks in tokens of its vocabulary. Refuses a plan that the model or the context has no room for.
Result<std::vector<TaskPrompt>> makeTaskPrompts(const Model &model, const TaskPlan &plan);

/// The tasks in tokens of a vocabulary of any size from 16 on. A needle is four tokens of its own and a key of five.
Result<TaskPrompt> tokenPrompt(TaskKind kind, int vocabulary, std::int64_t context, double depth, int needles,
                               std::mt19937_64 &random);

} // namespace zigzag
