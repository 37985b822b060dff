// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/op_matrix_text.h"
#include "app/cli/op_table_text.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace zigzag {
namespace {

using Times = std::vector<std::optional<OpTime>>;

std::string nameOfRow(Op op)
{
    return op == Op::Pass ? "between the ops" : std::string(nameOf(op));
}

/// A map's file without its folders.
std::string shortName(const std::string &column)
{
    return column.substr(column.rfind('/') + 1);
}

double valueOf(const std::optional<OpTime> &time)
{
    return time ? time->us : 0.0; // an op that a run has not takes no time there
}

bool isWithinSpread(const std::optional<OpTime> &a, const std::optional<OpTime> &b)
{
    return a && b && std::abs(a->us - b->us) <= 0.5 * (a->spreadUs + b->spreadUs);
}

/// A line of the table: its name, then for each run a time and its difference.
using Line = std::vector<std::string>;

Line lineOf(std::string name, const Times &times, std::size_t against)
{
    Line line = {std::move(name)};
    for (std::size_t column = 0; column < times.size(); ++column) {
        line.push_back(times[column] ? fmt::format("{:.1f}", times[column]->us) : "-");
        const double difference = valueOf(times[column]) - valueOf(times[against]);
        line.push_back(column == against || (!times[column] && !times[against])
                           ? std::string()
                           : fmt::format("{}{:+.1f}", isWithinSpread(times[column], times[against]) ? "~" : "", difference));
    }
    return line;
}

std::string padded(const std::string &text, std::size_t width, bool right)
{
    const std::string blanks(width - std::min(width, columnsOf(text)), ' ');
    return right ? blanks + text : text + blanks;
}

Times whole(const OpMatrix &matrix)
{
    return {matrix.totals.begin(), matrix.totals.end()};
}

} // namespace

std::string opMatrixText(const OpMatrix &matrix, std::size_t against)
{
    std::vector<Line> lines;
    for (const OpMatrix::Row &row : matrix.rows)
        lines.push_back(lineOf(nameOfRow(row.op), row.times, against));
    const Times totals = whole(matrix);
    lines.push_back(lineOf("whole step", totals, against));
    Line relative = {""}, kernels = {"kernels a step"};
    for (std::size_t column = 0; column < totals.size(); ++column) {
        const bool isReference = column == against || totals[against]->us <= 0;
        relative.emplace_back();
        relative.push_back(isReference ? "" : fmt::format("{:+.2f} %", 100 * (totals[column]->us / totals[against]->us - 1)));
        kernels.push_back(fmt::format("{:.0f}", matrix.kernels[column]));
        kernels.emplace_back();
    }
    lines.push_back(std::move(relative));
    if (std::any_of(matrix.kernels.begin(), matrix.kernels.end(), [](double count) { return count > 0; }))
        lines.push_back(std::move(kernels));

    std::vector<std::size_t> widths(2 * matrix.columns.size() + 1, 0);
    for (const Line &line : lines)
        for (std::size_t i = 0; i < line.size(); ++i)
            widths[i] = std::max(widths[i], columnsOf(line[i]));
    for (std::size_t column = 0; column < matrix.columns.size(); ++column) { // a title stands over time and difference
        const std::size_t title = columnsOf(shortName(matrix.columns[column])), difference = widths[2 * column + 2] + 1;
        widths[2 * column + 1] = std::max(widths[2 * column + 1], title - std::min(title, difference));
    }
    std::string text = padded("µs a step", widths[0], false);
    for (std::size_t column = 0; column < matrix.columns.size(); ++column)
        text += "   " + padded(shortName(matrix.columns[column]), widths[2 * column + 1] + 1 + widths[2 * column + 2], true);
    text += '\n';
    for (const Line &line : lines) {
        std::string written = padded(line[0], widths[0], false);
        for (std::size_t i = 1; i < line.size(); ++i)
            written += (i % 2 == 1 ? "   " : " ") + padded(line[i], widths[i], true);
        written.erase(written.find_last_not_of(' ') + 1);
        text += written + '\n';
    }
    return text;
}

nlohmann::ordered_json opMatrixJson(const OpMatrix &matrix, std::size_t against)
{
    using Json = nlohmann::ordered_json;
    const auto cells = [&](const Times &times) {
        Json list = Json::array();
        for (const std::optional<OpTime> &time : times)
            list.push_back(time ? Json{{"us", time->us},
                                       {"spread_us", time->spreadUs},
                                       {"difference_us", time->us - valueOf(times[against])},
                                       {"within_spread", isWithinSpread(time, times[against])}}
                                : Json());
        return list;
    };
    Json rows = Json::array();
    for (const OpMatrix::Row &row : matrix.rows)
        rows.push_back({{"op", nameOf(row.op)}, {"runs", cells(row.times)}});
    return {{"runs", matrix.columns},
            {"against", matrix.columns[against]},
            {"rows", std::move(rows)},
            {"whole_step", cells(whole(matrix))},
            {"kernels", matrix.kernels}};
}

} // namespace zigzag
