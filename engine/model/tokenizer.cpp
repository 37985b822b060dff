// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/tokenizer.h"

#include "engine/base/files.h"
#include "engine/model/text/byte_alphabet.h"
#include "engine/model/text/tokenizer_parts.h"
#include "engine/model/text/utf8.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <unordered_map>

namespace zigzag {

using json::Value;

namespace {

constexpr std::string_view spaceMark = "\u2581";

Result<std::vector<int>> idsOfSpecial(const Value &processor, const std::string &token, const std::string &where)
{
    ZIGZAG_TRY(tokens, json::objectIn(processor, "special_tokens", where));
    ZIGZAG_TRY(entry, json::objectIn(*tokens, token, where));
    ZIGZAG_TRY(list, json::arrayIn(*entry, "ids", where));
    std::vector<int> ids;
    for (const Value &value : *list) {
        ZIGZAG_TRY(id, json::asInteger(value, "a special token's id", 0, highestTokenId, where));
        ids.push_back(static_cast<int>(id));
    }
    return ids;
}

Result<void> readTemplate(const Value &processor, TokenizerTemplate &result, const std::string &where)
{
    ZIGZAG_TRY(type, json::stringIn(processor, "type", where));
    if (type == "Sequence") {
        ZIGZAG_TRY(processors, json::arrayIn(processor, "processors", where));
        for (const Value &inner : *processors)
            ZIGZAG_CHECK(readTemplate(inner, result, where));
        return {};
    }
    if (type == "ByteLevel") // trims offsets, which are not kept here
        return {};
    if (type != "TemplateProcessing")
        return badInput(fmt::format("{}: \"{}\" is not supported; the model runs without text", where, json::printable(type)));
    result.isGiven = true;
    ZIGZAG_TRY(parts, json::arrayIn(processor, "single", where));
    bool behindText = false;
    for (const Value &part : *parts) {
        if (json::find(part, "Sequence")) {
            behindText = true;
            continue;
        }
        ZIGZAG_TRY(special, json::objectIn(part, "SpecialToken", where));
        ZIGZAG_TRY(name, json::stringIn(*special, "id", where));
        ZIGZAG_TRY(ids, idsOfSpecial(processor, name, where));
        std::vector<int> &place = behindText ? result.after : result.before;
        place.insert(place.end(), ids.begin(), ids.end());
    }
    return {};
}

/// Whether decoding drops the space that encoding put before the first word.
bool stripsFirstSpace(const Value *decoder)
{
    if (!decoder || !decoder->is_object())
        return false;
    const Value *type = json::find(*decoder, "type");
    if (!type)
        return false;
    if (const Value *steps = json::find(*decoder, "decoders"); *type == "Sequence" && steps && steps->is_array())
        return std::any_of(steps->begin(), steps->end(), [](const Value &step) { return stripsFirstSpace(&step); });
    const Value *scheme = json::find(*decoder, "prepend_scheme");
    return *type == "Strip" || (*type == "Metaspace" && !(scheme && *scheme == "never"));
}

/// The bytes of a SentencePiece-like token: <0x0A> is a byte, U+2581 a space.
std::string bytesOfPiece(const std::string &token, bool byteFallback)
{
    if (byteFallback && token.size() == 6 && token.rfind("<0x", 0) == 0 && token.back() == '>') {
        unsigned int byte = 0;
        const char *digits = token.data() + 3;
        if (std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2)
            return std::string(1, static_cast<char>(static_cast<unsigned char>(byte)));
    }
    std::string bytes;
    std::size_t position = 0;
    for (std::size_t found; (found = token.find(spaceMark, position)) != std::string::npos; position = found + spaceMark.size())
        bytes.append(token, position, found - position).append(" ");
    return bytes.append(token, position);
}

} // namespace

struct Tokenizer::Impl {
    Normalizer normalizer;
    PreTokenizer preTokenizer;
    Bpe bpe;
    AddedTokenFinder rawTokens, normalizedTokens;
    TokenizerTemplate around;
    std::unordered_map<std::string, int> addedIds;
    std::unordered_map<int, std::string> specialTexts;
    bool stripFirstSpace = false;
    std::vector<std::string> bytesOf; ///< of each id; empty for special tokens and for ids that are not used

