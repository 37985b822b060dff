// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/selection.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace zigzag {

namespace {

/// Some units that save something between them, and how they were arrived at.
struct State {
    std::int64_t saving = 0;
    Penalty penalty = 0;
    std::int32_t parent = -1; ///< in the arena
    std::int32_t item = -1; ///< added to the parent; −1 for the empty state
};

class Knapsack
{
public:
    Knapsack(const std::vector<Penalty> &penalties, const std::vector<std::int64_t> &savings, std::int64_t need)
        : m_penalties(penalties)
        , m_savings(savings)
        , m_need(need)
    {
        for (std::size_t i = 0; i < savings.size(); ++i)
            if (savings[i] > 0)
                m_items.push_back(i);
        // What gives up least for what it saves comes first: the bound below fills the need in this order.
        std::stable_sort(m_items.begin(), m_items.end(), [&](std::size_t a, std::size_t b) { return ratio(a) < ratio(b); });
        m_savedBefore.push_back(0);
        m_paidBefore.push_back(0);
        for (const std::size_t item : m_items) {
            m_savedBefore.push_back(m_savedBefore.back() + savings[item]);
            m_paidBefore.push_back(m_paidBefore.back() + penalties[item]);
        }
    }

    Result<std::vector<std::size_t>> solve()
    {
        m_arena.push_back({});
        std::vector<std::int32_t> frontier = {0}; // undominated states, by saving and so by penalty too
        complete(0, 0);
        for (std::size_t item = 0; item < m_items.size() && !frontier.empty(); ++item) {
            if (!extend(frontier, item))
                return failed(
                    "the budget leaves too many equally good choices to search: give a layer count or a sparsity instead");
            prune(frontier, item + 1);
        }
        return best();
    }

private:
    static constexpr std::size_t mostStates = std::size_t{1} << 23; // 48 bytes each

    long double ratio(std::size_t unit) const
    {
        return static_cast<long double>(m_penalties[unit]) / static_cast<long double>(m_savings[unit]);
    }

    /// Each state without the item and with it, the dominated ones left out. False where there would be too many.
    bool extend(std::vector<std::int32_t> &frontier, std::size_t item)
    {
        const std::int64_t saving = m_savings[m_items[item]];
        const Penalty penalty = m_penalties[m_items[item]];
        const std::size_t old = frontier.size();
        if (m_arena.size() + old > mostStates)
            return false;
        std::vector<std::int32_t> with;
        for (const std::int32_t index : frontier) {
            const State &from = m_arena[static_cast<std::size_t>(index)];
            State next{std::min(from.saving + saving, m_need), from.penalty + penalty, index, static_cast<std::int32_t>(item)};
            if (next.saving == m_need) {
                if (!m_found || next.penalty < m_bestPenalty)
                    setBest(next, item + 1, item + 1, next.penalty);
                continue;
            }
            with.push_back(static_cast<std::int32_t>(m_arena.size()));
            m_arena.push_back(next);
        }
        std::vector<std::int32_t> merged;
        merged.reserve(old + with.size());
        const auto at = [&](std::int32_t index) -> const State & { return m_arena[static_cast<std::size_t>(index)]; };
        std::merge(frontier.begin(), frontier.end(), with.begin(), with.end(), std::back_inserter(merged),
                   [&](std::int32_t a, std::int32_t b) {
                       return at(a).saving != at(b).saving ? at(a).saving < at(b).saving : at(a).penalty < at(b).penalty;
                   });
        // From the largest saving down, a state counts only if it gives up less than every state that saves as much.
        frontier.clear();
        for (auto state = merged.rbegin(); state != merged.rend(); ++state)
            if (frontier.empty() || at(*state).penalty < at(frontier.back()).penalty)
                frontier.push_back(*state);
        std::reverse(frontier.begin(), frontier.end());
        return true;
    }

    /// Leaves out the states that cannot lead to anything better than what is known, once items before `next` are decided.
    void prune(std::vector<std::int32_t> &frontier, std::size_t next)
    {
        for (const std::int32_t index : frontier)
            complete(index, next);
        std::erase_if(frontier, [&](std::int32_t index) { return !canImprove(m_arena[static_cast<std::size_t>(index)], next); });
    }

    /// The first end in [next, items] such that the items in [next, end) fill what the state lacks; items + 1 where none is.
    std::size_t filledAt(const State &state, std::size_t next) const
    {
        const std::int64_t wanted = m_savedBefore[next] + (m_need - state.saving);
        const auto place
            = std::lower_bound(m_savedBefore.begin() + static_cast<std::ptrdiff_t>(next), m_savedBefore.end(), wanted);
        return static_cast<std::size_t>(place - m_savedBefore.begin());
    }

    /// The state with the next items in order until the need is filled: always a solution, often a good one.
    void complete(std::int32_t index, std::size_t next)
    {
        const State &state = m_arena[static_cast<std::size_t>(index)];
        const std::size_t end = filledAt(state, next);
        if (end > m_items.size())
            return;
        const Penalty penalty = state.penalty + m_paidBefore[end] - m_paidBefore[next];
        if (!m_found || penalty < m_bestPenalty)
            setBest(state, next, end, penalty);
    }

