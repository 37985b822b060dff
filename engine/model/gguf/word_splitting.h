// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace zigzag {

/// How a byte-level tokenizer cuts text into words, under the names that tokenizer.ggml.pre has for it.
struct WordSplitting {
    std::span<const std::string_view> names;
    std::span<const std::string_view> patterns; ///< one after another, each within the parts that those before it left
    bool gpt2Words = false; ///< then GPT-2's own
    bool composes = false; ///< Unicode's NFC first
    bool ignoresMerges = false; ///< a word that is a token is taken whole
    bool addsBegin = false; ///< where the file does not say
};

/// Null for a name that stands for none known here.
const WordSplitting *findWordSplitting(std::string_view name);
/// All names, for errors.
std::string wordSplittingNames();

} // namespace zigzag
