// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/text/pre_tokenizer.h"

#include "engine/model/text/byte_alphabet.h"
#include "engine/model/text/utf8.h"

#include <array>
#include <cctype>
#include <fmt/format.h>

namespace zigzag {

namespace {

using json::Value;

struct Range {
    std::size_t begin, end;
    bool matched;
};

/// The whole text as matches and what lies between them.
std::vector<Range> rangesOf(const Pattern &pattern, std::string_view text)
{
    std::vector<Range> ranges;
    std::size_t position = 0;
    while (const auto match = pattern.find(text, position)) {
        if (match->begin > position)
            ranges.push_back({position, match->begin, false});
        ranges.push_back({match->begin, match->end, true});
        position = match->end;
    }
    if (position < text.size())
        ranges.push_back({position, text.size(), false});
    return ranges;
}

std::vector<Range> joined(const std::vector<Range> &ranges, SplitBehavior behavior)
{
    std::vector<Range> result;
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        const Range &range = ranges[i];
        const bool hasPrevious = i > 0 && !result.empty();
        bool append = false; // to the part before
        switch (behavior) {
        case SplitBehavior::Isolated:
            break;
        case SplitBehavior::Removed:
            if (range.matched)
                continue;
            break;
        case SplitBehavior::MergedWithPrevious:
            append = hasPrevious && range.matched && !ranges[i - 1].matched;
            break;
        case SplitBehavior::MergedWithNext:
            append = hasPrevious && !range.matched && ranges[i - 1].matched;
            break;
        case SplitBehavior::Contiguous:
            append = hasPrevious && range.matched == ranges[i - 1].matched;
            break;
        }
        if (append)
            result.back().end = range.end;
        else
            result.push_back(range);
    }
    return result;
}

void cut(const TextPiece &piece, const std::vector<Range> &ranges, std::vector<TextPiece> &out)
{
    for (const Range &range : ranges)
        out.push_back({piece.text.substr(range.begin, range.end - range.begin), piece.atStart && range.begin == 0});
}

Result<SplitBehavior> readBehavior(const Value &step, const std::string &where)
{
    static constexpr std::array<std::string_view, 5> names
        = {"Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
    ZIGZAG_TRY(name, json::stringIn(step, "behavior", where));
    for (std::size_t i = 0; i < names.size(); ++i)
        if (name == names[i])
            return static_cast<SplitBehavior>(i);
    return badInput(
        fmt::format("{}: split behavior \"{}\" is not supported; the model runs without text", where, json::printable(name)));
}

/// An expression that matches the text itself.
std::string literally(std::string_view text)
{
    std::string expression;
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x80 && !std::isalnum(static_cast<unsigned char>(c)))
            expression += '\\';
        expression += c;
    }
    return expression;
}

} // namespace

Result<PreTokenizer> PreTokenizer::read(const Value *section, const std::string &where)
{
    PreTokenizer result;
    if (section)
        ZIGZAG_CHECK(result.add(*section, where + ", pre_tokenizer"));
    return result;
}

Result<void> PreTokenizer::add(const Value &step, const std::string &where)
{
    ZIGZAG_TRY(type, json::stringIn(step, "type", where));
    if (type == "Sequence") {
        ZIGZAG_TRY(steps, json::arrayIn(step, "pretokenizers", where));
        for (const Value &inner : *steps)
            ZIGZAG_CHECK(add(inner, where));
        return {};
    }
    if (type == "Split")
        return addSplit(step, where);
    if (type == "Digits")
        return addDigits(step, where);
    if (type == "Metaspace")
        return addMetaspace(step, where);
    if (type == "ByteLevel")
        return addByteLevel(step, where);
    return badInput(fmt::format("{}: \"{}\" is not supported; the model runs without text", where, json::printable(type)));
}

Result<void> PreTokenizer::addSplit(const Value &step, const std::string &where)
{
    ZIGZAG_TRY(pattern, json::objectIn(step, "pattern", where));
    const bool isText = json::find(*pattern, "String");
    ZIGZAG_TRY(expression, json::stringIn(*pattern, isText ? "String" : "Regex", where));
    Split split;
    ZIGZAG_TRY(compiled, Pattern::compile(isText ? literally(expression) : expression, where));
    ZIGZAG_TRY(behavior, readBehavior(step, where));
    ZIGZAG_TRY(invert, json::booleanOr(step, "invert", false, where));
    m_steps.emplace_back(Split{compiled, behavior, invert});
    return {};
}

