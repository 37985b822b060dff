// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to engine/model: it includes nlohmann/json.

#include "engine/model/text/added_tokens.h"
#include "engine/model/text/bpe.h"
#include "engine/model/text/normalizer.h"
#include "engine/model/text/pre_tokenizer.h"

#include <vector>

namespace zigzag {

/// What is put around a text.
struct TokenizerTemplate {
    std::vector<int> before, after;
    bool isGiven = false;
};

/// What a tokenizer is made of, from whatever file.
struct TokenizerParts {
    Normalizer normalizer;
    PreTokenizer preTokenizer;
    Bpe bpe;
    std::vector<AddedToken> added;
    TokenizerTemplate around;
    bool byteFallback = false; ///< <0x0A> is a byte
    bool stripFirstSpace = false; ///< decoding drops the space that encoding put before the first word
};

} // namespace zigzag
