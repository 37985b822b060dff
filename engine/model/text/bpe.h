// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to engine/model: it includes nlohmann/json.

#include "engine/base/json_input.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace zigzag {

struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using Vocabulary = std::unordered_map<std::string, int, StringHash, std::equal_to<>>;

/// Byte-pair encoding (arXiv 1508.07909) of one word: the pair with the lowest rank is merged until none is left.
class Bpe
{
public:
    /// From the "model" object of a tokenizer.json.
    static Result<Bpe> read(const json::Value &model, const std::string &where);

    /// From lists: token i has the id i, a merge is "left right" and the earlier has its way.
    static Result<Bpe> fromMerges(Vocabulary vocabulary, const std::vector<std::string_view> &merges, bool ignoreMerges,
                                  const std::string &where);
    /// SentencePiece's kind: any two neighbours merge that together are one of `pieces`, the one with the best score first. Bytes
    /// stand for what the vocabulary lacks.
    struct Piece {
        std::string_view text;
        float score;
    };
    static Result<Bpe> fromScores(Vocabulary vocabulary, std::vector<Piece> pieces, int unknown, const std::string &where);

    void encode(std::string_view word, std::vector<int> &ids) const;
    const Vocabulary &vocabulary() const { return m_vocabulary; }

private:
    struct Merge {
        int rank;
        int merged; ///< id of the two symbols as one
    };
    struct Symbol;

    Result<void> readMerges(const json::Value &merges, const std::string &where);
    /// False where the vocabulary lacks one of the three.
    bool addMerge(std::string_view left, std::string_view right, std::string_view joined, int rank);
    void findByteTokens();
    std::optional<Merge> mergeOf(int left, int right) const;
    std::vector<Symbol> symbolsOf(std::string_view word) const;
    bool hasBytesOf(std::string_view character) const;

    Vocabulary m_vocabulary;
    std::unordered_map<std::uint64_t, Merge> m_merges; ///< key: left id · 2^32 + right id
    /// Ids of <0x00> to <0xFF> where the model falls back to bytes, −1 for those that it lacks.
    std::optional<std::array<int, 256>> m_byteTokens;
    int m_unknown = -1;
    bool m_fuseUnknown = false;
    bool m_ignoreMerges = false; ///< a word that is a token is taken whole
};

/// Highest id that is taken from a file: no published vocabulary comes near it.
inline constexpr std::int64_t highestTokenId = 1 << 24;

} // namespace zigzag
