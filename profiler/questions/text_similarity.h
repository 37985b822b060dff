// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

// How alike two texts are, 0 to 1, to the last digit as the programs compute it that published scores come from.
namespace zigzag {

/// SQuAD's F1 (Rajpurkar et al. 2016, section 6.1): of the words that both have, each as often as both have it.
double wordF1(const std::vector<std::u32string> &answer, const std::vector<std::u32string> &reference);

/// F of ROUGE-L (Lin 2004, section 3.2) by the PyPI package rouge 1.0.1: sentences end at points, words count once each, and the
/// union is over all of the reference's sentences. Nothing where either has no sentence, and, as in LongBench, where the package
/// runs out of Python's stack: where a longest common subsequence is followed over about a thousand words.
double rougeL(std::u32string_view answer, std::u32string_view reference);

/// difflib.SequenceMatcher(None, a, b).ratio() of Python's library, after Ratcliff and Obershelp (Dr. Dobb's Journal, July 1988),
/// its leaving out of popular characters from 200 on included. Not symmetric.
double sequenceRatio(std::u32string_view a, std::u32string_view b);

/// fuzz.ratio of the PyPI package fuzzywuzzy 0.18 without python-Levenshtein: the same in whole hundredths; nothing where one
/// is empty and the other is not.
double fuzzyRatio(std::u32string_view a, std::u32string_view b);

} // namespace zigzag
