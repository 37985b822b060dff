// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/answers_summary.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace zigzag {

namespace {

using Places = std::vector<std::size_t>;

AnswersRow rowOf(const AnswersRecord &record, std::size_t map, const Places &places)
{
    std::vector<double> full, mine;
    full.reserve(places.size());
    mine.reserve(places.size());
    for (const std::size_t place : places) {
        full.push_back(record.maps.front().answers[place].score);
        mine.push_back(record.maps[map].answers[place].score);
    }
    const auto meanOf = [](const std::vector<double> &scores) {
        return scores.empty() ? 0.0 : std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
    };
    AnswersRow row;
    row.map = map;
    row.full = meanOf(full);
    row.mean = meanOf(mine);
    row.test = pairedTest(full, mine);
    return row;
}

} // namespace

std::vector<AnswersRow> summaryOf(const AnswersRecord &record)
{
    Places all(record.answered());
    std::iota(all.begin(), all.end(), std::size_t{0});
    std::vector<std::pair<const AskedQuestion *, Places>> groups; // in the order asked
    std::map<std::pair<std::string, std::int64_t>, std::size_t> known;
    for (const std::size_t place : all) {
        const AskedQuestion &question = record.questions[place];
        const auto [at, isNew] = known.try_emplace({question.task, question.context}, groups.size());
        if (isNew)
            groups.emplace_back(&question, Places());
        groups[at->second].second.push_back(place);
    }
    std::vector<AnswersRow> rows;
    for (std::size_t map = 1; map < record.maps.size(); ++map) {
        for (const auto &[question, places] : groups) {
            AnswersRow &row = rows.emplace_back(rowOf(record, map, places));
            row.task = question->task;
            row.context = question->context;
        }
        if (groups.size() > 1)
            rows.push_back(rowOf(record, map, all));
    }
    return rows;
}

std::vector<std::size_t> brokenBy(const AnswersRecord &record, std::size_t map)
{
    const auto drop
        = [&](std::size_t place) { return record.maps.front().answers[place].score - record.maps[map].answers[place].score; };
    Places broken;
    for (std::size_t place = 0; place < record.answered(); ++place)
        if (drop(place) > 0)
            broken.push_back(place);
    std::stable_sort(broken.begin(), broken.end(), [&](std::size_t a, std::size_t b) { return drop(a) > drop(b); });
    return broken;
}

} // namespace zigzag
