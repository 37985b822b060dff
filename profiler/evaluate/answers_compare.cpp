// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/answers_compare.h"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <map>
#include <tuple>
#include <utility>

namespace zigzag {

namespace {

using Pair = std::pair<std::size_t, std::size_t>;

/// The places of the questions that both have, in the first record's order.
std::vector<Pair> sharedQuestions(const AnswersRecord &a, const AnswersRecord &b)
{
    const auto keyOf = [](const AskedQuestion &each) {
        return std::tie(each.source, each.task, each.id, each.context, each.references, each.end);
    };
    using Key = decltype(keyOf(std::declval<const AskedQuestion &>()));
    std::map<Key, std::deque<std::size_t>> others;
    for (std::size_t i = 0; i < b.questions.size(); ++i)
        others[keyOf(b.questions[i])].push_back(i);
    std::vector<Pair> shared;
    for (std::size_t i = 0; i < a.questions.size(); ++i) {
        const auto same = others.find(keyOf(a.questions[i]));
        if (same == others.end() || same->second.empty())
            continue;
        shared.emplace_back(i, same->second.front());
        same->second.pop_front();
    }
    return shared;
}

/// Which map of one stands beside which of the other. Each record's first is full attention.
std::vector<Pair> pairedMaps(const AnswersRecord &a, const AnswersRecord &b)
{
    std::vector<Pair> pairs{{0, 0}};
    std::vector<std::size_t> left, right;
    std::vector<bool> isTaken(b.maps.size());
    for (std::size_t i = 1; i < a.maps.size(); ++i) {
        std::size_t same = 1;
        while (same < b.maps.size()
               && (isTaken[same] || a.maps[i].map != b.maps[same].map || a.maps[i].engine != b.maps[same].engine))
            ++same;
        if (same == b.maps.size()) {
            left.push_back(i);
            continue;
        }
        isTaken[same] = true;
        pairs.emplace_back(i, same);
    }
    for (std::size_t i = 1; i < b.maps.size(); ++i)
        if (!isTaken[i])
            right.push_back(i);
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i)
        pairs.emplace_back(left[i], right[i]);
    return pairs;
}

AnswersRecord beside(const AnswersRecord &a, const AnswersOfMap &mapA, const AnswersOfMap &mapB, const std::vector<Pair> &shared)
{
    AnswersRecord record;
    record.model = a.model;
    record.fingerprint = a.fingerprint;
    record.machine = a.machine;
    record.asked = a.asked;
    record.as = a.as;
    record.seed = a.seed;
    record.maps = {mapA, mapB};
    for (AnswersOfMap &each : record.maps)
        each.answers.clear();
    for (const auto &[inA, inB] : shared) {
        if (inA >= mapA.answers.size() || inB >= mapB.answers.size()) // one was stopped before it
            continue;
        record.questions.push_back(a.questions[inA]);
        record.maps[0].answers.push_back(mapA.answers[inA]);
        record.maps[1].answers.push_back(mapB.answers[inB]);
    }
    return record;
}

std::vector<std::string> notesOf(const AnswersRecord &a, const AnswersRecord &b, std::size_t shared, std::size_t pairs)
{
    std::vector<std::string> notes;
    if (a.fingerprint != b.fingerprint || a.fingerprint.empty())
        notes.push_back(
            fmt::format("the answers are of {}: {} and {}",
                        a.fingerprint.empty() && a.model == b.model ? "a model whose weights are not named" : "different weights",
                        a.model, b.model));
    if (a.as != b.as)
        notes.push_back(fmt::format("asked as {} there and as {} here", nameOf(a.as), nameOf(b.as)));
    if (shared < a.questions.size() || shared < b.questions.size())
        notes.push_back(fmt::format("{} questions are in both, of {} and {}", shared, a.questions.size(), b.questions.size()));
    if (pairs < a.maps.size() || pairs < b.maps.size())
        notes.push_back(fmt::format("{} and {} maps: those beyond the {} that stand side by side are left out", a.maps.size(),
                                    b.maps.size(), pairs));
    return notes;
}

} // namespace

Result<AnswersComparison> compareAnswers(const AnswersRecord &a, const AnswersRecord &b)
{
    const std::vector<Pair> shared = sharedQuestions(a, b);
    if (a.maps.empty() || b.maps.empty())
        return badInput(fmt::format("{} has no answers: ask again", a.maps.empty() ? "the first record" : "the second record"));
    if (shared.empty())
        return badInput(
            "no question is in both records: compare answers to the same questions, of the same tasks, lengths and seed");
    AnswersComparison comparison;
    const std::vector<Pair> maps = pairedMaps(a, b);
    for (const auto &[inA, inB] : maps)
        comparison.pairs.push_back(beside(a, a.maps[inA], b.maps[inB], shared));
    comparison.notes = notesOf(a, b, shared.size(), maps.size());
    return comparison;
}

} // namespace zigzag
