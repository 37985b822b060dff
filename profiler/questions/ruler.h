// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"
#include "profiler/questions/question.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// RULER's tasks (arXiv 2404.06654), by their published names: niah_single_1 to 3, niah_multikey_1 to 3, niah_multivalue,
/// niah_multiquery, vt, cwe, fwe; qa_1 and qa_2 where their data are given.
std::span<const std::string_view> rulerTasks();

struct RulerPlan {
    std::vector<std::string> tasks; ///< empty: all that need no data
    std::vector<std::int64_t> contexts; ///< tokens of the model, template and the answer's room included: exactly so many
    int trials = 10; ///< of each task and context
    std::uint64_t seed = 1;
    std::string haystack; ///< text for the tasks that hide needles in essays; empty: the project's own
    std::string squad, hotpot; ///< files of qa_1 and qa_2 (SQuAD's and HotpotQA's JSON); empty: not asked
};

/// Seeded; each question depends on the seed and its own place alone.
Result<std::vector<Question>> rulerQuestions(const Model &model, const RulerPlan &plan, AskAs as);

} // namespace zigzag
