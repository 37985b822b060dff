// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/infinite_bench.h"

#include "profiler/questions/text_similarity.h"
#include "profiler/questions/unicode_text.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace zigzag::infinite_bench {
namespace {

using unicode::contains;

constexpr std::u32string_view sentenceMarks = U"\n:\"'.,?!{}";

bool isAsciiDigit(char32_t c)
{
    return c >= U'0' && c <= U'9';
}

/// Runs of ASCII's digits, as they stand.
std::vector<std::u32string> asciiNumbers(std::u32string_view text)
{
    std::vector<std::u32string> found;
    for (auto at = text.begin(); at != text.end();) {
        const auto begin = std::find_if(at, text.end(), isAsciiDigit);
        at = std::find_if_not(begin, text.end(), isAsciiDigit);
        if (begin != at)
            found.emplace_back(begin, at);
    }
    return found;
}

/// What Python's int makes of a text, written as JSON writes it; nothing where it refuses.
std::optional<std::string> integer(std::u32string_view text)
{
    const bool isNegative = !text.empty() && text.front() == U'-';
    if (!text.empty() && (text.front() == U'-' || text.front() == U'+'))
        text.remove_prefix(1);
    std::string digits;
    bool wasDigit = false; // single underscores may stand between digits
    for (const char32_t c : text) {
        const int value = unicode::digit(c);
        if (value < 0 && !(c == U'_' && wasDigit))
            return {};
        wasDigit = value >= 0;
        if (wasDigit && !(digits.empty() && value == 0))
            digits += static_cast<char>('0' + value);
    }
    if (!wasDigit)
        return {};
    return digits.empty() ? "0" : (isNegative ? "-" : "") + digits;
}

bool sameInteger(std::u32string_view said, std::u32string_view reference)
{
    const std::optional<std::string> number = integer(said);
    return number && number == integer(reference);
}

double decimal(std::u32string_view text)
{
    std::string ascii;
    for (const char32_t c : text)
        ascii += unicode::digit(c) >= 0 ? static_cast<char>('0' + unicode::digit(c)) : c < 0x80 ? static_cast<char>(c) : '?';
    double value = 0;
    const auto [end, error] = std::from_chars(ascii.data(), ascii.data() + ascii.size(), value);
    return error == std::errc() && end == ascii.data() + ascii.size() ? value : std::numeric_limits<double>::quiet_NaN();
}

/// The first number with or without a point.
std::u32string_view firstNumber(std::u32string_view text)
{
    const auto isDigit = [](char32_t c) { return unicode::digit(c) >= 0; };
    const auto begin = std::find_if(text.begin(), text.end(), isDigit);
    auto end = std::find_if_not(begin, text.end(), isDigit);
    if (end != text.end() && *end == U'.') {
        const auto more = std::find_if_not(end + 1, text.end(), isDigit);
        if (more != end + 1)
            end = more;
    }
    return text.substr(static_cast<std::size_t>(begin - text.begin()), static_cast<std::size_t>(end - begin));
}

std::u32string withSingleSpaces(std::u32string_view text)
{
    std::u32string result;
    for (const char32_t c : text)
        if (c != U' ' || result.empty() || result.back() != U' ')
            result += c;
    return result;
}

/// Whether a reference stands one character behind the first of these beginnings that the text has; nothing where it has none.
std::optional<bool> saysBehind(std::u32string_view text, const std::vector<std::u32string_view> &beginnings,
                               const References &references)
{
    for (const std::u32string_view beginning : beginnings) {
        const std::size_t at = text.find(beginning);
        if (at == text.npos)
            continue;
        if (text.size() < at + beginning.size() + 1)
            return false;
        const std::u32string_view behind = text.substr(at + beginning.size() + 1);
        return std::any_of(references.begin(), references.end(),
                           [&](const std::u32string &reference) { return behind.starts_with(reference); });
    }
    return {};
}

bool isOneOf(std::u32string_view text, const References &references)
{
    return std::find(references.begin(), references.end(), text) != references.end();
}

/// zhon's punctuation of Chinese, as the benchmark takes it out.
bool isChinesePunctuation(char32_t c)
{
    constexpr std::pair<char32_t, char32_t> marks[]
        = {{0x2013, 0x2014}, {0x2018, 0x2019}, {0x201b, 0x201f}, {0x2026, 0x2027}, {0x3001, 0x3003},
           {0x300b, 0x3011}, {0x3014, 0x301f}, {0x3030, 0x3030}, {0x303e, 0x303f}, {0xfe4f, 0xfe4f},
           {0xff01, 0xff0d}, {0xff0f, 0xff0f}, {0xff1a, 0xff20}, {0xff3b, 0xff40}, {0xff5b, 0xff64}};
    return std::any_of(std::begin(marks), std::end(marks),
                       [&](const auto &range) { return c >= range.first && c <= range.second; });
}

std::vector<std::u32string> chineseCharacters(std::u32string_view text)
{
    std::vector<std::u32string> characters;
    for (const char32_t c : unicode::lowered(text))
        if (!unicode::isAsciiPunctuation(c) && !isChinesePunctuation(c) && !unicode::isSpace(c))
            characters.emplace_back(1, c);
    return characters;
}

} // namespace

