// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/tokenizer.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag::check {

/// Which token a text is, where one token alone has it.
class TokenNames
{
public:
    /// Without a tokenizer no text is found. `vocabulary`: the model's.
    TokenNames(const Tokenizer *tokenizer, int vocabulary);
    int vocabulary() const { return m_vocabulary; }
    std::optional<int> idOf(const std::string &text) const;

private:
    int m_vocabulary;
    std::map<std::string, int, std::less<>> m_ids; ///< −1: several tokens have it
};

/// What a server put behind a prompt, and what it gave each token (natural logarithms).
struct ServedTokens {
    std::vector<int> tokens;
    std::vector<double> logprobs;
    std::optional<std::int64_t> promptTokens; ///< as the server counted them, where it says
};

/// The reply of /v1/completions. Ids are taken from `token_ids` or from names such as `token_id:5` (vLLM, SGLang), from
/// `logprobs.content[].id` (llama.cpp), or found by their texts in `logprobs.tokens` (or by their
/// bytes, where those are no UTF-8). `where` names the server in errors.
Result<ServedTokens> parseServedTokens(std::string_view body, const TokenNames &names, const std::string &where);

/// The ids of GET /v1/models.
Result<std::vector<std::string>> parseModels(std::string_view body, const std::string &where);

/// What an error's body says, short; the body itself where it is no JSON.
std::string errorText(std::string_view body);

} // namespace zigzag::check
