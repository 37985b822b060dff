// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/task_prompts.h"

#include <cstdint>
#include <span>

namespace zigzag {

/// Of the answers' tokens, each after the right ones before it: mean negative log-likelihood, nats. `logits`: of the positions
/// before them, in order, [tokens of all answers, vocabulary]. At least 0.
double answerLoss(const TaskPrompt &prompt, std::span<const float> logits, std::int64_t vocabulary);

} // namespace zigzag
