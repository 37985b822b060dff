// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/answers_text.h"

#include "engine/base/json_input.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

std::string taskNameOf(const AnswersRow &row)
{
    return row.task.empty() ? "all" : row.task;
}

std::string answersTable(const std::vector<AnswersRow> &rows, std::size_t map, std::string_view first, std::string_view second)
{
    std::string text = fmt::format("{:<24} {:>8} {:>5} {:>8} {:>8}  {:<26} {:>6} {:>6}\n", "task", "tokens", "n", first, second,
                                   "difference (95 %)", "worse", "better");
    const AnswersRow *last = nullptr;
    for (const AnswersRow &row : rows) {
        if (row.map != map)
            continue;
        last = &row;
        text += fmt::format(
            "{:<24} {:>8} {:>5} {:>6.1f} % {:>6.1f} %  {:<26} {:>6} {:>6}\n", json::printable(taskNameOf(row)),
            row.context > 0 ? fmt::format("{}", row.context) : "-", row.test.count, 100 * row.full, 100 * row.mean,
            fmt::format("{:+.1f} ({:+.1f} to {:+.1f})", 100 * row.test.difference, 100 * row.test.low, 100 * row.test.high),
            row.test.worse, row.test.better);
    }
    return last ? text + fmt::format("{}: {}\n", taskNameOf(*last), pairedText(last->test)) : text;
}

nlohmann::ordered_json summaryJson(const AnswersRecord &record, const std::vector<AnswersRow> &rows)
{
    auto summary = nlohmann::ordered_json::array();
    for (const AnswersRow &row : rows)
        summary.push_back({{"map", record.maps[row.map].map},
                           {"task", taskNameOf(row)},
                           {"context", row.context},
                           {"questions", row.test.count},
                           {"full", row.full},
                           {"score", row.mean},
                           {"difference", row.test.difference},
                           {"low", row.test.low},
                           {"high", row.test.high},
                           {"worse", row.test.worse},
                           {"better", row.test.better},
                           {"p", row.test.p},
                           {"test", row.test.isExact ? "mcnemar" : "bootstrap"},
                           {"detectable", row.test.detectable},
                           {"says", pairedText(row.test)}});
    return summary;
}

std::string brokenAnswers(const AnswersRecord &record, std::size_t map, int most, std::string_view first, std::string_view second)
{
    constexpr std::size_t longestSaid = 240; // bytes of a question, an answer or its reference
    const auto said = [](const std::string &words) { return json::printable(words, longestSaid); };
    const std::vector<std::size_t> broken = brokenBy(record, map);
    std::string text;
    for (std::size_t i = 0; i < std::min(broken.size(), static_cast<std::size_t>(most)); ++i) {
        const AskedQuestion &question = record.questions[broken[i]];
        const QuestionAnswer &full = record.maps.front().answers[broken[i]], &mine = record.maps[map].answers[broken[i]];
        const std::string_view end = question.end;
        text += fmt::format("{} {}, {} tokens: …{}\n  right: {}\n  {} ({:.2f}): {}\n  {} ({:.2f}): {}\n",
                            json::printable(question.task), json::printable(question.id), mine.promptTokens,
                            said(std::string(end.substr(end.size() - std::min(end.size(), longestSaid)))),
                            said(fmt::format("{}", fmt::join(question.references, " | "))), first, full.score, said(full.text),
                            second, mine.score, said(mine.text));
    }
    return text;
}

} // namespace zigzag
