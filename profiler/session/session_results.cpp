// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/session/session_results.h"

#include "engine/base/json_input.h"
#include "engine/map/map_io.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace zigzag {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view needleFormat = "zigzag-needle", sweepFormat = "zigzag-sweep", qualityFormat = "zigzag-quality";
constexpr int formatVersion = 1;
constexpr std::size_t mostCells = 100'000, mostPoints = 100'000;
constexpr std::int64_t longestContext = std::int64_t{1} << 40;
constexpr int mostTrials = 1 << 20, mostPrompts = 1 << 24;
constexpr double largest = 1e100;

std::string line(const Json &value)
{
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// mean, low, high, error, count
Json intervalJson(const Interval &interval)
{
    return Json::array({interval.mean, interval.low, interval.high, interval.error, interval.count});
}

Result<Interval> readInterval(const json::Value &point, std::string_view key, const std::string &where)
{
    constexpr std::size_t numbers = 5;
    ZIGZAG_TRY(list, json::arrayIn(point, key, where));
    if (list->size() != numbers)
        return badInput(fmt::format("{}: \"{}\" must be mean, low, high, error and count; sweep anew", where, key));
    std::array<double, numbers - 1> values{};
    for (std::size_t i = 0; i < values.size(); ++i) {
        ZIGZAG_TRY(value, json::asNumber((*list)[i], std::string(key), -largest, largest, where));
        values[i] = value;
    }
    ZIGZAG_TRY(count, json::asInteger(list->back(), std::string(key), 0, mostPrompts, where));
    return Interval{values[0], values[1], values[2], values[3], static_cast<int>(count)};
}

Result<SweepPoint> readPoint(const json::Value &value, const std::string &where)
{
    ZIGZAG_TRY(mapJson, json::objectIn(value, "map", where));
    ZIGZAG_TRY(map, parseHeadMap(mapJson->dump(), where));
    SweepPoint point{std::move(map), {}};
    ZIGZAG_TRY(loss, readInterval(value, "loss", where));
    ZIGZAG_TRY(kl, readInterval(value, "kl", where));
    ZIGZAG_TRY(right, readInterval(value, "right", where));
    ZIGZAG_TRY(rightFull, readInterval(value, "right_full", where));
    ZIGZAG_TRY(prompts, json::integerIn(value, "prompts", 0, mostPrompts, where));
    point.quality = {loss, kl, right, rightFull, static_cast<int>(prompts)};
    return point;
}

} // namespace

std::string needleText(const NeedleRecord &needle)
{
    std::string text
        = fmt::format("{{\"format\": \"{}\", \"version\": {},\n \"map\": {}, \"engine\": {},\n \"planned\": {},\n \"grid\": [",
                      needleFormat, formatVersion, line(needle.mapFingerprint), line(needle.engine), needle.result.planned);
    const char *between = "";
    for (const NeedleCell &cell : needle.result.grid) {
        text += fmt::format("{}\n  {{\"context\": {}, \"depth\": {}, \"trials\": {}, \"found\": {}}}", between, cell.context,
                            cell.depth, cell.trials, cell.found);
        between = ",";
    }
    return text + "]}\n";
}

Result<NeedleRecord> needleFrom(std::string_view text, const std::string &where)
{
    ZIGZAG_TRY(document, json::parse(text, where));
    ZIGZAG_CHECK(json::checkFormat(document, needleFormat, formatVersion, where));
    NeedleRecord needle;
    ZIGZAG_TRY(map, json::stringOr(document, "map", {}, where));
    ZIGZAG_TRY(engine, json::stringOr(document, "engine", {}, where));
    needle.mapFingerprint = std::move(map);
    needle.engine = std::move(engine);
    ZIGZAG_TRY(grid, json::arrayIn(document, "grid", where));
    if (grid->size() > mostCells)
        return badInput(fmt::format("{}: more than {} cells; ask anew", where, mostCells));
    std::int64_t trials = 0, found = 0;
    for (const json::Value &value : *grid) {
        ZIGZAG_TRY(context, json::integerIn(value, "context", 1, longestContext, where));
        ZIGZAG_TRY(depth, json::numberIn(value, "depth", 0, 1, where));
        ZIGZAG_TRY(asked, json::integerIn(value, "trials", 1, mostTrials, where));
        ZIGZAG_TRY(right, json::integerIn(value, "found", 0, asked, where));
        trials += asked;
        found += right;
        needle.result.grid.push_back({context, depth, static_cast<int>(asked), static_cast<int>(right)});
        needle.result.trials = std::max(needle.result.trials, static_cast<int>(asked)); // a cell with fewer was stopped
    }
    ZIGZAG_TRY(
        planned,
        json::integerOr(document, "planned", std::ssize(needle.result.grid), 0, static_cast<std::int64_t>(mostCells), where));
    needle.result.planned = static_cast<int>(planned);
    needle.result.accuracy = trials > 0 ? static_cast<double>(found) / static_cast<double>(trials) : 0;
    return needle;
}

