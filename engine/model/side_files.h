// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model_config.h"
#include "engine/model/tokenizer.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zigzag {

// What stands beside config.json, weights and tokenizer.json in a Hugging Face folder, and says where texts begin and end.
// `where` names the file in errors and notes.

/// End tokens of a generation_config.json, which has its way even where it names none.
Result<std::vector<int>> parseGenerationConfig(std::string_view json, const std::string &where);

struct TokenizerConfig {
    std::string className; ///< "tokenizer_class"; empty where the file has none
    std::optional<bool> addBegin, addEnd; ///< "add_bos_token", "add_eos_token"
    std::string beginToken, endToken; ///< empty where the file has none
    std::string chatTemplate; ///< the one of that name, or the "default" of several; empty where the file has none
    std::vector<std::pair<std::string, std::string>> namedTokens; ///< "bos_token" and its like, and their text
};
Result<TokenizerConfig> parseTokenizerConfig(std::string_view json, const std::string &where);

/// Puts beginning-of-text and end tokens around texts as transformers does. It has done that in two ways. Version 5 goes by
/// the template of tokenizer.json alone; version 4 rewrites it for LlamaTokenizer, the default class of the Llama and Mistral
/// families, from add_bos_token. Both agree where that file repeats the template. Here a template has its way, and add_bos_token
/// where there is none: files that need version 4 to begin as in training are published so. Where the versions differ, a note
/// says which one is followed.
void applyTokenizerConfig(Tokenizer &tokenizer, const TokenizerConfig &config, const Family &family,
                          std::vector<std::string> &notes, const std::string &where);

} // namespace zigzag
