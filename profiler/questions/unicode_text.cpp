// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/unicode_text.h"

#include "engine/model/text/pattern.h"
#include "engine/model/text/utf8.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>

namespace zigzag::unicode {
namespace {

struct CaseRun {
    char32_t first, last;
    int step, distance;
};
struct LongUpper {
    char32_t letter, capitals[3]; // the last may be 0
};
#include "profiler/questions/unicode_table.inc"

constexpr char32_t sigma = 0x3a3, smallSigma = 0x3c3, endingSigma = 0x3c2;

char32_t inOtherCase(std::span<const CaseRun> runs, char32_t c)
{
    const auto run
        = std::lower_bound(runs.begin(), runs.end(), c, [](const CaseRun &one, char32_t value) { return one.last < value; });
    if (run == runs.end() || c < run->first || (c - run->first) % static_cast<char32_t>(run->step) != 0)
        return c;
    return static_cast<char32_t>(static_cast<std::int64_t>(c) + run->distance);
}

bool isOf(const Result<Pattern> &classes, char32_t c)
{
    std::string text;
    utf8::append(text, c);
    return classes && classes->find(text, 0);
}

/// Whether a sigma at `at` ends a word: letters with case before it, and none behind, marks and points left out (the Unicode
/// Standard, table 3-17, Final_Sigma).
bool endsWord(std::u32string_view text, std::size_t at)
{
    static const Result<Pattern> cased = Pattern::compile(R"([\p{Lu}\p{Ll}\p{Lt}])", "letters with case");
    static const Result<Pattern> ignored = Pattern::compile(
        R"([\p{Mn}\p{Me}\p{Cf}\p{Lm}\p{Sk}'.:\x{b7}\x{387}\x{55f}\x{5f4}\x{2018}\x{2019}\x{2024}\x{2027}\x{fe13}\x{fe52}\x{fe55}\x{ff07}\x{ff0e}\x{ff1a}])",
        "what stands within words");
    std::size_t before = at, behind = at + 1;
    while (before > 0 && isOf(ignored, text[before - 1]))
        --before;
    while (behind < text.size() && isOf(ignored, text[behind]))
        ++behind;
    return before > 0 && isOf(cased, text[before - 1]) && !(behind < text.size() && isOf(cased, text[behind]));
}

} // namespace

std::u32string codePoints(std::string_view utf8)
{
    std::u32string text;
    text.reserve(utf8.size());
    for (std::size_t i = 0; i < utf8.size();)
        text += utf8::next(utf8, i);
    return text;
}

std::u32string lowered(std::u32string_view text)
{
    std::u32string lower;
    lower.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == 0x130) // the only one that becomes two
            lower += U"i\u0307";
        else
            lower += text[i] == sigma ? (endsWord(text, i) ? endingSigma : smallSigma) : inOtherCase(lowerRuns, text[i]);
    }
    return lower;
}

std::u32string uppered(std::u32string_view text)
{
    std::u32string upper;
    for (const char32_t c : text) {
        const LongUpper *found = std::lower_bound(std::begin(longUppers), std::end(longUppers), c,
                                                  [](const LongUpper &one, char32_t value) { return one.letter < value; });
        if (found == std::end(longUppers) || found->letter != c)
            upper += inOtherCase(upperRuns, c);
        else
            upper.append(found->capitals, found->capitals[2] == 0 ? 2 : 3);
    }
    return upper;
}

bool isSpace(char32_t c)
{
    return utf8::isSpace(c) || (c >= 0x1c && c <= 0x1f);
}

std::u32string_view stripped(std::u32string_view text)
{
    while (!text.empty() && isSpace(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && isSpace(text.back()))
        text.remove_suffix(1);
    return text;
}

std::vector<std::u32string> words(std::u32string_view text)
{
    std::vector<std::u32string> found;
    for (auto at = text.begin(); at != text.end();) {
        const auto begin = std::find_if_not(at, text.end(), isSpace);
        at = std::find_if(begin, text.end(), isSpace);
        if (begin != at)
            found.emplace_back(begin, at);
    }
    return found;
}

std::vector<std::u32string> splitAt(std::u32string_view text, char32_t separator)
{
    std::vector<std::u32string> parts;
    for (std::size_t begin = 0;;) {
        const std::size_t end = text.find(separator, begin);
        parts.emplace_back(text.substr(begin, end == text.npos ? end : end - begin));
        if (end == text.npos)
            return parts;
        begin = end + 1;
    }
}

std::u32string spacesFor(std::u32string_view characters, std::u32string text)
{
    std::replace_if(
        text.begin(), text.end(), [&](char32_t c) { return characters.find(c) != characters.npos; }, U' ');
    return text;
}

std::u32string replaced(std::u32string_view text, std::u32string_view part, std::u32string_view by)
{
    std::u32string result;
    for (std::size_t begin = 0;;) {
        const std::size_t at = text.find(part, begin);
        result += text.substr(begin, at == text.npos ? at : at - begin);
        if (at == text.npos)
            return result;
        result += by;
        begin = at + part.size();
    }
}

bool contains(std::u32string_view text, std::u32string_view part)
{
    return text.find(part) != text.npos;
}

int digit(char32_t c)
{
    const char32_t *behind = std::upper_bound(std::begin(decimalZeros), std::end(decimalZeros), c);
    if (behind == std::begin(decimalZeros) || c - *std::prev(behind) > 9)
        return -1;
    return static_cast<int>(c - *std::prev(behind));
}

std::vector<std::u32string> numbers(std::u32string_view text)
{
    const auto isDigit = [](char32_t c) { return digit(c) >= 0; };
    std::vector<std::u32string> found;
    for (auto at = text.begin(); at != text.end();) {
        const auto begin = std::find_if(at, text.end(), isDigit);
        at = std::find_if_not(begin, text.end(), isDigit);
        if (begin != at)
            found.emplace_back(begin, at);
    }
    return found;
}

bool isAsciiPunctuation(char32_t c)
{
    return (c > 0x20 && c < U'0') || (c > U'9' && c < U'A') || (c > U'Z' && c < U'a') || (c > U'z' && c < 0x7f);
}

bool isOfWord(char32_t c)
{
    static const Result<Pattern> letters = Pattern::compile(R"([\p{L}\p{N}_])", "characters of words");
    if (c < 0x80)
        return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || (c >= U'0' && c <= U'9') || c == U'_';
    return isOf(letters, c);
}

} // namespace zigzag::unicode
