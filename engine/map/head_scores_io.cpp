// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/head_scores_io.h"

#include "engine/base/file_content.h"
#include "engine/base/files.h"
#include "engine/map/checks.h"
#include "engine/map/map_io.h"
#include "engine/map/score_formats.h"
#include "engine/map/shape_json.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

namespace {

constexpr std::string_view formatName = "zigzag-head-scores";
constexpr int formatVersion = 1;
constexpr std::uint64_t largestFile = 64ull << 20;

/// Above every logit that a model gives.
constexpr double largestLogit = 1e30;

/// The layers × KV heads under `key`, every one in [least, most].
Result<std::vector<float>> readGrid(const json::Value &document, std::string_view key, const ModelShape &model,
                                    const std::string &where, double least = 0.0, double most = 1.0)
{
    ZIGZAG_TRY(rows, json::arrayIn(document, key, where));
    if (rows->size() != static_cast<std::size_t>(model.layers))
        return badInput(
            fmt::format("{}: \"{}\" has {} rows for {} layers; give one for each layer", where, key, rows->size(), model.layers));
    std::vector<float> grid;
    for (std::size_t layer = 0; layer < rows->size(); ++layer) {
        const json::Value &row = (*rows)[layer];
        if (!row.is_array() || row.size() != static_cast<std::size_t>(model.kvHeads))
            return badInput(fmt::format("{}: layer {} of \"{}\" is no list of {} numbers; give one for each KV head", where,
                                        layer, key, model.kvHeads));
        for (std::size_t head = 0; head < row.size(); ++head) {
            ZIGZAG_TRY(
                value,
                json::asNumber(row[head], fmt::format("layer {}, head {} of \"{}\"", layer, head, key), least, most, where));
            grid.push_back(static_cast<float>(value));
        }
    }
    return grid;
}

std::string gridJson(const std::vector<float> &grid, int columns)
{
    std::string text;
    for (std::size_t i = 0; i < grid.size(); ++i) {
        const bool rowBegins = i % static_cast<std::size_t>(columns) == 0;
        text += rowBegins ? (i == 0 ? "\n  [" : "],\n  [") : ", ";
        text += fmt::format("{}", grid[i]);
    }
    return "[" + text + "]]";
}

/// The model's name for a file that does not tell it: the folder, or the file without its ending.
std::string nameFrom(const std::filesystem::path &path, bool isFolder)
{
    if (!isFolder)
        return path.stem().string();
    const std::filesystem::path folder = path.has_filename() ? path : path.parent_path();
    return folder.filename().string();
}

/// DuoAttention keeps the window that its gates were trained for beside them.
void noteTrainedWindow(const std::filesystem::path &folder, HeadScores &scores)
{
    const auto text = readTextFile(folder / "config.json", largestFile);
    const auto config = text ? json::parse(*text, "config.json") : tl::unexpected(text.error());
    if (!config)
        return;
    const auto sink = json::integerIn(*config, "sink_size", 0, maxWindow, "config.json");
    const auto recent = json::integerIn(*config, "recent_size", 1, maxWindow, "config.json");
    if (sink && recent)
        scores.notes.push_back(fmt::format("the gates were trained with sink {} and recent {}", *sink, *recent));
}

Result<HeadScores> parseJson(std::string_view text, const ScoreSource &source)
{
    ZIGZAG_TRY(root, json::parse(text, source.where));
    const bool isRetrievalHead = root.is_object() && !root.empty() && !root.contains("format");
    return isRetrievalHead ? parseRetrievalHead(root, source) : parseHeadScores(root, source);
}

} // namespace

Result<HeadScores> parseHeadScores(const json::Value &root, const ScoreSource &source)
{
    const std::string &where = source.where;
    ZIGZAG_CHECK(json::checkFormat(root, formatName, formatVersion, where));
    HeadScores result;
    ZIGZAG_TRY(model, readModel(root, where));
    result.model = model;
    ZIGZAG_TRY(method, json::stringOr(root, "method", {}, where));
    result.method = method;
    ZIGZAG_TRY(unit, json::stringOr(root, "unit", "kv_head", where));
    if (unit != "kv_head")
        return badInput(fmt::format("{}: the unit is \"{}\"; only \"kv_head\" is known, so fold the scores to KV heads first",
                                    where, json::printable(unit)));
    ZIGZAG_TRY(scores, readGrid(root, "scores", model, where));
    result.scores = std::move(scores);
    if (json::find(root, "spread")) {
        ZIGZAG_TRY(spread, readGrid(root, "spread", model, where));
        result.spread = std::move(spread);
    }
    for (const auto &[key, grid] : {std::pair{"logits", &result.logits}, std::pair{"logits_beyond", &result.logitsBeyond}}) {
        if (!json::find(root, key))
            continue;
        ZIGZAG_TRY(logits, readGrid(root, key, model, where, -largestLogit, largestLogit));
        *grid = std::move(logits);
    }
    ZIGZAG_TRY(engine, json::stringOr(root, "engine", {}, where));
    result.engine = engine;
    if (!engine.empty())
        result.notes.push_back(fmt::format("layers were measured as {} runs them", json::printable(engine)));
    ZIGZAG_TRY(unanswered, json::booleanOr(root, "unanswered", false, where));
    result.unanswered = unanswered;
    if (unanswered)
        result.notes.push_back("the model answered no prompt when these scores were made: they say nothing of its heads");
    if (source.model) {
        ZIGZAG_CHECK(checkFits(HeadMap(model, HeadKind::Retrieval, 0, 1), *source.model, where));
        if (std::string note = otherWeightsNote(model, *source.model, where); !note.empty())
            result.notes.push_back(std::move(note));
        result.model = mergedShape(*source.model, model);
    }
    return result;
}