std::string qualityText(const QualityRecord &quality)
{
    std::string text
        = fmt::format("{{\"format\": \"{}\", \"version\": {},\n \"axis\": {}, \"asked\": {}, \"engine\": {},\n \"points\": [",
                      qualityFormat, formatVersion, line(quality.axis), line(quality.asked), line(quality.engine));
    const char *between = "";
    for (const QualityRecord::Point &point : quality.points) {
        text += fmt::format("{}\n  {{\"quality\": {},\n   \"map\": {}}}", between, line(intervalJson(point.quality)),
                            toJson(point.map));
        between = ",";
    }
    return text + "]}\n";
}

Result<QualityRecord> qualityFrom(std::string_view text, const std::string &where)
{
    constexpr std::array<std::string_view, 3> axes{"ruler", "questions", "perplexity"};
    ZIGZAG_TRY(document, json::parse(text, where));
    ZIGZAG_CHECK(json::checkFormat(document, qualityFormat, formatVersion, where));
    QualityRecord quality;
    ZIGZAG_TRY(axis, json::stringIn(document, "axis", where));
    if (std::find(axes.begin(), axes.end(), axis) == axes.end())
        return badInput(fmt::format("{}: \"axis\" is none of ruler, questions and perplexity; sweep anew", where));
    ZIGZAG_TRY(asked, json::stringOr(document, "asked", {}, where));
    ZIGZAG_TRY(engine, json::stringOr(document, "engine", {}, where));
    quality.axis = std::move(axis);
    quality.asked = std::move(asked);
    quality.engine = std::move(engine);
    ZIGZAG_TRY(points, json::arrayIn(document, "points", where));
    if (points->size() > mostPoints)
        return badInput(fmt::format("{}: more than {} points; sweep anew", where, mostPoints));
    for (const json::Value &value : *points) {
        const std::string place = fmt::format("{}, point {}", where, quality.points.size());
        ZIGZAG_TRY(mapJson, json::objectIn(value, "map", place));
        ZIGZAG_TRY(map, parseHeadMap(mapJson->dump(), place));
        ZIGZAG_TRY(interval, readInterval(value, "quality", place));
        quality.points.push_back({std::move(map), interval});
    }
    return quality;
}

std::string sweepText(const SweepRecord &sweep)
{
    std::string text = fmt::format(
        "{{\"format\": \"{}\", \"version\": {},\n \"criterion\": {}, \"scores\": {}, \"engine\": {},\n "
        "\"planned_prompts\": {},\n \"points\": [",
        sweepFormat, formatVersion, line(sweep.criterion), line(sweep.scores), line(sweep.engine), sweep.plannedPrompts);
    const char *between = "";
    for (const SweepPoint &point : sweep.points) {
        const MapQuality &quality = point.quality;
        text += fmt::format(
            "{}\n  {{\"prompts\": {}, \"loss\": {}, \"kl\": {}, \"right\": {}, \"right_full\": {},\n   \"map\": {}}}", between,
            quality.prompts, line(intervalJson(quality.loss)), line(intervalJson(quality.kl)), line(intervalJson(quality.right)),
            line(intervalJson(quality.rightFull)), toJson(point.map));
        between = ",";
    }
    return text + "]}\n";
}

Result<SweepRecord> sweepFrom(std::string_view text, const std::string &where)
{
    ZIGZAG_TRY(document, json::parse(text, where));
    ZIGZAG_CHECK(json::checkFormat(document, sweepFormat, formatVersion, where));
    SweepRecord sweep;
    ZIGZAG_TRY(criterion, json::stringOr(document, "criterion", {}, where));
    ZIGZAG_TRY(scores, json::stringOr(document, "scores", {}, where));
    ZIGZAG_TRY(engine, json::stringOr(document, "engine", {}, where));
    ZIGZAG_TRY(planned, json::integerOr(document, "planned_prompts", 0, 0, mostPrompts, where));
    sweep.criterion = std::move(criterion);
    sweep.scores = std::move(scores);
    sweep.engine = std::move(engine);
    sweep.plannedPrompts = static_cast<int>(planned);
    ZIGZAG_TRY(points, json::arrayIn(document, "points", where));
    if (points->size() > mostPoints)
        return badInput(fmt::format("{}: more than {} points; sweep anew", where, mostPoints));
    for (const json::Value &value : *points) {
        ZIGZAG_TRY(point, readPoint(value, fmt::format("{}, point {}", where, sweep.points.size())));
        sweep.points.push_back(std::move(point));
    }
    return sweep;
}

} // namespace zigzag
