// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/text/bpe.h"

#include "engine/model/text/utf8.h"

#include <algorithm>
#include <fmt/format.h>
#include <queue>

namespace zigzag {

using json::Value;

/// A doubly linked list in an array, so that a merge costs the same anywhere in the word.
struct Bpe::Symbol {
    int id;
    int previous;
    int next; ///< −1 at the end
    bool alive = true;
};

namespace {

std::uint64_t pairKey(int left, int right)
{
    return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right);
}

Result<void> refuseUnsupported(const Value &model, const std::string &where)
{
    ZIGZAG_TRY(type, json::stringOr(model, "type", "BPE", where));
    if (type != "BPE")
        return badInput(fmt::format("{}: tokenizer model \"{}\" is not supported, only BPE is; the model runs without text",
                                    where, json::printable(type)));
    for (const char *key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
        ZIGZAG_TRY(text, json::stringOr(model, key, "", where));
        if (!text.empty())
            return badInput(fmt::format("{}: \"{}\" is not supported; the model runs without text", where, key));
    }
    ZIGZAG_TRY(dropout, json::numberOr(model, "dropout", 0, 0, 1, where));
    if (dropout != 0)
        return badInput(fmt::format("{}: \"dropout\" makes token ids random; set it to null", where));
    return {};
}

} // namespace

Result<Bpe> Bpe::read(const Value &model, const std::string &where)
{
    ZIGZAG_CHECK(refuseUnsupported(model, where));
    Bpe bpe;
    ZIGZAG_TRY(vocabulary, json::objectIn(model, "vocab", where));
    bpe.m_vocabulary.reserve(vocabulary->size());
    for (const auto &[token, value] : vocabulary->items()) {
        ZIGZAG_TRY(id, json::asInteger(value, "a token's id", 0, highestTokenId, where));
        bpe.m_vocabulary.emplace(token, static_cast<int>(id));
    }
    ZIGZAG_TRY(merges, json::arrayIn(model, "merges", where));
    ZIGZAG_CHECK(bpe.readMerges(*merges, where));
    ZIGZAG_TRY(fuse, json::booleanOr(model, "fuse_unk", false, where));
    ZIGZAG_TRY(ignore, json::booleanOr(model, "ignore_merges", false, where));
    ZIGZAG_TRY(fallback, json::booleanOr(model, "byte_fallback", false, where));
    ZIGZAG_TRY(unknown, json::stringOr(model, "unk_token", "", where));
    bpe.m_fuseUnknown = fuse;
    bpe.m_ignoreMerges = ignore;
    if (const auto found = bpe.m_vocabulary.find(unknown); found != bpe.m_vocabulary.end())
        bpe.m_unknown = found->second;
    if (fallback)
        bpe.findByteTokens();
    return bpe;
}

void Bpe::findByteTokens()
{
    std::array<int, 256> ids{};
    for (std::size_t byte = 0; byte < ids.size(); ++byte) {
        const auto found = m_vocabulary.find(fmt::format("<0x{:02X}>", byte));
        ids[byte] = found == m_vocabulary.end() ? -1 : found->second;
    }
    m_byteTokens = ids;
}

bool Bpe::addMerge(std::string_view left, std::string_view right, std::string_view joined, int rank)
{
    const auto first = m_vocabulary.find(left), second = m_vocabulary.find(right), both = m_vocabulary.find(joined);
    if (first == m_vocabulary.end() || second == m_vocabulary.end() || both == m_vocabulary.end())
        return false;
    m_merges.insert_or_assign(pairKey(first->second, second->second), Merge{rank, both->second});
    return true;
}

Result<Bpe> Bpe::fromMerges(Vocabulary vocabulary, const std::vector<std::string_view> &merges, bool ignoreMerges,
                            const std::string &where)
{
    Bpe bpe;
    bpe.m_vocabulary = std::move(vocabulary);
    bpe.m_ignoreMerges = ignoreMerges;
    bpe.m_merges.reserve(merges.size());
    int rank = 0;
    std::string joined;
    for (const std::string_view merge : merges) {
        const std::size_t space = merge.find(' ', 1);
        if (space == std::string_view::npos || space + 1 == merge.size())
            return badInput(fmt::format("{}: merge {} is not a pair of tokens; fetch the file anew", where, rank));
        const std::string_view left = merge.substr(0, space), right = merge.substr(space + 1);
        joined.assign(left).append(right);
        if (!bpe.addMerge(left, right, joined, rank))
            return badInput(fmt::format("{}: merge {} (\"{}\") names a token that the vocabulary lacks; fetch the file anew",
                                        where, rank, json::printable(joined)));
        ++rank;
    }
    return bpe;
}