    void collectBytes(const std::vector<AddedToken> &added, bool byteFallback);
    void encodeWords(std::string_view text, bool atStart, std::vector<int> &ids) const;
};

void Tokenizer::Impl::collectBytes(const std::vector<AddedToken> &added, bool byteFallback)
{
    int count = 0; // of ids
    for (const auto &[token, id] : bpe.vocabulary())
        count = std::max(count, id + 1);
    for (const AddedToken &token : added)
        count = std::max(count, token.id + 1);
    bytesOf.resize(static_cast<std::size_t>(count));
    const auto bytes = [&](const std::string &token) {
        return preTokenizer.isByteLevel() ? ByteAlphabet::instance().read(token) : bytesOfPiece(token, byteFallback);
    };
    for (const auto &[token, id] : bpe.vocabulary())
        bytesOf[static_cast<std::size_t>(id)] = bytes(token);
    for (const AddedToken &token : added)
        bytesOf[static_cast<std::size_t>(token.id)] = token.special ? std::string() : bytes(token.pattern);
}

void Tokenizer::Impl::encodeWords(std::string_view text, bool atStart, std::vector<int> &ids) const
{
    const std::string normalized = normalizer.apply(std::string(text));
    for (const auto &part : normalizedTokens.split(normalized)) {
        if (part.id >= 0) {
            ids.push_back(part.id);
            continue;
        }
        const bool first = atStart && part.text.data() == normalized.data();
        for (const TextPiece &word : preTokenizer.split({std::string(part.text), first}))
            bpe.encode(word.text, ids);
    }
}

Result<Tokenizer> Tokenizer::load(const std::filesystem::path &file)
{
    const std::string where = file.string();
    ZIGZAG_TRY(text, readTextFile(file, 128 << 20));
    ZIGZAG_TRY(document, json::parse(text, where));
    TokenizerParts parts;
    ZIGZAG_TRY(model, json::objectIn(document, "model", where));
    ZIGZAG_TRY(bpe, Bpe::read(*model, where + ", model"));
    ZIGZAG_TRY(normalizer, Normalizer::read(json::find(document, "normalizer"), where));
    ZIGZAG_TRY(preTokenizer, PreTokenizer::read(json::find(document, "pre_tokenizer"), where));
    ZIGZAG_TRY(added, readAddedTokens(document, normalizer, where));
    if (const Value *processor = json::find(document, "post_processor"))
        ZIGZAG_CHECK(readTemplate(*processor, parts.around, where + ", post_processor"));
    ZIGZAG_TRY(byteFallback, json::booleanOr(*model, "byte_fallback", false, where));
    parts.bpe = std::move(bpe);
    parts.normalizer = std::move(normalizer);
    parts.preTokenizer = std::move(preTokenizer);
    parts.added = std::move(added);
    parts.byteFallback = byteFallback;
    parts.stripFirstSpace = stripsFirstSpace(json::find(document, "decoder"));
    return Tokenizer(std::move(parts));
}

Tokenizer::Tokenizer(TokenizerParts parts)
    : m_impl(std::make_unique<Impl>())
{
    m_impl->bpe = std::move(parts.bpe);
    m_impl->normalizer = std::move(parts.normalizer);
    m_impl->preTokenizer = std::move(parts.preTokenizer);
    m_impl->rawTokens = AddedTokenFinder(parts.added, false);
    m_impl->normalizedTokens = AddedTokenFinder(parts.added, true);
    m_impl->around = std::move(parts.around);
    m_impl->stripFirstSpace = parts.stripFirstSpace;
    m_impl->collectBytes(parts.added, parts.byteFallback);
    for (const AddedToken &token : parts.added) {
        m_impl->addedIds.emplace(token.pattern, token.id);
        if (token.special)
            m_impl->specialTexts.emplace(token.id, token.pattern);
    }
}

Tokenizer::Tokenizer(Tokenizer &&) noexcept = default;
Tokenizer &Tokenizer::operator=(Tokenizer &&) noexcept = default;
Tokenizer::~Tokenizer() = default;

std::vector<int> Tokenizer::encode(std::string_view text, bool addSpecial) const
{
    const std::string valid = utf8::valid(text);
    std::vector<int> ids;
    if (addSpecial)
        ids = m_impl->around.before;
    for (const auto &part : m_impl->rawTokens.split(valid)) {
        if (part.id >= 0)
            ids.push_back(part.id);
        else
            m_impl->encodeWords(part.text, part.text.data() == valid.data(), ids);
    }
    if (addSpecial)
        ids.insert(ids.end(), m_impl->around.after.begin(), m_impl->around.after.end());
    return ids;
}

std::string Tokenizer::decode(std::span<const int> ids) const
{
    std::string bytes;
    for (const int id : ids)
        if (id >= 0 && id < vocabulary())
            bytes += m_impl->bytesOf[static_cast<std::size_t>(id)];
    if (m_impl->stripFirstSpace && bytes.rfind(' ', 0) == 0)
        bytes.erase(0, 1);
    return bytes;
}

std::string Tokenizer::piece(int id) const
{
    if (const auto special = m_impl->specialTexts.find(id); special != m_impl->specialTexts.end())
        return special->second;
    return id >= 0 && id < vocabulary() ? m_impl->bytesOf[static_cast<std::size_t>(id)] : std::string();
}

bool Tokenizer::isSpecial(int id) const
{
    return m_impl->specialTexts.count(id) > 0;
}

int Tokenizer::vocabulary() const
{
    return static_cast<int>(m_impl->bytesOf.size());
}

std::optional<int> Tokenizer::idOf(std::string_view token) const
{
    if (const auto added = m_impl->addedIds.find(std::string(token)); added != m_impl->addedIds.end())
        return added->second;
    const Vocabulary &vocabulary = m_impl->bpe.vocabulary();
    const auto found = vocabulary.find(token);
    return found == vocabulary.end() ? std::nullopt : std::optional(found->second);
}

bool Tokenizer::hasTemplate() const
{
    return m_impl->around.isGiven;
}

void Tokenizer::surround(std::vector<int> before, std::vector<int> after)
{
    m_impl->around = {std::move(before), std::move(after), true};
}

} // namespace zigzag