    bool canImprove(const State &state, std::size_t next) const
    {
        const std::size_t end = filledAt(state, next);
        if (end > m_items.size())
            return false;
        assert(end > next); // a state that lacks nothing was taken out
        // Parts of items allowed, the last one is taken in part: no whole choice gives up less.
        const Penalty whole = state.penalty + m_paidBefore[end - 1] - m_paidBefore[next];
        const std::int64_t lacks = m_need - state.saving - (m_savedBefore[end - 1] - m_savedBefore[next]);
        const long double part = static_cast<long double>(lacks) * ratio(m_items[end - 1]);
        const auto room = static_cast<long double>(m_bestPenalty - whole);
        return part < room * (1 + 1e-15L); // long double has 64 bits: what rounding could hide is kept
    }

    void setBest(const State &state, std::size_t begin, std::size_t end, Penalty penalty)
    {
        m_found = true;
        m_bestPenalty = penalty;
        m_best = state;
        m_tailBegin = begin;
        m_tailEnd = end;
    }

    std::vector<std::size_t> best() const
    {
        assert(m_found);
        std::vector<std::size_t> chosen;
        for (std::size_t item = m_tailBegin; item < m_tailEnd; ++item)
            chosen.push_back(m_items[item]);
        for (State state = m_best; state.item >= 0; state = m_arena[static_cast<std::size_t>(state.parent)])
            chosen.push_back(m_items[static_cast<std::size_t>(state.item)]);
        return chosen;
    }

    const std::vector<Penalty> &m_penalties;
    const std::vector<std::int64_t> &m_savings;
    std::int64_t m_need;
    std::vector<std::size_t> m_items;
    std::vector<std::int64_t> m_savedBefore; // [items + 1]
    std::vector<Penalty> m_paidBefore; // [items + 1]
    std::vector<State> m_arena;
    bool m_found = false;
    Penalty m_bestPenalty = 0;
    State m_best; ///< with the items in [m_tailBegin, m_tailEnd) added
    std::size_t m_tailBegin = 0, m_tailEnd = 0;
};

/// Within each group of equal units the lower indices are chosen, whatever the search came upon.
Selection settled(const std::vector<Penalty> &penalties, const std::vector<std::int64_t> &savings,
                  const std::vector<std::size_t> &chosen)
{
    std::vector<std::size_t> order(penalties.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto less = [&](std::size_t a, std::size_t b) {
        return penalties[a] != penalties[b] ? penalties[a] < penalties[b] : savings[a] < savings[b];
    };
    std::stable_sort(order.begin(), order.end(), less);
    std::vector<bool> isChosen(penalties.size());
    for (const std::size_t unit : chosen)
        isChosen[unit] = true;
    Selection result;
    for (auto begin = order.begin(); begin != order.end();) {
        const auto end = std::find_if(begin, order.end(), [&](std::size_t unit) { return less(*begin, unit); });
        const auto count = std::count_if(begin, end, [&](std::size_t unit) { return isChosen[unit]; });
        result.chosen.insert(result.chosen.end(), begin, begin + count);
        if (count > 0 && count < end - begin) {
            result.ties += static_cast<int>(end - begin) - 1;
            result.tied.insert(result.tied.end(), begin, end);
        }
        begin = end;
    }
    std::sort(result.chosen.begin(), result.chosen.end());
    std::sort(result.tied.begin(), result.tied.end());
    return result;
}

} // namespace

Selection leastPenalties(const std::vector<Penalty> &penalties, std::size_t count)
{
    assert(count <= penalties.size());
    std::vector<std::size_t> order(penalties.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return penalties[a] < penalties[b]; });
    Selection result;
    result.chosen.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
    if (count > 0 && count < order.size() && penalties[order[count]] == penalties[order[count - 1]]) {
        for (std::size_t unit = 0; unit < penalties.size(); ++unit)
            if (penalties[unit] == penalties[order[count]])
                result.tied.push_back(unit);
        result.ties = static_cast<int>(result.tied.size()) - 1;
    }
    std::sort(result.chosen.begin(), result.chosen.end());
    return result;
}

Result<Selection> leastPenaltySaving(const std::vector<Penalty> &penalties, const std::vector<std::int64_t> &savings,
                                     std::int64_t need)
{
    assert(penalties.size() == savings.size());
    if (need <= 0)
        return Selection{};
    // Where every unit saves the same, as it is with KV bytes, the choice is a ranking.
    if (!savings.empty() && savings.front() > 0
        && std::all_of(savings.begin(), savings.end(), [&](std::int64_t saving) { return saving == savings.front(); }))
        return leastPenalties(penalties, static_cast<std::size_t>((need + savings.front() - 1) / savings.front()));
    ZIGZAG_TRY(chosen, Knapsack(penalties, savings, need).solve());
    return settled(penalties, savings, chosen);
}

} // namespace zigzag
