// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

// InfiniteBench's rules (OpenBMB/InfiniteBench, src/compute_scores.py), each by the name of its tasks there. References are the
// answers of its files, numbers as JSON writes them.
namespace zigzag::infinite_bench {

using References = std::vector<std::u32string>;

bool passkey(std::u32string_view answer, const References &references); ///< and number_string
bool kvRetrieval(std::u32string_view answer, const References &references);
bool choice(std::u32string_view answer, const References &references); ///< longbook_choice_eng
bool debug(std::u32string_view answer, const References &references); ///< code_debug
bool mathFind(std::u32string_view answer, const References &references);
bool run(std::u32string_view answer, const References &references); ///< code_run
bool dialogue(std::u32string_view answer, const References &references); ///< longdialogue_qa_eng
double calculation(std::u32string_view answer, const References &references); ///< math_calc
double chineseF1(std::u32string_view answer, std::u32string_view reference); ///< longbook_qa_chn

} // namespace zigzag::infinite_bench
