// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

struct TokenizerParts;

/// Byte-pair encoding as a Hugging Face tokenizer.json describes it: byte-level (Llama 3, Qwen, the bundled model) and
/// SentencePiece-like with byte fallback (Llama 2, Mistral). Other models are refused by name.
class Tokenizer
{
public:
    static Result<Tokenizer> load(const std::filesystem::path &tokenizerJson);
    explicit Tokenizer(TokenizerParts parts);
    Tokenizer(Tokenizer &&) noexcept;
    Tokenizer &operator=(Tokenizer &&) noexcept;
    ~Tokenizer();

    /// Text to ids; `addSpecial` puts the beginning-of-text token first where the file's template says so.
    std::vector<int> encode(std::string_view text, bool addSpecial) const;
    /// Ids to bytes; unknown ids and special tokens are left out. The result may end inside a UTF-8 sequence.
    std::string decode(std::span<const int> ids) const;
    /// The bytes of one token, wherever it stands; of a special token its text as the file has it. Empty for unknown ids.
    std::string piece(int id) const;
    /// Whether decoding leaves it out.
    bool isSpecial(int id) const;
    int vocabulary() const;
    /// The id of a token by its text as the file has it, special or not.
    std::optional<int> idOf(std::string_view token) const;
    /// Whether the file says what stands around a text, be it nothing.
    bool hasTemplate() const;
    /// Puts these ids around every text that is encoded with `addSpecial`, instead of the file's.
    void surround(std::vector<int> before, std::vector<int> after);

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace zigzag