Result<void> checkGrid(std::size_t layers, std::size_t heads, int modelLayers, int modelHeads, std::string_view headWord,
                       const std::string &where)
{
    const auto wantedLayers = static_cast<std::size_t>(modelLayers), wantedHeads = static_cast<std::size_t>(modelHeads);
    if (layers == wantedLayers && heads == wantedHeads)
        return {};
    const bool transposed = layers == wantedHeads && heads == wantedLayers;
    return badInput(fmt::format("{}: scores of {} layers x {} heads, but the model has {} x {} {}; {}", where, layers, heads,
                                modelLayers, modelHeads, headWord,
                                transposed ? "it looks transposed: give a row for each layer" : "give scores of this model"));
}

std::vector<float> clipped(const std::vector<double> &scores, std::vector<std::string> &notes)
{
    std::vector<float> result;
    int changed = 0;
    for (const double score : scores) {
        result.push_back(static_cast<float>(std::clamp(score, 0.0, 1.0)));
        changed += score < 0.0 || score > 1.0;
    }
    if (changed > 0)
        notes.push_back(fmt::format("{} of {} scores were clipped to [0, 1]", changed, scores.size()));
    return result;
}

Result<HeadScores> parseScores(std::string_view text, const ScoreSource &source)
{
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first != std::string::npos && (text[first] == '{' || text[first] == '['))
        return parseJson(text, source);
    return parseDuoAttention(text, source);
}

Result<HeadScores> readHeadScores(const std::filesystem::path &path, const std::optional<ModelShape> &model, Fold fold)
{
    std::error_code ignored;
    const bool isFolder = std::filesystem::is_directory(path, ignored);
    const std::filesystem::path file = isFolder ? path / "full_attention_heads.tsv" : path;
    if (isFolder && !std::filesystem::exists(file, ignored))
        return badInput(fmt::format(
            "{}: this folder has no full_attention_heads.tsv; give a file of scores or a DuoAttention folder", path.string()));
    if (model)
        ZIGZAG_CHECK(checkShape(*model, model->name));
    const ScoreSource source{file.string(), nameFrom(path, isFolder), model, fold};
    ZIGZAG_TRY(text, readTextFile(file, largestFile));
    if (const FileContent content = contentOf(text); !isHeadScores(content) && content != FileContent::OtherJson)
        return wrongContent(source.where, {content, false}, "head scores");
    ZIGZAG_TRY(scores, parseScores(text, source));
    if (isFolder)
        noteTrainedWindow(path, scores);
    return scores;
}

std::string toJson(const HeadScores &scores)
{
    const int columns = scores.model.kvHeads;
    std::string text = fmt::format(
        "{{\"format\": \"{}\", \"version\": {},\n \"model\": {},\n \"method\": {}, \"unit\": \"kv_head\",\n \"scores\": {}",
        formatName, formatVersion, modelJson(scores.model), jsonString(scores.method), gridJson(scores.scores, columns));
    if (!scores.spread.empty())
        text += ",\n \"spread\": " + gridJson(scores.spread, columns);
    if (!scores.logits.empty())
        text += ",\n \"logits\": " + gridJson(scores.logits, columns);
    if (!scores.logitsBeyond.empty())
        text += ",\n \"logits_beyond\": " + gridJson(scores.logitsBeyond, columns);
    if (!scores.engine.empty())
        text += ",\n \"engine\": " + jsonString(scores.engine);
    if (scores.unanswered)
        text += ",\n \"unanswered\": true";
    return text + "}\n";
}

Result<void> writeHeadScores(const HeadScores &scores, const std::filesystem::path &file)
{
    ZIGZAG_CHECK(checkScores(scores, file.string()));
    return writeFileAtomically(file, toJson(scores));
}

} // namespace zigzag
