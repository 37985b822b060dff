// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/filler.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

namespace zigzag {
namespace {

class Filler
{
public:
    Filler(const NeedleGrammar &grammar, const Tokenizer &tokenizer, std::int64_t context, std::mt19937_64 &random,
           const ComposeText &compose, bool addsSpecial)
        : m_grammar(grammar)
        , m_tokenizer(tokenizer)
        , m_context(context)
        , m_random(random)
        , m_compose(compose)
        , m_addsSpecial(addsSpecial)
        , m_next(grammar.sentence(random))
    { }

    std::int64_t whole() const { return whole(m_sentences); }
    void addSentences();
    void addEndOfSentence();
    std::vector<std::string> sentences() && { return std::move(m_sentences); }

private:
    std::int64_t whole(const std::vector<std::string> &sentences) const
    {
        return static_cast<std::int64_t>(m_tokenizer.encode(m_compose(sentences), m_addsSpecial).size());
    }
    std::int64_t alone(std::string_view text) const { return static_cast<std::int64_t>(m_tokenizer.encode(text, false).size()); }
    /// What the next sentence costs behind the last one.
    std::int64_t costOfNext() const
    {
        const std::string before = m_sentences.empty() ? std::string() : m_sentences.back();
        return std::max<std::int64_t>(1, alone(before + m_next) - alone(before));
    }
    struct End {
        std::string text;
        std::int64_t tokens = 0; ///< alone
    };
    /// Every end of the next sentence but the whole one, the longest first.
    std::vector<End> ends() const
    {
        std::vector<End> all;
        for (std::size_t begin = 1; begin < m_next.size(); ++begin)
            if ((static_cast<unsigned char>(m_next[begin]) & 0xc0) != 0x80) // not inside a character
                all.push_back({m_next.substr(begin), alone(std::string_view(m_next).substr(begin))});
        return all;
    }

    const NeedleGrammar &m_grammar;
    const Tokenizer &m_tokenizer;
    std::int64_t m_context;
    std::mt19937_64 &m_random;
    const ComposeText &m_compose;
    bool m_addsSpecial;
    std::string m_next; ///< drawn, and not in the text yet
    std::vector<std::string> m_sentences;
};

/// Whole sentences, until the next one does not fit.
void Filler::addSentences()
{
    for (std::int64_t used = whole();;) {
        const std::int64_t usedBefore = used;
        while (used + costOfNext() <= m_context) {
            used += costOfNext();
            m_sentences.push_back(std::move(m_next));
            m_next = m_grammar.sentence(m_random);
        }
        used = whole(); // the costs were those of pairs
        if (used <= usedBefore) // nothing was added, or a tokenizer without tokens for words
            return;
        const bool isOver = used > m_context;
        for (; used > m_context && !m_sentences.empty(); used = whole()) {
            m_next = std::move(m_sentences.back());
            m_sentences.pop_back();
        }
        if (isOver)
            return;
    }
}

/// The last tokens: the end of the next sentence, put first. What a cut costs in its place differs a little from what it costs
/// alone, so those that should fit are tried, the likeliest first, until one does exactly.
void Filler::addEndOfSentence()
{
    constexpr int mostTried = 16;
    std::int64_t best = whole();
    const std::int64_t room = m_context - best;
    if (room < 1)
        return;
    std::vector<End> likely = ends();
    std::stable_sort(likely.begin(), likely.end(),
                     [&](const End &a, const End &b) { return std::abs(a.tokens - room) < std::abs(b.tokens - room); });
    std::string chosen;
    for (std::size_t i = 0; i < likely.size() && i < mostTried && best < m_context; ++i) {
        std::vector<std::string> with = {likely[i].text};
        with.insert(with.end(), m_sentences.begin(), m_sentences.end());
        const std::int64_t count = whole(with);
        if (count <= m_context && count > best) {
            best = count;
            chosen = likely[i].text;
        }
    }
    if (!chosen.empty())
        m_sentences.insert(m_sentences.begin(), std::move(chosen));
}

} // namespace

Result<std::vector<std::string>> fillerFor(const NeedleGrammar &grammar, const Tokenizer &tokenizer, std::int64_t context,
                                           std::mt19937_64 &random, const ComposeText &compose, std::string_view what,
                                           bool addsSpecial)
{
    Filler filler(grammar, tokenizer, context, random, compose, addsSpecial);
    if (const std::int64_t least = filler.whole(); least > context)
        return badInput(fmt::format("{} needs {} tokens, and the context is {}: choose a longer context", what, least, context));
    filler.addSentences();
    filler.addEndOfSentence();
    return std::move(filler).sentences();
}

} // namespace zigzag
