// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/ruler_draft.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <memory>
#include <set>

namespace zigzag {
namespace {

enum class Haystack { Noise, Essay, Needles };
enum class Sort { Words, Numbers, Uuids };

/// RULER's scripts/synthetic.yaml.
struct NeedleKind {
    std::string_view task;
    Haystack haystack;
    Sort keySort, valueSort;
    std::size_t keys, values, queries;
};

constexpr std::array kinds = {
    NeedleKind{"niah_single_1", Haystack::Noise, Sort::Words, Sort::Numbers, 1, 1, 1},
    NeedleKind{"niah_single_2", Haystack::Essay, Sort::Words, Sort::Numbers, 1, 1, 1},
    NeedleKind{"niah_single_3", Haystack::Essay, Sort::Words, Sort::Uuids, 1, 1, 1},
    NeedleKind{"niah_multikey_1", Haystack::Essay, Sort::Words, Sort::Numbers, 4, 1, 1},
    NeedleKind{"niah_multikey_2", Haystack::Needles, Sort::Words, Sort::Numbers, 1, 1, 1},
    NeedleKind{"niah_multikey_3", Haystack::Needles, Sort::Uuids, Sort::Uuids, 1, 1, 1},
    NeedleKind{"niah_multivalue", Haystack::Essay, Sort::Words, Sort::Numbers, 1, 4, 1},
    NeedleKind{"niah_multiquery", Haystack::Essay, Sort::Words, Sort::Numbers, 4, 1, 4},
};

std::string_view nameOf(Sort sort, bool isOne)
{
    switch (sort) {
    case Sort::Words:
        return isOne ? "word" : "words";
    case Sort::Numbers:
        return isOne ? "number" : "numbers";
    case Sort::Uuids:
        return isOne ? "uuid" : "uuids";
    }
    return {};
}

std::string drawn(Sort sort, const RulerTexts &texts, RulerRandom &random)
{
    if (sort == Sort::Words) {
        const std::string &adjective = random.of(texts.adjectives);
        return adjective + "-" + random.of(texts.nouns);
    }
    if (sort == Sort::Numbers)
        return fmt::format("{}", 1'000'000 + random.below(9'000'000));
    const std::uint64_t high = (random.bits() & ~0xf000u) | 0x4000u; // version 4
    const std::uint64_t low = (random.bits() & ~(3ull << 62)) | (2ull << 62); // and its variant
    return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48,
                       low & 0xffff'ffff'ffff);
}

/// The needles of one question, and the text that hides them.
class Needles
{
public:
    Needles(const NeedleKind &kind, const RulerSetting &setting, const RulerPlace &place);

    Question compose(std::int64_t units, std::string_view pad);
    RulerPads pads(std::int64_t units);
    std::int64_t least() const { return m_kind.haystack == Haystack::Essay ? 1 : static_cast<std::int64_t>(m_needles.size()); }

private:
    bool isOne() const { return m_kind.values * m_kind.queries == 1; }
    std::string needle(std::string_view key, std::string_view value) const
    {
        return filled(m_setting.texts.needle, {{"type", nameOf(m_kind.valueSort, false)}, {"key", key}, {"value", value}});
    }
    const std::string &unit(std::size_t index);
    std::vector<std::size_t> places(std::size_t units) const;