Result<void> PreTokenizer::addDigits(const Value &step, const std::string &where)
{
    ZIGZAG_TRY(individual, json::booleanOr(step, "individual_digits", false, where));
    ZIGZAG_TRY(compiled, Pattern::compile(individual ? "\\p{N}" : "\\p{N}+", where));
    m_steps.emplace_back(Split{compiled, SplitBehavior::Isolated, false});
    return {};
}

Result<void> PreTokenizer::addMetaspace(const Value &step, const std::string &where)
{
    Metaspace metaspace;
    ZIGZAG_TRY(mark, json::stringOr(step, "replacement", "\u2581", where));
    if (std::size_t end = 0; mark.empty() || (utf8::next(mark, end), end != mark.size()))
        return badInput(fmt::format("{}: \"replacement\" must be one character; fetch the file anew", where));
    ZIGZAG_TRY(compiled, Pattern::compile(literally(mark), where));
    ZIGZAG_TRY(split, json::booleanOr(step, "split", true, where));
    // Older files have add_prefix_space in the place of prepend_scheme.
    ZIGZAG_TRY(prefix, json::booleanOr(step, "add_prefix_space", true, where));
    ZIGZAG_TRY(scheme, json::stringOr(step, "prepend_scheme", prefix ? "always" : "never", where));
    if (scheme != "first" && scheme != "never" && scheme != "always")
        return badInput(fmt::format("{}: prepend_scheme \"{}\" is not known; it must be first, never or always", where,
                                    json::printable(scheme)));
    metaspace.mark = mark;
    metaspace.markPattern = compiled;
    metaspace.split = split;
    using Prepend = Metaspace::Prepend;
    metaspace.prepend = scheme == "first" ? Prepend::First : scheme == "never" ? Prepend::Never : Prepend::Always;
    m_steps.emplace_back(metaspace);
    return {};
}

Result<void> PreTokenizer::addByteLevel(const Value &step, const std::string &where)
{
    // GPT-2's words: https://github.com/openai/gpt-2, encoder.py.
    static const std::string gpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
    ByteLevel byteLevel;
    ZIGZAG_TRY(compiled, Pattern::compile(gpt2, where));
    ZIGZAG_TRY(prefix, json::booleanOr(step, "add_prefix_space", true, where));
    ZIGZAG_TRY(useRegex, json::booleanOr(step, "use_regex", true, where));
    m_steps.emplace_back(ByteLevel{prefix, useRegex, compiled});
    m_byteLevel = true;
    return {};
}

void PreTokenizer::apply(const Split &step, const TextPiece &piece, std::vector<TextPiece> &out)
{
    std::vector<Range> ranges = rangesOf(step.pattern, piece.text);
    if (step.invert)
        for (Range &range : ranges)
            range.matched = !range.matched;
    cut(piece, joined(ranges, step.behavior), out);
}

void PreTokenizer::apply(const Metaspace &step, const TextPiece &piece, std::vector<TextPiece> &out)
{
    TextPiece marked{{}, piece.atStart};
    for (const char c : piece.text)
        if (c == ' ')
            marked.text += step.mark;
        else
            marked.text += c;
    const bool prepend
        = step.prepend == Metaspace::Prepend::Always || (step.prepend == Metaspace::Prepend::First && piece.atStart);
    if (prepend && marked.text.rfind(step.mark, 0) != 0)
        marked.text.insert(0, step.mark);
    if (step.split)
        cut(marked, joined(rangesOf(step.markPattern, marked.text), SplitBehavior::MergedWithNext), out);
    else
        out.push_back(marked);
}

void PreTokenizer::apply(const ByteLevel &step, const TextPiece &piece, std::vector<TextPiece> &out)
{
    TextPiece spaced = piece;
    if (step.prefixSpace && spaced.text.rfind(' ', 0) != 0)
        spaced.text.insert(0, 1, ' ');
    std::vector<TextPiece> words;
    if (step.useRegex)
        cut(spaced, rangesOf(step.words, spaced.text), words);
    else
        words.push_back(spaced);
    for (TextPiece &word : words)
        out.push_back({ByteAlphabet::instance().spell(word.text), word.atStart});
}

std::vector<TextPiece> PreTokenizer::split(TextPiece text) const
{
    std::vector<TextPiece> pieces;
    pieces.push_back(std::move(text));
    for (const auto &step : m_steps) {
        std::vector<TextPiece> finer;
        for (const TextPiece &piece : pieces)
            if (!piece.text.empty())
                std::visit([&](const auto &kind) { apply(kind, piece, finer); }, step);
        pieces = std::move(finer);
    }
    return pieces;
}

} // namespace zigzag
