// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What RULER's questions are written with: instructions, words, chance. Private to ruler*.cpp.
namespace zigzag {

struct RulerInstruction {
    std::string prompt; ///< with {context}, and {query} and {type} where a task has them
    std::string answer; ///< what the answer begins with
    int answerTokens = 0;
};

/// resources/tasks/ruler.json and words.txt, checked.
struct RulerTexts {
    RulerInstruction needles, oneNeedle, tracking, commonWords, frequentWords, documents;
    std::string needle; ///< with {type}, {key} and {value}
    std::string document; ///< with {number} and {document}
    std::string noise; ///< the line that noise repeats
    std::vector<std::string> essay; ///< sentences with slots
    std::map<std::string, std::vector<std::string>, std::less<>> essayWords;
    std::vector<std::string> adjectives, nouns, words; ///< `words`: all of these and verbs, each once, sorted

    static Result<RulerTexts> load();
};

/// `text` with each {name} that is given replaced; what is put in is not looked at again.
std::string filled(std::string_view text, std::initializer_list<std::pair<std::string_view, std::string_view>> slots);

/// Chance from a seed, the same with every standard library: its distributions and its shuffle are not.
class RulerRandom
{
public:
    explicit RulerRandom(std::uint64_t seed)
        : m_random(seed)
    { }

    std::uint64_t bits() { return m_random(); }
    std::uint64_t below(std::uint64_t count) { return m_random() % count; }
    template <class T> const T &of(const std::vector<T> &list) { return list[below(list.size())]; }
    template <class T> void shuffle(std::vector<T> &list)
    {
        for (std::size_t i = list.size(); i > 1; --i)
            std::swap(list[i - 1], list[below(i)]);
    }
    /// `count` different numbers below `among`, in rising order; all of them where there are no more.
    std::vector<std::size_t> places(std::size_t count, std::size_t among);
    std::string letters(int count, char first); ///< 26 letters from `first` on

private:
    std::mt19937_64 m_random;
};

/// A seed of its own for a part of what another seed decides.
std::uint64_t seedOf(std::uint64_t seed, std::string_view part, std::uint64_t place = 0);

/// A text without end, in sentences: a person's, over and over, or the project's own, which does not repeat.
class RulerEssay
{
public:
    /// `theirs` may be empty; both must outlive the essay.
    RulerEssay(const RulerTexts &texts, const std::vector<std::string> &theirs, std::uint64_t seed);
    const std::string &sentence(std::size_t index);

private:
    const RulerTexts &m_texts;
    const std::vector<std::string> &m_theirs;
    RulerRandom m_random;
    std::vector<std::string> m_made;
};

/// A person's text as sentences, white space between words as one space; none is longer than 2000 bytes.
Result<std::vector<std::string>> readHaystack(const std::filesystem::path &file);

} // namespace zigzag