Result<Bpe> Bpe::fromScores(Vocabulary vocabulary, std::vector<Piece> pieces, int unknown, const std::string &where)
{
    constexpr std::size_t longest = 512; // published pieces have some dozen bytes; each is cut in every place
    Bpe bpe;
    bpe.m_vocabulary = std::move(vocabulary);
    bpe.m_unknown = unknown;
    bpe.m_fuseUnknown = true;
    bpe.findByteTokens();
    std::stable_sort(pieces.begin(), pieces.end(), [](const Piece &a, const Piece &b) { return a.score > b.score; });
    int rank = 0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const std::string_view text = pieces[i].text;
        if (text.size() > longest)
            return badInput(
                fmt::format("{}: a token has {} bytes, and {} are the most; fetch the file anew", where, text.size(), longest));
        // Equal scores are equal ranks: the leftmost pair goes first, as in SentencePiece.
        rank += i > 0 && pieces[i].score < pieces[i - 1].score ? 1 : 0;
        for (std::size_t cut = 1; cut < text.size(); ++cut)
            bpe.addMerge(text.substr(0, cut), text.substr(cut), text, rank);
    }
    return bpe;
}

Result<void> Bpe::readMerges(const Value &merges, const std::string &where)
{
    m_merges.reserve(merges.size());
    int rank = 0;
    std::string joined;
    for (const Value &merge : merges) {
        // Two spellings: "left right", and since tokenizers 0.20 ["left", "right"].
        std::string_view left, right;
        if (merge.is_string()) {
            const std::string_view text = merge.get_ref<const std::string &>();
            const std::size_t space = text.find(' ');
            if (space != std::string_view::npos)
                left = text.substr(0, space), right = text.substr(space + 1);
        } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
            left = merge[0].get_ref<const std::string &>();
            right = merge[1].get_ref<const std::string &>();
        }
        if (left.empty() || right.empty())
            return badInput(fmt::format("{}: merge {} is not a pair of tokens; fetch the file anew", where, rank));
        joined.assign(left).append(right);
        if (!addMerge(left, right, joined, rank))
            return badInput(fmt::format("{}: merge {} (\"{}\") names a token that the vocabulary lacks; fetch the file anew",
                                        where, rank, json::printable(joined)));
        ++rank;
    }
    return {};
}

std::optional<Bpe::Merge> Bpe::mergeOf(int left, int right) const
{
    const auto found = m_merges.find(pairKey(left, right));
    return found == m_merges.end() ? std::nullopt : std::optional(found->second);
}

/// A character of which one byte has no token is unknown as a whole.
bool Bpe::hasBytesOf(std::string_view character) const
{
    return m_byteTokens && std::all_of(character.begin(), character.end(), [this](char byte) {
               return (*m_byteTokens)[static_cast<unsigned char>(byte)] >= 0;
           });
}

std::vector<Bpe::Symbol> Bpe::symbolsOf(std::string_view word) const
{
    std::vector<Symbol> symbols;
    const auto add = [&](int id) {
        symbols.push_back({id, static_cast<int>(symbols.size()) - 1, static_cast<int>(symbols.size()) + 1});
    };
    // The unknown token is put down when the next known character comes, behind any bytes in between: as the tokenizers library
    // does it, odd as it is.
    bool pending = false;
    const auto addPending = [&] {
        if (pending && m_unknown >= 0)
            add(m_unknown);
        pending = false;
    };
    for (std::size_t i = 0; i < word.size();) {
        const std::size_t begin = i;
        utf8::next(word, i);
        const std::string_view character = word.substr(begin, i - begin);
        if (const auto found = m_vocabulary.find(character); found != m_vocabulary.end()) {
            addPending();
            add(found->second);
        } else if (hasBytesOf(character)) {
            for (const char byte : character)
                add((*m_byteTokens)[static_cast<unsigned char>(byte)]);
        } else {
            if (!m_fuseUnknown)
                addPending();
            pending = true;
        }
    }
    addPending();
    if (!symbols.empty())
        symbols.back().next = -1;
    return symbols;
}

void Bpe::encode(std::string_view word, std::vector<int> &ids) const
{
    if (m_ignoreMerges)
        if (const auto whole = m_vocabulary.find(word); whole != m_vocabulary.end()) {
            ids.push_back(whole->second);
            return;
        }

    struct Candidate {
        int rank, position, merged;
        bool operator<(const Candidate &other) const
        {
            return rank != other.rank ? rank > other.rank : position > other.position;
        }
    };
    std::vector<Symbol> symbols = symbolsOf(word);
    const auto at = [&](int position) -> Symbol & { return symbols[static_cast<std::size_t>(position)]; };
    std::priority_queue<Candidate> queue; // lowest rank first, then leftmost
    const auto offer = [&](int position) {
        if (position >= 0 && at(position).next >= 0)
            if (const auto merge = mergeOf(at(position).id, at(at(position).next).id))
                queue.push({merge->rank, position, merge->merged});
    };
    for (int i = 0; i < static_cast<int>(symbols.size()); ++i)
        offer(i);
    while (!queue.empty()) {
        const Candidate candidate = queue.top();
        queue.pop();
        Symbol &left = at(candidate.position);
        if (!left.alive || left.next < 0)
            continue;
        Symbol &right = at(left.next);
        // An earlier merge may have changed either side since this was offered.
        if (const auto merge = mergeOf(left.id, right.id); !merge || merge->merged != candidate.merged)
            continue;
        left.id = candidate.merged;
        right.alive = false;
        left.next = right.next;
        if (right.next >= 0)
            at(right.next).previous = candidate.position;
        offer(left.previous);
        offer(candidate.position);
    }
    for (const Symbol &symbol : symbols)
        if (symbol.alive)
            ids.push_back(symbol.id);
}

} // namespace zigzag