bool passkey(std::u32string_view answer, const References &references)
{
    const std::vector<std::u32string> numbers = asciiNumbers(answer);
    return !references.empty() && !numbers.empty() && numbers.front() == references.front();
}

bool kvRetrieval(std::u32string_view answer, const References &references)
{
    const std::vector<std::u32string> words = unicode::words(unicode::spacesFor(sentenceMarks, std::u32string(answer)));
    return !references.empty() && std::find(words.begin(), words.end(), references.front()) != words.end();
}

bool choice(std::u32string_view answer, const References &references)
{
    constexpr std::u32string_view letters = U"ABCD";
    answer = unicode::stripped(answer);
    if (answer.empty())
        return false;
    if (contains(letters, answer.substr(0, 1)))
        return isOneOf(answer.substr(0, 1), references);
    if (isOneOf(answer, references))
        return true;
    const std::u32string text = withSingleSpaces(unicode::spacesFor(U"\n\"'.,?!{}", std::u32string(answer)));
    if (const auto found = saysBehind(text, {U"answer is:", U"answer:", U"answer is", U"option is"}, references))
        return *found;
    const std::vector<std::u32string> words = unicode::words(text);
    const auto letter
        = std::find_if(words.begin(), words.end(), [&](const std::u32string &word) { return contains(letters, word); });
    return letter != words.end() && isOneOf(*letter, references);
}

bool debug(std::u32string_view answer, const References &references)
{
    if (references.size() < 2)
        return false;
    answer = unicode::stripped(answer);
    const std::u32string &name = references[0], &letter = references[1];
    if (answer.substr(0, 2) == letter + U"." || answer.substr(0, 2) == letter + U":")
        return true;
    std::u32string text = unicode::spacesFor(U"\n`'\"-*", std::u32string(answer));
    for (const std::u32string_view word : {U"Option", U"option"})
        text = unicode::replaced(text, word, U" ");
    text = withSingleSpaces(text);
    return saysBehind(text, {U"answer is:", U"is:", U"answer:", U"correct option is:"}, {letter, name}).value_or(false);
}

bool mathFind(std::u32string_view answer, const References &references)
{
    const std::u32string_view number = firstNumber(answer);
    if (references.empty() || number.empty())
        return false;
    const std::u32string &reference = references.front();
    if (reference.find_first_of(U".eE") == reference.npos)
        return sameInteger(number, reference); // a number with a point is none there
    return decimal(number) == decimal(reference);
}

bool run(std::u32string_view answer, const References &references)
{
    const std::vector<std::u32string> words = unicode::words(unicode::spacesFor(U"\n.`'\":", std::u32string(answer)));
    return !references.empty() && !words.empty() && sameInteger(words.back(), references.front());
}

bool dialogue(std::u32string_view answer, const References &references)
{
    const std::vector<std::u32string> words = unicode::words(unicode::spacesFor(sentenceMarks, std::u32string(answer)));
    return !references.empty() && std::any_of(words.begin(), words.end(), [&](const std::u32string &word) {
        return unicode::uppered(word) == references.front();
    });
}

double calculation(std::u32string_view answer, const References &references)
{
    const std::vector<std::u32string> numbers = asciiNumbers(answer);
    std::size_t right = 0;
    while (right < std::min(numbers.size(), references.size()) && sameInteger(numbers[right], references[right]))
        ++right;
    return references.empty() ? 0 : static_cast<double>(right) / static_cast<double>(references.size());
}

double chineseF1(std::u32string_view answer, std::u32string_view reference)
{
    return wordF1(chineseCharacters(answer), chineseCharacters(reference));
}

} // namespace zigzag::infinite_bench
