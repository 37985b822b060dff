// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/gguf/gguf_tokenizer.h"

#include "engine/model/gguf/gguf_keys.h"
#include "engine/model/gguf/word_splitting.h"
#include "engine/model/text/tokenizer_parts.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>

namespace zigzag {

using json::Value;

namespace {

/// What tokenizer.ggml.token_type says of a token.
enum class TokenKind { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 };

constexpr std::string_view spaceMark = "\u2581";

/// The lists and settings of a file's tokenizer.
struct Lists {
    const GgufArray *tokens = nullptr, *kinds = nullptr, *scores = nullptr, *merges = nullptr;
    std::string_view model;
    std::optional<std::int64_t> begin, end, unknown;
    std::string where;

    bool isSentencePiece() const { return model == "llama"; }
    TokenKind kindOf(std::size_t i) const
    {
        if (kinds)
            return static_cast<TokenKind>(kinds->integer(i).value_or(1));
        const auto id = static_cast<std::int64_t>(i); // files of 2023
        return id == unknown ? TokenKind::Unknown : id == begin || id == end ? TokenKind::Control : TokenKind::Normal;
    }
};

constexpr auto withoutText = "the model runs without text";

/// A list as long as that of the tokens, or null where there is none.
Result<const GgufArray *> listBeside(const GgufFile &file, const std::string &key, std::size_t tokens, bool ofStrings)
{
    ZIGZAG_TRY(list, ggufArray(file, key));
    if (list && (list->hasStrings() != ofStrings || list->size() != tokens))
        return badInput(fmt::format("{}: {} must have {} entries like tokenizer.ggml.tokens; fetch the file anew",
                                    file.path().string(), key, tokens));
    return list;
}

Result<Lists> readLists(const GgufFile &file)
{
    Lists lists;
    lists.where = file.path().string();
    ZIGZAG_TRY(model, ggufText(file, "tokenizer.ggml.model"));
    ZIGZAG_TRY(tokens, ggufArray(file, "tokenizer.ggml.tokens"));
    if (!model || !tokens)
        return badInput(fmt::format("{}: there is no tokenizer in its metadata; {}", lists.where, withoutText));
    if (*model != "gpt2" && *model != "llama")
        return badInput(fmt::format("{}: tokenizer.ggml.model \"{}\" is not supported, only gpt2 and llama are; {}", lists.where,
                                    json::printable(*model), withoutText));
    if (!tokens->hasStrings() || tokens->size() > highestTokenId)
        return badInput(fmt::format("{}: tokenizer.ggml.tokens must be at most {} strings; fetch the file anew", lists.where,
                                    highestTokenId));
    lists.model = *model;
    lists.tokens = tokens;
    ZIGZAG_TRY(kinds, listBeside(file, "tokenizer.ggml.token_type", tokens->size(), false));
    ZIGZAG_TRY(scores, listBeside(file, "tokenizer.ggml.scores", tokens->size(), false));
    ZIGZAG_TRY(merges, ggufArray(file, "tokenizer.ggml.merges"));
    ZIGZAG_TRY(begin, ggufInteger(file, "tokenizer.ggml.bos_token_id"));
    ZIGZAG_TRY(end, ggufInteger(file, "tokenizer.ggml.eos_token_id"));
    ZIGZAG_TRY(unknown, ggufInteger(file, "tokenizer.ggml.unknown_token_id"));
    lists.kinds = kinds;
    lists.scores = scores;
    lists.merges = merges;
    lists.begin = begin;
    lists.end = end;
    lists.unknown = unknown;
    if (lists.isSentencePiece()) { // as its library numbers them
        lists.unknown = unknown.value_or(0);
        lists.begin = begin.value_or(1);
        lists.end = end.value_or(2);
    }
    return lists;
}

/// Tokens that are found in a text before it is cut.
std::vector<AddedToken> addedTokens(const Lists &lists)
{
    std::vector<AddedToken> added;
    for (std::size_t i = 0; i < lists.tokens->size(); ++i) {
        const TokenKind kind = lists.kindOf(i);
        const bool isSpecial = kind == TokenKind::Control || kind == TokenKind::Unknown;
        if ((isSpecial || kind == TokenKind::UserDefined) && !lists.tokens->text(i).empty())
            added.push_back({.pattern = std::string(lists.tokens->text(i)), .id = static_cast<int>(i), .special = isSpecial});
    }
    return added;
}

Vocabulary vocabularyOf(const Lists &lists)
{
    Vocabulary vocabulary;
    vocabulary.reserve(lists.tokens->size());
    for (std::size_t i = 0; i < lists.tokens->size(); ++i)
        vocabulary.emplace(lists.tokens->text(i), static_cast<int>(i));
    return vocabulary;
}

Value preTokenizerOf(const WordSplitting &splitting)
{
    Value steps = Value::array();
    for (const std::string_view pattern : splitting.patterns)
        steps.push_back({{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}});
    steps.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", splitting.gpt2Words}});
    return {{"type", "Sequence"}, {"pretokenizers", steps}};
}

Result<TokenizerParts> byteLevel(const Lists &lists, const WordSplitting &splitting)
{
    TokenizerParts parts;
    if (!lists.merges || !lists.merges->hasStrings())
        return badInput(fmt::format("{}: there is no tokenizer.ggml.merges in its metadata; fetch the file anew", lists.where));
    std::vector<std::string_view> merges;
    for (std::size_t i = 0; i < lists.merges->size(); ++i)
        merges.push_back(lists.merges->text(i));
    ZIGZAG_TRY(bpe,
               Bpe::fromMerges(vocabularyOf(lists), merges, splitting.ignoresMerges, lists.where + ", tokenizer.ggml.merges"));
    const Value steps = preTokenizerOf(splitting);
    ZIGZAG_TRY(words, PreTokenizer::read(&steps, lists.where));
    parts.bpe = std::move(bpe);
    parts.preTokenizer = std::move(words);
    if (splitting.composes) {
        const Value compose = {{"type", "NFC"}};
        ZIGZAG_TRY(normalizer, Normalizer::read(&compose, lists.where));
        parts.normalizer = std::move(normalizer);
    }
    return parts;
}

Result<TokenizerParts> sentencePiece(const Lists &lists, bool addsSpace)
{
    TokenizerParts parts;
    if (!lists.scores)
        return badInput(fmt::format("{}: there is no tokenizer.ggml.scores in its metadata; fetch the file anew", lists.where));
    std::vector<Bpe::Piece> pieces;
    for (std::size_t i = 0; i < lists.tokens->size(); ++i)
        if (lists.kindOf(i) == TokenKind::Normal)
            pieces.push_back({lists.tokens->text(i), static_cast<float>(lists.scores->number(i))});
    const auto unknown = static_cast<std::size_t>(*lists.unknown);
    ZIGZAG_TRY(bpe,
               Bpe::fromScores(vocabularyOf(lists), std::move(pieces),
                               unknown < lists.tokens->size() ? static_cast<int>(unknown) : -1,
                               lists.where + ", tokenizer.ggml.tokens"));
    Value steps = Value::array();
    if (addsSpace) // before every text between special tokens, as in llama.cpp and in Llama 2's own file
        steps.push_back({{"type", "Prepend"}, {"prepend", spaceMark}});
    steps.push_back({{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", spaceMark}});
    const Value sequence = {{"type", "Sequence"}, {"normalizers", steps}};
    ZIGZAG_TRY(normalizer, Normalizer::read(&sequence, lists.where));
    parts.bpe = std::move(bpe);
    parts.normalizer = std::move(normalizer);
    parts.byteFallback = true;
    parts.stripFirstSpace = addsSpace;
    return parts;
}

/// The token to put before or behind every text, where there is one.
std::vector<int> around(const Lists &lists, std::string_view flag, bool isAsked, std::optional<std::int64_t> id,
                        std::vector<std::string> &notes)
{
    if (!isAsked)
        return {};
    if (id && *id < std::ssize(*lists.tokens))
        return {static_cast<int>(*id)};
    notes.push_back(fmt::format("{}: {} is true, but the metadata names no such token; none is added", lists.where, flag));
    return {};
}

} // namespace

Result<Tokenizer> readGgufTokenizer(const GgufFile &file, std::vector<std::string> &notes)
{
    ZIGZAG_TRY(lists, readLists(file));
    ZIGZAG_TRY(pre, ggufText(file, "tokenizer.ggml.pre"));
    ZIGZAG_TRY(addsBegin, ggufFlag(file, "tokenizer.ggml.add_bos_token"));
    ZIGZAG_TRY(addsEnd, ggufFlag(file, "tokenizer.ggml.add_eos_token"));
    ZIGZAG_TRY(addsSpace, ggufFlag(file, "tokenizer.ggml.add_space_prefix"));
    bool usuallyBegins = lists.isSentencePiece();
    Result<TokenizerParts> parts;
    if (lists.isSentencePiece()) {
        parts = sentencePiece(lists, addsSpace.value_or(true));
    } else {
        const WordSplitting *splitting = findWordSplitting(pre.value_or("default"));
        if (!splitting)
            return badInput(fmt::format("{}: tokenizer.ggml.pre \"{}\" is not known, only these are: {}; {}", lists.where,
                                        json::printable(*pre), wordSplittingNames(), withoutText));
        if (!pre)
            notes.push_back(fmt::format("{}: does not say how text is cut into words (tokenizer.ggml.pre), as files of before "
                                        "May 2024; it is cut by llama.cpp's default, which may not be the model's own",
                                        lists.where));
        usuallyBegins = splitting->addsBegin;
        parts = byteLevel(lists, *splitting);
    }
    if (!parts)
        return tl::unexpected(parts.error());
    parts->added = addedTokens(lists);
    parts->around.isGiven = true;
    parts->around.before = around(lists, "tokenizer.ggml.add_bos_token", addsBegin.value_or(usuallyBegins), lists.begin, notes);
    parts->around.after = around(lists, "tokenizer.ggml.add_eos_token", addsEnd.value_or(false), lists.end, notes);
    return Tokenizer(std::move(*parts));
}

Result<ChatTemplate> readGgufChatTemplate(const GgufFile &file)
{
    ChatTemplate chat;
    ZIGZAG_TRY(text, ggufText(file, "tokenizer.chat_template"));
    if (!text)
        return chat;
    chat.text = std::string(*text);
    ZIGZAG_TRY(lists, readLists(file));
    const auto name = [&](const char *as, std::optional<std::int64_t> id) {
        if (id && *id < std::ssize(*lists.tokens))
            chat.tokens.emplace_back(as, std::string(lists.tokens->text(static_cast<std::size_t>(*id))));
    };
    name("bos_token", lists.begin);
    name("eos_token", lists.end);
    name("unk_token", lists.unknown);
    return chat;
}

Result<std::vector<int>> ggufEndTokens(const GgufFile &file)
{
    static constexpr std::array<std::string_view, 12> spellings
        = {"<|eot_id|>",    "<|im_end|>", "<|end|>", "<|return|>", "<|call|>",        "<end_of_turn>",
           "<|endoftext|>", "<|eom_id|>", "<EOT>",   "_<EOT>",     "<|end_of_text|>", "<end_of_utterance>"};
    const auto lists = readLists(file);
    std::set<int> ends;
    for (const char *name : {"eos", "eot", "eom"}) {
        ZIGZAG_TRY(id, ggufInteger(file, fmt::format("tokenizer.ggml.{}_token_id", name)));
        if (id && *id <= highestTokenId)
            ends.insert(static_cast<int>(*id));
    }
    if (lists) {
        if (lists->end && *lists->end < std::ssize(*lists->tokens))
            ends.insert(static_cast<int>(*lists->end));
        for (std::size_t i = 0; i < lists->tokens->size(); ++i)
            if (lists->kindOf(i) == TokenKind::Control
                && std::find(spellings.begin(), spellings.end(), lists->tokens->text(i)) != spellings.end())
                ends.insert(static_cast<int>(i));
    }
    return std::vector<int>(ends.begin(), ends.end());
}

} // namespace zigzag
