// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/tokenizer.h"
#include "profiler/evaluate/needle_grammar.h"

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// The whole text of a prompt, needles, questions and answers included, around these sentences of filler.
using ComposeText = std::function<std::string(const std::vector<std::string> &sentences)>;

/// The filler with which a text has `context` tokens, its beginning-of-text token and its answers included: never more, and
/// fewer by a token for each seam between filler and needles at most, where no cut of a sentence gives the last ones. Parts of a
/// text cost other tokens alone than together (a space that stands at an end, a mark before a first word), so what counts is
/// the text as it is composed. The first sentence is the end of one, as where a longer text was cut. Refuses a context without
/// room for the text alone; `what` names it in the error. `addsSpecial`: the tokenizer puts its own tokens around the text.
Result<std::vector<std::string>> fillerFor(const NeedleGrammar &grammar, const Tokenizer &tokenizer, std::int64_t context,
                                           std::mt19937_64 &random, const ComposeText &compose, std::string_view what,
                                           bool addsSpecial = true);

} // namespace zigzag
