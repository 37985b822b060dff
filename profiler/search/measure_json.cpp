// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/search/measure_json.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace zigzag {
namespace {

const std::string where = "the progress of the search";

json::Value measureJson(const PromptMeasure &measure)
{
    if (std::isnan(measure.answer)) // from a file of before, and kept in its form
        return json::Value::array({measure.loss, measure.kl, measure.right});
    return json::Value::array({measure.loss, measure.kl, measure.right, measure.answer, measure.answerRise});
}

Result<PromptMeasure> readMeasure(const json::Value &entry, bool withAnswers)
{
    if (!entry.is_array() || (entry.size() != 5 && (withAnswers || entry.size() != 3)))
        return badInput(where + " has a measure that is none: start the search again");
    ZIGZAG_TRY(loss, json::asNumber(entry[0], "a loss", 0.0, largestLoss, where));
    ZIGZAG_TRY(kl, json::asNumber(entry[1], "a divergence", 0.0, largestLoss, where));
    ZIGZAG_TRY(right, json::asNumber(entry[2], "a share", 0.0, 1.0, where));
    constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
    if (entry.size() == 3)
        return PromptMeasure{loss, kl, right, unknown, unknown};
    ZIGZAG_TRY(answer, json::asNumber(entry[3], "a loss", 0.0, largestLoss, where));
    ZIGZAG_TRY(rise, json::asNumber(entry[4], "a rise", -largestLoss, largestLoss, where));
    return PromptMeasure{loss, kl, right, answer, rise};
}

} // namespace

json::Value measuresJson(const std::vector<std::vector<PromptMeasure>> &prompts)
{
    json::Value list = json::Value::array();
    for (const auto &maps : prompts) {
        json::Value row = json::Value::array();
        for (const PromptMeasure &measure : maps)
            row.push_back(measureJson(measure));
        list.push_back(std::move(row));
    }
    return list;
}

json::Value begunJson(const BegunPrompt &begun)
{
    json::Value row = json::Value::array();
    for (const auto &measure : begun)
        row.push_back(measure ? measureJson(*measure) : json::Value());
    return row;
}

Result<std::vector<std::vector<PromptMeasure>>> readMeasures(const json::Value &list, std::size_t prompts, std::size_t maps,
                                                             bool withAnswers)
{
    if (!list.is_array() || list.size() > prompts)
        return badInput(where + " has more prompts than the search: start it again");
    std::vector<std::vector<PromptMeasure>> measures;
    for (const json::Value &row : list) {
        if (!row.is_array() || row.size() != maps)
            return badInput(where + " has measures of another search: start it again");
        std::vector<PromptMeasure> &to = measures.emplace_back();
        for (const json::Value &entry : row) {
            ZIGZAG_TRY(measure, readMeasure(entry, withAnswers));
            to.push_back(measure);
        }
    }
    return measures;
}

Result<BegunPrompt> readBegun(const json::Value &root, std::size_t maps, bool withAnswers)
{
    BegunPrompt begun;
    if (!json::find(root, "begun"))
        return begun;
    ZIGZAG_TRY(row, json::arrayIn(root, "begun", where));
    if (row->size() != maps)
        return badInput(where + " has measures of another search: start it again");
    for (const json::Value &entry : *row) {
        if (entry.is_null()) {
            begun.emplace_back();
            continue;
        }
        ZIGZAG_TRY(measure, readMeasure(entry, withAnswers));
        begun.emplace_back(measure);
    }
    return begun;
}

Result<std::vector<int>> readUnits(const json::Value &list, int count)
{
    if (!list.is_array() || list.size() > static_cast<std::size_t>(count))
        return badInput(where + " names more layers or heads than there are: start the search again");
    std::vector<int> units;
    for (const json::Value &entry : list) {
        ZIGZAG_TRY(unit, json::asInteger(entry, "a layer or head", 0, count - 1, where));
        if (std::find(units.begin(), units.end(), unit) != units.end())
            return badInput(where + " names a layer or head twice: start the search again");
        units.push_back(static_cast<int>(unit));
    }
    return units;
}

} // namespace zigzag
