// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/asked_prompt.h"
#include "profiler/questions/ruler_draft.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <set>

namespace zigzag {
namespace {

/// Tokens that no prompt has: nothing is to be cut from the middle of what is counted.
constexpr std::int64_t wholePrompt = std::int64_t{1} << 40;

/// Stands where a pad would, and in no text.
constexpr std::string_view mark = "\x01pad\x01";

/// The texts around a pad, as far as what they become there can depend on it.
struct Seam {
    std::string before, after;

    explicit Seam(std::string_view prompt)
    {
        constexpr std::size_t reach = 200;
        const std::size_t at = prompt.find(mark);
        if (at == prompt.npos)
            return;
        std::size_t begin = at - std::min(at, reach), end = std::min(prompt.size(), at + mark.size() + reach);
        while (!beginsCharacter(prompt, begin))
            ++begin;
        while (!beginsCharacter(prompt, end))
            ++end;
        before = prompt.substr(begin, at - begin);
        after = prompt.substr(at + mark.size(), end - at - mark.size());
    }
};

/// The search for one question. A whole text of millions of tokens is counted a few times: its units are found by the line
/// through two counts, its pad by counting around the seam alone; what counts is a count of the whole.
class Search
{
public:
    Search(const RulerFit &fit, const RulerDraft &draft, std::int64_t context)
        : m_fit(fit)
        , m_draft(draft)
        , m_context(context)
    { }

    Result<Question> question();

private:
    Result<std::int64_t> count(std::int64_t units, std::string_view pad = {}) const
    {
        return m_fit.tokens(m_draft.compose(units, pad));
    }
    Result<void> findUnits();
    Result<void> tryPads(std::int64_t units, std::int64_t bare);
    void keep(std::int64_t units, std::string pad, std::int64_t tokens)
    {
        if (tokens > m_context || (m_best && m_best->tokens >= tokens))
            return;
        m_best = Best{units, std::move(pad), tokens};
    }

    struct Best {
        std::int64_t units = 0;
        std::string pad;
        std::int64_t tokens = 0;
    };
    const RulerFit &m_fit;
    const RulerDraft &m_draft;
    std::int64_t m_context;
    std::int64_t m_units = 0, m_bare = 0; ///< the most that fit, or nearly, and what they cost without a pad
    std::optional<Best> m_best;
};

Result<void> Search::findUnits()
{
    const std::int64_t least = m_draft.least;
    ZIGZAG_TRY(fewest, count(least));
    if (fewest > m_context)
        return badInput(
            fmt::format("{} needs {} tokens, and the context is {}: choose a longer context", m_draft.what, fewest, m_context));
    m_units = least;
    m_bare = fewest;
    std::int64_t tooMany = m_draft.most + 1;
    double slope = 0; // tokens of a unit
    std::int64_t next = least + std::min<std::int64_t>(32, m_draft.most - least);
    for (int counted = 0; m_bare < m_context && tooMany - m_units > 1; ++counted) {
        if (slope > 0) {
            const auto gap = static_cast<double>(m_context - m_bare);
            if (gap <= slope || m_context - m_bare <= m_draft.reach)
                break;
            next = counted > 12 ? m_units + (tooMany - m_units) / 2 // the line does not lead there
                                : m_units + static_cast<std::int64_t>(std::min(gap / slope, 1e9));
        }
        next = std::clamp(next, m_units + 1, tooMany - 1);
        ZIGZAG_TRY(tokens, count(next));
        slope = std::max(1e-3, static_cast<double>(tokens - m_bare) / static_cast<double>(next - m_units));
        if (tokens > m_context) {
            tooMany = next;
        } else {
            m_units = next;
            m_bare = tokens;
        }
    }
    return {};
}

/// Costs of a draft's pads between the texts around them, each counted once.
class PadCosts
{
public:
    PadCosts(const RulerFit &fit, const RulerPads &pads, const Seam &seam)
        : m_fit(fit)
        , m_pads(pads)
        , m_seam(seam)
        , m_none(fit.tokensWithin(seam.before + seam.after))
    { }

