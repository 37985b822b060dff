// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/questions/question.h"

#include <string_view>

// The rules are those of the publishers' own programs, bugs that scores depend on included:
//   LongBench         THUDM/LongBench, LongBench/metrics.py and eval.py (arXiv 2308.14508, table 1)
//   LongBench v2      THUDM/LongBench, extract_answer of pred.py (arXiv 2412.15204)
//   RULER             NVIDIA/RULER, scripts/eval/evaluate.py and synthetic/constants.py (arXiv 2404.06654)
//   MRCR              grade of openai/mrcr's dataset card (after arXiv 2409.12640)
//   InfiniteBench     OpenBMB/InfiniteBench, src/compute_scores.py (arXiv 2402.13718)
// Where those stop with an error (a reference without the number that is compared), the answer is worth nothing.
namespace zigzag {

std::string_view nameOf(ScoringRule rule);
Result<ScoringRule> parseScoringRule(std::string_view name);

/// What an answer is worth under the question's rule, 0 to 1. `answer`: what the model said behind `answerBegin`, special tokens
/// left out. Of an answer that ends with its line (Question::endsAtLine) the first line that says something counts.
double scoreOf(const Question &question, std::string_view answer);

} // namespace zigzag
