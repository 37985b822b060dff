// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/compare_answers.h"

#include "app/cli/answers_text.h"
#include "app/cli/json_text.h"
#include "engine/base/file_content.h"
#include "engine/base/json_input.h"
#include "profiler/evaluate/answers_compare.h"

#include <fmt/format.h>

namespace zigzag {

namespace {

/// "map.json as vllm runs it".
std::string sideOf(const AnswersOfMap &map)
{
    return map.map + (map.engine.empty() ? std::string() : fmt::format(" as {} runs it", map.engine));
}

void printTables(const AnswersComparison &comparison, const RecordComparison &options)
{
    for (const std::string &note : comparison.notes)
        fmt::print(stderr, "note: {}\n", json::printable(note));
    fmt::print("A: {}\nB: {}\n", options.a, options.b);
    for (const AnswersRecord &pair : comparison.pairs) {
        fmt::print("\nA: {}; B: {}\n{}", json::printable(sideOf(pair.maps[0])), json::printable(sideOf(pair.maps[1])),
                   answersTable(summaryOf(pair), 1, "A", "B"));
        if (options.broken > 0)
            fmt::print("{}", brokenAnswers(pair, 1, options.broken, "A", "B"));
    }
}

void printJson(const AnswersComparison &comparison)
{
    nlohmann::ordered_json json{{"pairs", nlohmann::ordered_json::array()}, {"notes", comparison.notes}};
    for (const AnswersRecord &pair : comparison.pairs) {
        nlohmann::ordered_json broken = nlohmann::ordered_json::array();
        for (const std::size_t place : brokenBy(pair, 1))
            broken.push_back({{"task", pair.questions[place].task},
                              {"id", pair.questions[place].id},
                              {"references", pair.questions[place].references},
                              {"a", pair.maps[0].answers[place].text},
                              {"b", pair.maps[1].answers[place].text}});
        json["pairs"].push_back({{"a", sideOf(pair.maps[0])},
                                 {"b", sideOf(pair.maps[1])},
                                 {"summary", summaryJson(pair, summaryOf(pair))},
                                 {"broken", std::move(broken)}});
    }
    fmt::print("{}\n", json.dump(1, ' ', false, anyBytes));
}

} // namespace

bool isAnswers(const std::string &path)
{
    const auto kind = kindOfFile(path);
    return kind && !kind->isGzip && kind->content == FileContent::Answers;
}

Result<void> compareRecords(const RecordComparison &options)
{
    ZIGZAG_TRY(a, readAnswersFile(options.a));
    ZIGZAG_TRY(b, readAnswersFile(options.b));
    const auto comparison = compareAnswers(a, b);
    if (!comparison)
        return badInput(fmt::format("{} and {}: {}", options.a, options.b, comparison.error().message));
    if (options.json)
        printJson(*comparison);
    else
        printTables(*comparison, options);
    return {};
}

} // namespace zigzag
