// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"
#include "profiler/evaluate/task_prompts.h"
#include "profiler/questions/question.h"

#include <cstdint>

namespace zigzag {

/// A question with its right answer behind it, for what measures the prediction of an answer's tokens: the prompt that
/// askedPrompt gives, and then the reference's tokens, at most as many as the model may say. The reference is the first one;
/// all of them with ", " between where the rule wants all; the letter where a letter is asked for. `context` is the question's,
/// or the tokens that there are. At most `longest` tokens in all.
Result<TaskPrompt> answeredPrompt(const Model &model, const Question &question, AskAs as, std::int64_t longest);

} // namespace zigzag