    const NeedleKind &m_kind;
    RulerSetting m_setting;
    RulerPlace m_place;
    RulerEssay m_essay;
    RulerRandom m_others;
    std::vector<std::string> m_keys, m_references;
    std::string m_query, m_first; ///< the keys asked for, and the needle of the only one
    std::vector<std::string> m_needles; ///< in the order in which they stand
    std::vector<std::size_t> m_percent; ///< where, in an essay
    std::vector<std::string> m_lines; ///< needles for keys that nobody asks for
};

Needles::Needles(const NeedleKind &kind, const RulerSetting &setting, const RulerPlace &place)
    : m_kind(kind)
    , m_setting(setting)
    , m_place(place)
    , m_essay(setting.texts, setting.haystack, seedOf(place.seed, "essay"))
    , m_others(seedOf(place.seed, "others"))
{
    RulerRandom random(seedOf(place.seed, "needles"));
    std::set<std::string> known;
    const auto another = [&](Sort sort) {
        std::string text;
        do
            text = drawn(sort, setting.texts, random);
        while (!known.insert(text).second);
        return text;
    };
    std::vector<std::vector<std::string>> values(kind.keys);
    for (std::size_t key = 0; key < kind.keys; ++key) {
        m_keys.push_back(another(kind.keySort));
        for (std::size_t i = 0; i < kind.values; ++i) {
            values[key].push_back(another(kind.valueSort));
            m_needles.push_back(needle(m_keys[key], values[key].back()));
        }
    }
    std::vector<std::size_t> asked(kind.keys);
    for (std::size_t key = 0; key < kind.keys; ++key)
        asked[key] = key;
    random.shuffle(asked);
    asked.resize(kind.queries);
    for (std::size_t i = 0; i < asked.size(); ++i) {
        m_query += (i == 0 ? "" : i + 1 == asked.size() ? ", and " : ", ") + m_keys[asked[i]];
        m_references.insert(m_references.end(), values[asked[i]].begin(), values[asked[i]].end());
    }
    m_first = needle(m_keys[asked[0]], values[asked[0]][0]);
    random.shuffle(m_needles);
    constexpr std::size_t depths = 40; // as many as RULER has, from 0 to 100 %
    for (const std::size_t depth : random.places(m_needles.size(), depths))
        m_percent.push_back((200 * depth + depths - 1) / (2 * (depths - 1)));
}

/// What the haystack has beside needles: sentences or lines, without end.
const std::string &Needles::unit(std::size_t index)
{
    if (m_kind.haystack == Haystack::Noise)
        return m_setting.texts.noise;
    if (m_kind.haystack == Haystack::Essay)
        return m_essay.sentence(index);
    while (m_lines.size() <= index) {
        std::string key;
        do
            key = drawn(m_kind.keySort, m_setting.texts, m_others);
        while (std::find(m_keys.begin(), m_keys.end(), key) != m_keys.end());
        m_lines.push_back(needle(key, drawn(m_kind.valueSort, m_setting.texts, m_others)));
    }
    return m_lines[index];
}

/// Before which unit each needle stands.
std::vector<std::size_t> Needles::places(std::size_t units) const
{
    if (m_kind.haystack != Haystack::Essay)
        return RulerRandom(seedOf(m_place.seed, "places")).places(m_needles.size(), units);
    std::vector<std::size_t> places;
    places.reserve(m_percent.size());
    for (const std::size_t percent : m_percent)
        places.push_back(units * percent / 100);
    return places;
}

Question Needles::compose(std::int64_t units, std::string_view pad)
{
    const auto count = static_cast<std::size_t>(units);
    const char between = m_kind.haystack == Haystack::Essay ? ' ' : '\n';
    const std::vector<std::size_t> places = this->places(count);
    std::string context;
    const auto add = [&](std::string_view text) {
        if (!context.empty())
            context += between;
        context += text;
    };
    if (!pad.empty())
        add(pad);
    std::size_t next = 0;
    for (std::size_t i = 0; i <= count; ++i) {
        for (; next < places.size() && places[next] == i; ++next)
            add(m_needles[next]);
        if (i < count)
            add(unit(i));
    }
    const RulerInstruction &instruction = isOne() ? m_setting.texts.oneNeedle : m_setting.texts.needles;
    const std::string_view type = nameOf(m_kind.valueSort, isOne());
    Question question = rulerQuestion(m_place, instruction);
    question.prompt = filled(instruction.prompt, {{"type", type}, {"context", context}, {"query", m_query}});
    question.answerBegin = filled(instruction.answer, {{"type", type}, {"query", m_query}});
    question.references = m_references;
    if (isOne())
        question.depth = static_cast<double>(question.prompt.find(m_first)) / static_cast<double>(question.prompt.size());
    return question;
}

/// Ends of what would come next, put first: as where a longer text was cut.
RulerPads Needles::pads(std::int64_t units)
{
    constexpr std::size_t joined = 4, longest = 4000;
    const std::string between = m_kind.haystack == Haystack::Needles ? "\n" : " ";
    std::string text;
    for (std::size_t i = 0; i < joined && text.size() < longest; ++i)
        text += (i == 0 ? "" : between) + unit(static_cast<std::size_t>(units) + i);
    return endsOf(std::move(text));
}

} // namespace

bool isNeedleTask(std::string_view task)
{
    return std::any_of(kinds.begin(), kinds.end(), [&](const NeedleKind &kind) { return kind.task == task; });
}

Result<Question> needleQuestion(const RulerSetting &setting, const RulerPlace &place)
{
    const auto *kind = std::find_if(kinds.begin(), kinds.end(), [&](const NeedleKind &each) { return each.task == place.task; });
    Needles needles(*kind, setting, place);
    RulerDraft draft;
    draft.what = place.task;
    draft.least = needles.least();
    draft.compose = [&](std::int64_t units, std::string_view pad) { return needles.compose(units, pad); };
    draft.pads = [&](std::int64_t units) { return needles.pads(units); };
    return setting.fit.fitted(draft, place.context);
}

} // namespace zigzag
