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
/// niah_multiquery, vt, cwe, fwe; qa_1 and qa_2 where their data are given. Instructions, counts, kinds of keys and values,
/// examples (vt, cwe), room for answers and rules are those of its repository (scripts/synthetic.yaml and
/// scripts/data/synthetic); essays and words are the project's own (resources/tasks), numbers are drawn by another generator. An
/// example stands in the user's message, before the question, also of a chat model.
std::span<const std::string_view> rulerTasks();

struct RulerPlan {
    std::vector<std::string> tasks; ///< empty: all that need no data, or have it
    std::vector<std::int64_t> contexts; ///< tokens of the model, template and the answer's room included; at most 4 Mi
    int trials = 10; ///< of each task and context
    std::uint64_t seed = 1;
    std::string haystack; ///< a text file for the tasks that hide needles in essays; empty: the project's own text
    std::string squad, hotpot; ///< files of qa_1 and qa_2 (SQuAD's and HotpotQA's JSON); empty: not asked
};

/// Seeded; each question depends on the seed and its own place alone. Where RULER adds whole lines while they fit, these have
/// exactly the context's tokens, as askedPrompt counts them, with `answerTokens`: the last ones are the end of one more sentence
/// or line (niah, vt), words that stand once (cwe), dots (fwe), or the beginning of one more document (qa). One token fewer only
/// where none of these, at any of several sizes, makes up the rest; a context that is reached by neither is refused, as is one
/// without room. Questions of a task are one after another, by contexts in the plan's order.
Result<std::vector<Question>> rulerQuestions(const Model &model, const RulerPlan &plan, AskAs as);

} // namespace zigzag
