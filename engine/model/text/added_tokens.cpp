// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/text/added_tokens.h"

#include "engine/model/text/bpe.h"
#include "engine/model/text/utf8.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

namespace {

std::size_t endOfSpaces(std::string_view text, std::size_t position)
{
    while (position < text.size()) {
        std::size_t next = position;
        if (!utf8::isSpace(utf8::next(text, next)))
            break;
        position = next;
    }
    return position;
}

std::size_t beginOfSpaces(std::string_view text, std::size_t position, std::size_t least)
{
    while (position > least) {
        std::size_t begin = position - 1;
        while (begin > least && (static_cast<unsigned char>(text[begin]) & 0xc0) == 0x80)
            --begin;
        std::size_t next = begin;
        if (!utf8::isSpace(utf8::next(text, next)))
            break;
        position = begin;
    }
    return position;
}

} // namespace

Result<std::vector<AddedToken>> readAddedTokens(const json::Value &document, const Normalizer &normalizer,
                                                const std::string &where)
{
    std::vector<AddedToken> tokens;
    if (!json::find(document, "added_tokens"))
        return tokens;
    ZIGZAG_TRY(list, json::arrayIn(document, "added_tokens", where));
    const std::string place = where + ", added_tokens";
    for (const json::Value &entry : *list) {
        ZIGZAG_TRY(content, json::stringIn(entry, "content", place));
        ZIGZAG_TRY(id, json::integerIn(entry, "id", 0, highestTokenId, place));
        ZIGZAG_TRY(singleWord, json::booleanOr(entry, "single_word", false, place));
        ZIGZAG_TRY(left, json::booleanOr(entry, "lstrip", false, place));
        ZIGZAG_TRY(right, json::booleanOr(entry, "rstrip", false, place));
        ZIGZAG_TRY(special, json::booleanOr(entry, "special", false, place));
        ZIGZAG_TRY(normalized, json::booleanOr(entry, "normalized", !special, place));
        if (singleWord)
            return badInput(fmt::format("{}: \"{}\" is a single_word token, which is not supported; the model runs without text",
                                        place, json::printable(content)));
        if (content.empty())
            continue;
        tokens.push_back(
            {normalized ? normalizer.apply(content) : content, static_cast<int>(id), left, right, normalized, special});
    }
    return tokens;
}

AddedTokenFinder::AddedTokenFinder(const std::vector<AddedToken> &tokens, bool normalized)
{
    for (const AddedToken &token : tokens)
        if (token.normalized == normalized && !token.pattern.empty())
            m_byFirstByte[static_cast<unsigned char>(token.pattern[0])].push_back(token);
    for (auto &candidates : m_byFirstByte)
        std::stable_sort(candidates.begin(), candidates.end(),
                         [](const AddedToken &a, const AddedToken &b) { return a.pattern.size() > b.pattern.size(); });
}

const AddedToken *AddedTokenFinder::at(std::string_view text, std::size_t position) const
{
    for (const AddedToken &token : m_byFirstByte[static_cast<unsigned char>(text[position])])
        if (text.compare(position, token.pattern.size(), token.pattern) == 0)
            return &token;
    return nullptr;
}

std::vector<AddedTokenFinder::Part> AddedTokenFinder::split(std::string_view text) const
{
    std::vector<Part> parts;
    std::size_t done = 0;
    for (std::size_t position = 0; position < text.size();) {
        const AddedToken *token = at(text, position);
        if (!token) {
            ++position;
            continue;
        }
        const std::size_t behind = position + token->pattern.size();
        const std::size_t begin = token->takesLeft ? beginOfSpaces(text, position, done) : position;
        const std::size_t end = token->takesRight ? endOfSpaces(text, behind) : behind;
        if (begin > done)
            parts.push_back({text.substr(done, begin - done), -1});
        parts.push_back({text.substr(begin, end - begin), token->id});
        done = position = end;
    }
    if (done < text.size())
        parts.push_back({text.substr(done), -1});
    return parts;
}

} // namespace zigzag
