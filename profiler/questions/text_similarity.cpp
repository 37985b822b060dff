// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/text_similarity.h"

#include "profiler/questions/unicode_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>

namespace zigzag {
namespace {

/// A text's sentences, each word as the number that stands for it.
class Sentences
{
public:
    std::vector<std::vector<int>> of(std::u32string_view text)
    {
        std::vector<std::vector<int>> sentences;
        for (const std::u32string &part : unicode::splitAt(text, U'.')) {
            if (part.empty())
                continue;
            std::vector<std::u32string> words = unicode::words(part);
            if (words.empty())
                words.emplace_back(); // a sentence of spaces is one word without letters
            std::vector<int> &sentence = sentences.emplace_back();
            for (std::u32string &word : words)
                sentence.push_back(m_numbers.try_emplace(std::move(word), static_cast<int>(m_numbers.size())).first->second);
        }
        return sentences;
    }

private:
    std::map<std::u32string, int> m_numbers;
};

std::size_t distinctWords(const std::vector<std::vector<int>> &sentences)
{
    std::set<int> words;
    for (const std::vector<int> &sentence : sentences)
        words.insert(sentence.begin(), sentence.end());
    return words.size();
}

/// Steps that the package can go, each a call within a call: Python allows a thousand, and some are taken before.
constexpr std::size_t longestWalk = 990;
constexpr std::size_t largestTable = std::size_t{1} << 30; ///< pairs of words, each an entry of a dictionary there

/// Adds the words of the longest common subsequence that the package finds; false where it finds none for want of stack or
/// memory.
bool addCommon(const std::vector<int> &x, const std::vector<int> &y, std::set<int> &words)
{
    if (std::min(x.size(), y.size()) > longestWalk || x.size() > largestTable / (y.size() + 1))
        return false;
    std::vector<bool> isAbove((x.size() + 1) * (y.size() + 1)); // whether the longer one leaves out x's word
    std::vector<int> before(y.size() + 1), row(y.size() + 1);
    const auto at = [&](std::size_t i, std::size_t j) { return i * (y.size() + 1) + j; };
    for (std::size_t i = 1; i <= x.size(); ++i) {
        for (std::size_t j = 1; j <= y.size(); ++j) {
            isAbove[at(i, j)] = before[j] > row[j - 1];
            row[j] = x[i - 1] == y[j - 1] ? before[j - 1] + 1 : std::max(before[j], row[j - 1]);
        }
        std::swap(before, row);
    }
    std::size_t steps = 1;
    for (std::size_t i = x.size(), j = y.size(); i > 0 && j > 0; ++steps) {
        if (x[i - 1] == y[j - 1]) {
            words.insert(x[i - 1]);
            --i;
            --j;
        } else {
            --(isAbove[at(i, j)] ? i : j);
        }
    }
    return steps <= longestWalk;
}

/// Finds what two sequences have in common, piece by piece, the longest first.
class SequenceMatcher
{
public:
    SequenceMatcher(std::u32string_view a, std::u32string_view b)
        : m_a(a)
        , m_b(b)
    {
        for (std::size_t j = 0; j < b.size(); ++j)
            m_places[b[j]].push_back(j);
        if (b.size() >= 200) { // what is more than a hundredth of the text begins no match
            const std::size_t most = b.size() / 100 + 1;
            std::erase_if(m_places, [&](const auto &places) { return places.second.size() > most; });
        }
        for (std::vector<Cell> &cells : m_cells)
            cells.resize(b.size() + 1);
    }

    /// Characters in matching blocks.
    std::size_t matches()
    {
        std::size_t sum = 0;
        std::vector<Range> open = {{0, m_a.size(), 0, m_b.size()}};
        while (!open.empty()) {
            const Range range = open.back();
            open.pop_back();
            const Block block = longest(range);
            if (block.size == 0)
                continue;
            sum += block.size;
            if (range.aBegin < block.a && range.bBegin < block.b)
                open.push_back({range.aBegin, block.a, range.bBegin, block.b});
            if (block.a + block.size < range.aEnd && block.b + block.size < range.bEnd)
                open.push_back({block.a + block.size, range.aEnd, block.b + block.size, range.bEnd});
        }
        return sum;
    }

private:
    struct Range {
        std::size_t aBegin, aEnd, bBegin, bEnd;
    };
    struct Block {
        std::size_t a, b, size;
    };
    struct Cell {
        std::uint64_t row = 0; ///< of which row of all that were gone through; others count as 0
        std::size_t length = 0; ///< of the match that ends before this place
    };

