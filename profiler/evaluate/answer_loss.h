// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/task_prompts.h"

#include <cstdint>
#include <span>

namespace zigzag {

/// Of the answers' tokens, each after the right ones before it: mean negative log-likelihood, nats. `logits`: of the positions
/// before them, in order, [tokens of all answers, vocabulary]. At least 0.
double answerLoss(const TaskPrompt &prompt, std::span<const float> logits, std::int64_t vocabulary);

/// The mean loss up to which an answer from outside counts as known: ln 10, one in ten for each of its tokens.
inline constexpr double knownAnswerLoss = 2.302585092994046;

/// Whether a model knows an answer of a prompt, by the share that greedy decoding says (`right`) and the loss of their tokens.
/// Answers of tasks that are made here must be said; one that a person wrote is seldom worded as the model would, and must be
/// likely.
bool isAnswered(const TaskPrompt &prompt, double right, double loss);

} // namespace zigzag
