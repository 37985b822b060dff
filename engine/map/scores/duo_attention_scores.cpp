// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/json_input.h"
#include "engine/map/checks.h"
#include "engine/map/score_formats.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

namespace zigzag {

namespace {

Result<double> parseGate(std::string_view cell, std::size_t line, std::size_t column, const std::string &where)
{
    double value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error != std::errc{} || end != cell.data() + cell.size())
        return badInput(fmt::format("{}: line {}, column {}: '{}' is not a number; give tab-separated gates, a line per layer",
                                    where, line, column, json::printable(cell)));
    if (!std::isfinite(value))
        return badInput(fmt::format("{}: line {}, column {}: '{}' is not finite; give gates in [0, 1]", where, line, column,
                                    json::printable(cell)));
    return value;
}

/// Takes what lies before the separator off the front of `rest`.
std::string_view takeUntil(std::string_view &rest, char separator)
{
    const std::size_t end = std::min(rest.find(separator), rest.size());
    const std::string_view head = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return head;
}

} // namespace

Result<HeadScores> parseDuoAttention(std::string_view text, const ScoreSource &source)
{
    std::vector<double> gates;
    std::size_t layers = 0, heads = 0;
    for (std::size_t line = 1; !text.empty(); ++line) {
        std::string_view row = takeUntil(text, '\n');
        if (row.ends_with('\r'))
            row.remove_suffix(1);
        if (row.empty())
            continue;
        const auto columns = static_cast<std::size_t>(std::count(row.begin(), row.end(), '\t')) + 1;
        if (layers == 0)
            heads = columns;
        if (++layers > maxLayers || columns > maxHeads)
            return badInput(fmt::format("{}: line {}: more than {} layers or {} KV heads; this is no file of head scores",
                                        source.where, line, maxLayers, maxHeads));
        for (std::size_t column = 1; column <= columns; ++column) {
            ZIGZAG_TRY(gate, parseGate(takeUntil(row, '\t'), line, column, source.where));
            gates.push_back(gate);
        }
        if (columns != heads)
            return badInput(fmt::format("{}: line {} has {} columns, the lines before it have {}; give one gate for each KV head",
                                        source.where, line, columns, heads));
    }
    if (layers == 0)
        return badInput(fmt::format("{}: the file is empty; give head scores", source.where));
    HeadScores result;
    result.method = "duo-attention";
    if (source.model) {
        ZIGZAG_CHECK(checkGrid(layers, heads, source.model->layers, source.model->kvHeads, "KV heads", source.where));
        result.model = *source.model;
    } else {
        result.model = {source.name, static_cast<int>(layers), 0, static_cast<int>(heads), 0, {}};
        result.notes.push_back("no model was given: query heads and head size are not known");
    }
    result.scores = clipped(gates, result.notes);
    return result;
}

} // namespace zigzag
