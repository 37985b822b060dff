// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/text/nfc.h"

#include "engine/model/text/utf8.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <vector>

namespace zigzag {

namespace {

struct CombiningClass {
    char32_t codePoint;
    unsigned char order;
};

struct Decomposition {
    char32_t codePoint, first, second;
    bool composes;
};

#include "engine/model/text/nfc_table.inc"

// Hangul syllables are arithmetic (The Unicode Standard, section 3.12).
constexpr char32_t syllables = 0xac00, leading = 0x1100, vowels = 0x1161, trailing = 0x11a7;
constexpr char32_t leadingCount = 19, vowelCount = 21, trailingCount = 28,
                   syllableCount = leadingCount * vowelCount * trailingCount;

struct Character {
    char32_t codePoint;
    int order; ///< combining class; 0 begins a new sequence
};

int orderOf(char32_t c)
{
    const auto found = std::lower_bound(std::begin(combiningClasses), std::end(combiningClasses), c,
                                        [](const CombiningClass &entry, char32_t value) { return entry.codePoint < value; });
    return found != std::end(combiningClasses) && found->codePoint == c ? found->order : 0;
}

void decompose(char32_t c, std::vector<Character> &out)
{
    if (c >= syllables && c < syllables + syllableCount) {
        const char32_t index = c - syllables;
        out.push_back({leading + index / (vowelCount * trailingCount), 0});
        out.push_back({vowels + index / trailingCount % vowelCount, 0});
        if (index % trailingCount != 0)
            out.push_back({trailing + index % trailingCount, 0});
        return;
    }
    const auto found = std::lower_bound(std::begin(decompositions), std::end(decompositions), c,
                                        [](const Decomposition &entry, char32_t value) { return entry.codePoint < value; });
    if (found == std::end(decompositions) || found->codePoint != c) {
        out.push_back({c, orderOf(c)});
        return;
    }
    decompose(found->first, out);
    if (found->second)
        decompose(found->second, out);
}

/// The character that the two are together, or 0.
char32_t compose(char32_t first, char32_t second)
{
    if (first >= leading && first < leading + leadingCount && second >= vowels && second < vowels + vowelCount)
        return syllables + ((first - leading) * vowelCount + (second - vowels)) * trailingCount;
    if (first >= syllables && first < syllables + syllableCount && (first - syllables) % trailingCount == 0 && second > trailing
        && second < trailing + trailingCount)
        return first + (second - trailing);
    static const auto pairs = [] {
        std::map<std::pair<char32_t, char32_t>, char32_t> map;
        for (const Decomposition &entry : decompositions)
            if (entry.composes)
                map[{entry.first, entry.second}] = entry.codePoint;
        return map;
    }();
    const auto found = pairs.find({first, second});
    return found == pairs.end() ? 0 : found->second;
}

} // namespace

std::string composed(std::string_view text)
{
    // Below U+0300 nothing decomposes or combines for good: most text is done here.
    const auto low = [](char c) { return static_cast<unsigned char>(c) < 0xcc; };
    if (std::all_of(text.begin(), text.end(), low))
        return std::string(text);

    std::vector<Character> characters;
    for (std::size_t i = 0; i < text.size();)
        decompose(utf8::next(text, i), characters);
    for (auto begin = characters.begin(); begin != characters.end();) {
        begin = std::find_if(begin, characters.end(), [](const Character &c) { return c.order != 0; });
        const auto end = std::find_if(begin, characters.end(), [](const Character &c) { return c.order == 0; });
        std::stable_sort(begin, end, [](const Character &a, const Character &b) { return a.order < b.order; });
        begin = end;
    }

    // A mark joins the last starter unless a character of its class, or another starter, stands between.
    std::vector<Character> result;
    std::size_t starter = 0;
    bool hasStarter = false;
    for (const Character &next : characters) {
        if (hasStarter) {
            const bool adjacent = starter + 1 == result.size();
            const bool blocked = !adjacent && (next.order == 0 || result.back().order >= next.order);
            const char32_t together = blocked ? 0 : compose(result[starter].codePoint, next.codePoint);
            if (together) {
                result[starter].codePoint = together;
                continue;
            }
        }
        if (next.order == 0) {
            starter = result.size();
            hasStarter = true;
        }
        result.push_back(next);
    }
    std::string composedText;
    for (const Character &character : result)
        utf8::append(composedText, character.codePoint);
    return composedText;
}

} // namespace zigzag