    /// The longest common piece, the first in `a` of several, and then the first in `b`.
    Block longest(const Range &range)
    {
        Block best{range.aBegin, range.bBegin, 0};
        ++m_row; // rows of another range are not next to this one's
        for (std::size_t i = range.aBegin; i < range.aEnd; ++i) {
            const std::vector<Cell> &before = m_cells[m_row % 2];
            std::vector<Cell> &cells = m_cells[(m_row + 1) % 2];
            const auto found = m_places.find(m_a[i]);
            if (found != m_places.end()) {
                const std::vector<std::size_t> &places = found->second;
                for (auto j = std::lower_bound(places.begin(), places.end(), range.bBegin); j != places.end() && *j < range.bEnd;
                     ++j) {
                    const std::size_t length = (before[*j].row == m_row ? before[*j].length : 0) + 1;
                    cells[*j + 1] = {m_row + 1, length};
                    if (length > best.size)
                        best = {i + 1 - length, *j + 1 - length, length};
                }
            }
            ++m_row;
        }
        // Popular characters begin no match, and lengthen one.
        while (best.a > range.aBegin && best.b > range.bBegin && m_a[best.a - 1] == m_b[best.b - 1])
            best = {best.a - 1, best.b - 1, best.size + 1};
        while (best.a + best.size < range.aEnd && best.b + best.size < range.bEnd
               && m_a[best.a + best.size] == m_b[best.b + best.size])
            ++best.size;
        return best;
    }

    std::u32string_view m_a, m_b;
    std::unordered_map<char32_t, std::vector<std::size_t>> m_places; // in b, ascending
    std::array<std::vector<Cell>, 2> m_cells; // [b + 1] of two rows in turn
    std::uint64_t m_row = 0;
};

} // namespace

double wordF1(const std::vector<std::u32string> &answer, const std::vector<std::u32string> &reference)
{
    std::map<std::u32string_view, int> counts;
    for (const std::u32string &word : reference)
        ++counts[word];
    int same = 0;
    for (const std::u32string &word : answer) {
        const auto found = counts.find(word);
        if (found != counts.end() && found->second-- > 0)
            ++same;
    }
    if (same == 0)
        return 0;
    const double precision = static_cast<double>(same) / static_cast<double>(answer.size());
    const double recall = static_cast<double>(same) / static_cast<double>(reference.size());
    return (2 * precision * recall) / (precision + recall);
}

double rougeL(std::u32string_view answer, std::u32string_view reference)
{
    Sentences sentences;
    const std::vector<std::vector<int>> said = sentences.of(answer), wanted = sentences.of(reference);
    if (said.empty() || wanted.empty())
        return 0;
    std::set<int> common;
    for (const std::vector<int> &x : wanted)
        for (const std::vector<int> &y : said)
            if (!addCommon(x, y, common))
                return 0;
    const double recall = static_cast<double>(common.size()) / static_cast<double>(distinctWords(wanted));
    const double precision = static_cast<double>(common.size()) / static_cast<double>(distinctWords(said));
    return 2.0 * ((precision * recall) / (precision + recall + 1e-8));
}

double sequenceRatio(std::u32string_view a, std::u32string_view b)
{
    if (a.empty() && b.empty())
        return 1;
    return 2.0 * static_cast<double>(SequenceMatcher(a, b).matches()) / static_cast<double>(a.size() + b.size());
}

double fuzzyRatio(std::u32string_view a, std::u32string_view b)
{
    if (a == b)
        return 1;
    if (a.empty() || b.empty())
        return 0;
    return std::nearbyint(100 * sequenceRatio(a, b)) / 100; // halves to even, as Python rounds
}

} // namespace zigzag