    std::int64_t of(std::size_t pad)
    {
        const auto [known, isNew] = m_known.try_emplace(pad, 0);
        if (isNew)
            known->second = m_fit.tokensWithin(m_seam.before + m_pads.text(pad) + m_seam.after) - m_none;
        return known->second;
    }
    /// A pad of that many tokens, or the one that lacks least; none of those that were tried.
    std::optional<std::size_t> nearest(std::int64_t tokens, const std::set<std::size_t> &tried);

private:
    const RulerFit &m_fit;
    const RulerPads &m_pads;
    const Seam &m_seam;
    std::int64_t m_none;
    std::map<std::size_t, std::int64_t> m_known;
};

std::optional<std::size_t> PadCosts::nearest(std::int64_t tokens, const std::set<std::size_t> &tried)
{
    constexpr std::size_t around = 64; // costs rise with the length, by and large
    std::size_t low = 0, high = m_pads.count;
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (of(middle) < tokens)
            low = middle + 1;
        else
            high = middle;
    }
    std::optional<std::size_t> best;
    for (std::size_t pad = low - std::min(low, around); pad < std::min(m_pads.count, low + around); ++pad) {
        if (tried.count(pad) || of(pad) > tokens)
            continue;
        if (!best || of(pad) > of(*best))
            best = pad;
        if (of(*best) == tokens)
            break;
    }
    return best;
}

Result<void> Search::tryPads(std::int64_t units, std::int64_t bare)
{
    constexpr int mostTried = 6;
    keep(units, {}, bare);
    const RulerPads pads = m_draft.pads(units);
    const Seam seam(m_draft.compose(units, mark).prompt);
    PadCosts costs(m_fit, pads, seam);
    std::set<std::size_t> tried;
    std::int64_t wanted = m_context - bare;
    for (int i = 0; i < mostTried && wanted > 0 && m_best->tokens < m_context; ++i) {
        const std::optional<std::size_t> pad = costs.nearest(wanted, tried);
        if (!pad)
            return {};
        ZIGZAG_TRY(tokens, count(units, pads.text(*pad)));
        keep(units, pads.text(*pad), tokens);
        if (costs.of(*pad) < wanted && tokens + 1 < m_context)
            return {}; // there is none of that cost
        tried.insert(*pad);
        wanted = costs.of(*pad) + m_context - tokens; // in its place it costs other tokens than around the seam alone
    }
    return {};
}

Result<Question> Search::question()
{
    constexpr std::int64_t fewerTried = 5;
    ZIGZAG_CHECK(findUnits());
    for (std::int64_t units = m_units; units >= std::max(m_draft.least, m_units - fewerTried); --units) {
        if (units < m_units) {
            ZIGZAG_TRY(bare, count(units));
            m_bare = bare;
        }
        if (m_bare <= m_context) {
            ZIGZAG_CHECK(tryPads(units, m_bare));
            if (m_best && m_best->tokens == m_context)
                break;
        }
    }
    if (!m_best || m_best->tokens < m_context - 1)
        return badInput(fmt::format("no text of {} has {} tokens, the nearest {}: choose a longer context", m_draft.what,
                                    m_context, m_best ? m_best->tokens : 0));
    return m_draft.compose(m_best->units, m_best->pad);
}

} // namespace

bool beginsCharacter(std::string_view text, std::size_t at)
{
    return at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
}

RulerPads endsOf(std::string text)
{
    const auto characterBefore = [&text](std::size_t at) {
        do
            --at;
        while (at > 0 && !beginsCharacter(text, at));
        return at;
    };
    struct Part {
        std::size_t begin, size;
    };
    std::vector<Part> parts;
    for (std::size_t at = text.size(); at-- > 1;) {
        if (!beginsCharacter(text, at))
            continue;
        // Where it would begin with white space, a character more at its beginning and its last one gone: as long.
        const bool isBlank = text[at] == ' ' || text[at] == '\n';
        const std::size_t begin = isBlank ? characterBefore(at) : at;
        parts.push_back({begin, (isBlank ? characterBefore(text.size()) : text.size()) - begin});
    }
    const std::size_t count = parts.size();
    return {count, [text = std::move(text), parts = std::move(parts)](std::size_t pad) {
                return text.substr(parts[pad].begin, parts[pad].size);
            }};
}

Result<std::int64_t> RulerFit::tokens(const Question &question) const
{
    ZIGZAG_TRY(asked, askedPrompt(m_model, question, m_as, wholePrompt));
    return static_cast<std::int64_t>(asked.tokens.size()) + question.answerTokens;
}

std::int64_t RulerFit::tokensWithin(std::string_view text) const
{
    return static_cast<std::int64_t>(m_tokenizer.encode(text, false).size());
}

Result<Question> RulerFit::fitted(const RulerDraft &draft, std::int64_t context) const
{
    return Search(*this, draft, context).question();
}

Question rulerQuestion(const RulerPlace &place, const RulerInstruction &instruction)
{
    Question question;
    question.source = "ruler";
    question.task = place.task;
    question.id = fmt::format("{}-{}", place.context, place.trial + 1);
    question.rule = ScoringRule::RulerAll;
    question.answerTokens = instruction.answerTokens;
    question.context = place.context;
    return question;
}

} // namespace zigzag
