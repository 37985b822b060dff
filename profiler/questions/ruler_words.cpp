// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/ruler_draft.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>

namespace zigzag {
namespace {

// Common words ----------------------------------------------------------------------------------------------------------------

constexpr std::size_t common = 10; // RULER's num_cw

/// How often a common word stands in a list, and another one.
struct Repeats {
    std::size_t often, seldom;
};

/// Different words in an order of chance, as many as anybody asks for.
class WordOrder
{
public:
    /// `isPaired`: an adjective and a noun each, where the list's single words are too few.
    WordOrder(const RulerTexts &texts, bool isPaired, std::uint64_t seed)
        : m_texts(texts)
        , m_random(seed)
    {
        if (isPaired)
            return;
        m_words = texts.words;
        m_random.shuffle(m_words);
        m_known.insert(m_words.begin(), m_words.end());
    }
    const std::string &word(std::size_t index)
    {
        while (m_words.size() <= index) {
            const std::string &adjective = m_random.of(m_texts.adjectives);
            std::string pair = adjective + "-" + m_random.of(m_texts.nouns);
            if (m_known.insert(pair).second)
                m_words.push_back(std::move(pair));
        }
        return m_words[index];
    }

private:
    const RulerTexts &m_texts;
    RulerRandom m_random;
    std::vector<std::string> m_words;
    std::set<std::string> m_known;
};

std::string numbered(const std::vector<std::string> &words, std::size_t first = 1)
{
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i)
        text += fmt::format("{}{}. {}", i == 0 ? "" : " ", first + i, words[i]);
    return text;
}

/// The list of `count` words from `first` of the order on, the first ten of them common.
std::string wordList(WordOrder &order, std::size_t first, std::size_t count, Repeats repeats, std::uint64_t seed)
{
    std::vector<std::string> list;
    for (std::size_t i = 0; i < count; ++i)
        list.insert(list.end(), i < common ? repeats.often : repeats.seldom, order.word(first + i));
    RulerRandom(seed).shuffle(list);
    return numbered(list);
}

std::vector<std::string> commonWords(WordOrder &order, std::size_t first)
{
    std::vector<std::string> words;
    for (std::size_t i = 0; i < common; ++i)
        words.push_back(order.word(first + i));
    return words;
}

/// One question over a word order: an example, then a list of as many words as there is room for.
class CommonWords
{
public:
    CommonWords(const RulerSetting &setting, const RulerPlace &place, bool isPaired)
        : m_setting(setting)
        , m_place(place)
        , m_isShort(place.context < 4096)
        , m_order(setting.texts, isPaired, seedOf(place.seed, "words"))
    {
        const RulerInstruction &instruction = setting.texts.commonWords;
        WordOrder others(setting.texts, false, seedOf(place.seed, "example words"));
        const std::string list = m_isShort ? wordList(others, 0, 20, {3, 1}, seedOf(place.seed, "example"))
                                           : wordList(others, 0, 40, {10, 3}, seedOf(place.seed, "example"));
        m_example = filled(instruction.prompt, {{"context", list}}) + instruction.answer + " " + numbered(commonWords(others, 0))
            + "\n";
    }

