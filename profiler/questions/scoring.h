// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/questions/question.h"

#include <string_view>

namespace zigzag {

std::string_view nameOf(ScoringRule rule);
Result<ScoringRule> parseScoringRule(std::string_view name);

/// What an answer is worth under the question's rule, 0 to 1. `answer`: what the model said behind `answerBegin`, special tokens
/// left out.
double scoreOf(const Question &question, std::string_view answer);

} // namespace zigzag