    Repeats repeats() const { return m_isShort ? Repeats{6, 1} : Repeats{30, 3}; }
    Question compose(std::int64_t units, std::string_view pad);
    RulerPads pads(std::int64_t units);

private:
    RulerSetting m_setting;
    RulerPlace m_place;
    bool m_isShort;
    WordOrder m_order;
    std::string m_example;
};

Question CommonWords::compose(std::int64_t units, std::string_view pad)
{
    const RulerInstruction &instruction = m_setting.texts.commonWords;
    std::string list = wordList(m_order, 0, static_cast<std::size_t>(units), repeats(), seedOf(m_place.seed, "list"));
    list.append(pad.empty() ? "" : " ").append(pad);
    Question question = rulerQuestion(m_place, instruction);
    question.prompt = m_example + filled(instruction.prompt, {{"context", list}});
    question.answerBegin = instruction.answer;
    question.references = commonWords(m_order, 0);
    return question;
}

/// A few more entries at the list's end, of words that stand nowhere else in it; the last one is chosen by its length, and may
/// be two or three in one.
RulerPads CommonWords::pads(std::int64_t units)
{
    constexpr std::size_t mostEntries = 9, choices = 12, longest = 3;
    const auto count = static_cast<std::size_t>(units);
    const std::size_t listed = common * repeats().often + (count - common) * repeats().seldom;
    std::vector<std::string> texts;
    std::vector<std::string> words;
    for (std::size_t entries = 1; entries <= mostEntries; ++entries) {
        for (std::size_t i = 0; i < longest * choices; ++i) {
            const std::size_t from = count + mostEntries + (entries - 1) * choices + i; // others for each number of entries
            std::string last = m_order.word(from);
            for (std::size_t more = 1; more <= i / choices; ++more)
                last += "-" + m_order.word(from + more);
            std::vector<std::string> with = words;
            with.push_back(std::move(last));
            texts.push_back(numbered(with, listed + 1));
        }
        words.push_back(m_order.word(count + entries - 1));
    }
    std::stable_sort(texts.begin(), texts.end(), [](const std::string &a, const std::string &b) { return a.size() < b.size(); });
    const std::size_t size = texts.size();
    return {size, [texts = std::move(texts)](std::size_t pad) { return texts[pad]; }};
}

// Frequent words --------------------------------------------------------------------------------------------------------------

constexpr std::string_view dots = "..."; // RULER's noise among coded words, and the most frequent of all
constexpr std::size_t frequent = 3;

/// How often the word of rank `rank`, from 1 on, stands among `units`: units · rank^-2 / zeta(2), rounded down.
std::int64_t frequency(std::int64_t units, std::int64_t rank)
{
    constexpr double zeta = 1.6449340668482264; // of alpha = 2, π² / 6
    return static_cast<std::int64_t>(static_cast<double>(units) / static_cast<double>(rank * rank) / zeta);
}

/// The fewest units from which on the three words that are asked for stand more often than each other and than the fourth.
std::int64_t fewestUnits()
{
    constexpr std::int64_t enough = 1000; // from where ranks differ by more than what rounding takes
    std::int64_t tied = 0;
    for (std::int64_t units = 1; units < enough; ++units)
        for (std::int64_t rank = 2; rank <= static_cast<std::int64_t>(frequent) + 1; ++rank)
            if (frequency(units, rank) <= frequency(units, rank + 1))
                tied = units;
    return tied + 1;
}

/// More dots, which nobody counts: runs of three, the last one of up to six.
RulerPads moreDots(std::size_t most)
{
    return {4 * most, [](std::size_t pad) {
                std::string text(dots);
                for (std::size_t i = 0; i < pad / 4; ++i)
                    text.append(" ").append(dots);
                return text + std::string(pad % 4, '.');
            }};
}

} // namespace

Result<Question> commonWordsQuestion(const RulerSetting &setting, const RulerPlace &place)
{
    const auto most = static_cast<std::int64_t>(setting.texts.words.size());
    for (const bool isPaired : {false, true}) {
        CommonWords words(setting, place, isPaired);
        RulerDraft draft;
        draft.what = place.task;
        draft.least = common + 1;
        draft.compose = [&](std::int64_t units, std::string_view pad) { return words.compose(units, pad); };
        draft.pads = [&](std::int64_t units) { return words.pads(units); };
        if (!isPaired) {
            // An entry has a number, a point and a word: fewer tokens than four are none.
            if (place.context > most * 4) {
                ZIGZAG_TRY(all, setting.fit.tokens(words.compose(most, {})));
                if (all < place.context)
                    continue;
            }
            draft.most = most;
        }
        return setting.fit.fitted(draft, place.context);
    }
    return failed(fmt::format("{} found no words for {} tokens", place.task, place.context)); // never: pairs are enough
}

Result<Question> frequentWordsQuestion(const RulerSetting &setting, const RulerPlace &place)
{
    constexpr int letters = 6;
    constexpr std::int64_t tokensPerWord = 50; // of the vocabulary
    const RulerInstruction &instruction = setting.texts.frequentWords;
    const std::int64_t vocabulary
        = std::max<std::int64_t>(frequent + 2, (place.context - instruction.answerTokens) / tokensPerWord);
    RulerRandom random(seedOf(place.seed, "coded words"));
    std::set<std::string> known;
    std::vector<std::string> words; // by their ranks, from 2 on
    const auto word = [&](std::size_t index) -> const std::string & {
        while (words.size() <= index)
            if (std::string coded = random.letters(letters, 'a'); known.insert(coded).second)
                words.push_back(std::move(coded));
        return words[index];
    };
    RulerDraft draft;
    draft.what = place.task;
    draft.least = fewestUnits();
    draft.reach = 32;
    draft.compose = [&](std::int64_t units, std::string_view pad) {
        std::vector<std::string_view> list(static_cast<std::size_t>(frequency(units, 1)), dots);
        word(static_cast<std::size_t>(vocabulary)); // none moves any more
        for (std::int64_t rank = 2; rank <= vocabulary && frequency(units, rank) > 0; ++rank)
            list.insert(list.end(), static_cast<std::size_t>(frequency(units, rank)), word(static_cast<std::size_t>(rank - 2)));
        RulerRandom(seedOf(place.seed, "order")).shuffle(list);
        std::string context;
        for (const std::string_view each : list)
            context.append(context.empty() ? "" : " ").append(each);
        context.append(pad.empty() ? "" : " ").append(pad);
        Question question = rulerQuestion(place, instruction);
        question.prompt = filled(instruction.prompt, {{"context", context}});
        question.answerBegin = instruction.answer;
        for (std::size_t i = 0; i < frequent; ++i)
            question.references.push_back(word(i));
        return question;
    };
    draft.pads = [](std::int64_t) { return moreDots(128); };
    return setting.fit.fitted(draft, place.context);
}

} // namespace zigzag
