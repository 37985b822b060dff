// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/map_io.h"

#include "engine/base/file_content.h"
#include "engine/base/files.h"
#include "engine/base/version.h"
#include "engine/map/checks.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/shape_json.h"

#include <fmt/format.h>

namespace zigzag {

namespace {

constexpr std::string_view formatName = "zigzag-head-map";
constexpr int newestVersion = 2; ///< 1 is written wherever it says everything: more programs read it
constexpr std::uint64_t largestFile = 64ull << 20;

constexpr std::string_view localRow = "L"; ///< of a layer that the model's own file makes local: nothing in it is the map's

/// The letters of one layer; `what` names where they stand.
Result<void> readLetters(const std::string &row, int layer, HeadMap &map, std::string_view what, const std::string &where)
{
    if (row.size() != static_cast<std::size_t>(map.kvHeads()))
        return badInput(fmt::format("{}: layer {} of \"{}\" has {} letters for {} KV heads; give one for each KV head", where,
                                    layer, what, row.size(), map.kvHeads()));
    for (int head = 0; head < map.kvHeads(); ++head) {
        const char letter = row[static_cast<std::size_t>(head)];
        if (letter != 'R' && letter != 'S')
            return badInput(fmt::format("{}: layer {} of \"{}\" is \"{}\"; only R (retrieval) and S (streaming) are known{}",
                                        where, layer, what, json::printable(row),
                                        what == "layers" ? ", or \"L\" alone for a local layer" : ""));
        map.set(layer, head, letter == 'R' ? HeadKind::Retrieval : HeadKind::Streaming);
    }
    return {};
}

/// The array under `key`, which has an entry for each layer.
Result<const json::Value *> layersIn(const json::Value &document, std::string_view key, int layers, const std::string &where)
{
    ZIGZAG_TRY(rows, json::arrayIn(document, key, where));
    if (rows->size() != static_cast<std::size_t>(layers))
        return badInput(
            fmt::format("{}: \"{}\" has {} lines for {} layers; give one for each layer", where, key, rows->size(), layers));
    return rows;
}

Result<StreamingWindow> readWindow(const json::Value &object, const std::string &where)
{
    ZIGZAG_TRY(sink, json::integerIn(object, "sink", 0, maxWindow, where));
    ZIGZAG_TRY(recent, json::integerIn(object, "recent", 1, maxWindow, where));
    return StreamingWindow{static_cast<int>(sink), static_cast<int>(recent)};
}

/// Version 1: one window, and a line of letters for each layer.
Result<HeadMap> readOneWindow(const json::Value &document, const ModelShape &model, const std::string &where)
{
    ZIGZAG_TRY(window, readWindow(document, where));
    ZIGZAG_TRY(rows, layersIn(document, "heads", model.layers, where));
    HeadMap map(model, HeadKind::Retrieval, window.sink, window.recent);
    for (int layer = 0; layer < map.layers(); ++layer) {
        ZIGZAG_TRY(row,
                   json::asString((*rows)[static_cast<std::size_t>(layer)], fmt::format("layer {} of \"heads\"", layer), where));
        ZIGZAG_CHECK(readLetters(row, layer, map, "heads", where));
    }
    return map;
}

/// The model with the layers that version 2 says are local; how wide their windows are, "model" says or nobody does.
Result<ModelShape> withLocalLayers(ModelShape model, const json::Value &layers, const std::string &where)
{
    const bool isTold = !model.fileWindows.empty();
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
        const json::Value *row = layers[layer].is_object() ? json::find(layers[layer], "heads") : nullptr;
        if (!row || *row != localRow)
            continue;
        if (isTold && model.fileWindows[layer] == 0)
            return badInput(fmt::format("{}: layer {} of \"layers\" is \"L\", but \"file_windows\" gives it no window; correct "
                                        "one of them",
                                        where, layer));
        if (!isTold) {
            model.fileWindows.resize(layers.size());
            model.fileWindows[layer] = unknownWindow;
        }
    }
    return model;
}

/// Version 2: an object for each layer, with its letters and its window, or "L" alone.
Result<HeadMap> readWindows(const json::Value &document, const ModelShape &shape, const std::string &where)
{
    ZIGZAG_TRY(layers, layersIn(document, "layers", shape.layers, where));
    ZIGZAG_TRY(model, withLocalLayers(shape, *layers, where));
    HeadMap map(model, HeadKind::Retrieval, defaultSink, defaultRecent);
    for (int layer = 0; layer < map.layers(); ++layer) {
        const json::Value &entry = (*layers)[static_cast<std::size_t>(layer)];
        if (!entry.is_object())
            return badInput(fmt::format("{}: layer {} of \"layers\" must be an object, not {}", where, layer, entry.type_name()));
        const std::string whereLayer = fmt::format("{}: layer {} of \"layers\"", where, layer);
        ZIGZAG_TRY(row, json::stringIn(entry, "heads", whereLayer));
        if (row == localRow && map.isLocal(layer))
            continue;
        ZIGZAG_CHECK(readLetters(row, layer, map, "layers", where));
        ZIGZAG_TRY(window, readWindow(entry, whereLayer));
        map.setLayerWindow(layer, window.sink, window.recent);
    }
    return map;
}

Result<Provenance> readProvenance(const json::Value &document, const std::string &where)
{
    if (!json::find(document, "provenance")) // a map made by hand need not say where it came from
        return Provenance{};
    ZIGZAG_TRY(source, json::objectIn(document, "provenance", where));
    ZIGZAG_TRY(criterion, json::stringOr(*source, "criterion", {}, where));
    ZIGZAG_TRY(scores, json::stringOr(*source, "scores", {}, where));
    ZIGZAG_TRY(sparsity, json::numberOr(*source, "sparsity", 0.0, 0.0, 1.0, where));
    ZIGZAG_TRY(tool, json::stringOr(*source, "tool", {}, where));
    ZIGZAG_TRY(engine, json::stringOr(*source, "engine", {}, where));
    return Provenance{criterion, scores, sparsity, tool, engine};
}

/// A DuoAttention folder whose gates are decided already: each 0 or 1. Its config.json has the window.
Result<HeadMap> readPatternFolder(const std::filesystem::path &folder)
{
    const std::string where = folder.string(), config = (folder / "config.json").string();
    ZIGZAG_TRY(scores, readHeadScores(folder));
    ZIGZAG_TRY(text, readTextFile(config, largestFile));
    ZIGZAG_TRY(document, json::parse(text, config));
    ZIGZAG_TRY(sink, json::integerIn(document, "sink_size", 0, maxWindow, config));
    ZIGZAG_TRY(recent, json::integerIn(document, "recent_size", 1, maxWindow, config));
    HeadMap map(scores.model, HeadKind::Retrieval, static_cast<int>(sink), static_cast<int>(recent));
    for (int layer = 0; layer < map.layers(); ++layer)
        for (int head = 0; head < map.kvHeads(); ++head) {
            const float gate = scores.at(layer, head);
            if (gate != 0.0f && gate != 1.0f)
                return badInput(fmt::format("{}: the gate of layer {}, head {} is {}, and a map has 0 or 1; decide with zigzag "
                                            "assign which heads stream",
                                            where, layer, head, gate));
            if (gate == 0.0f)
                map.set(layer, head, HeadKind::Streaming);
        }
    map.setProvenance({"as in the folder", scores.method, map.sparsity(), std::string(programVersion)});
    return map;
}

} // namespace

Result<HeadMap> parseHeadMap(std::string_view text, const std::string &where)
{
    ZIGZAG_TRY(document, json::parse(text, where));
    ZIGZAG_TRY(version, json::versionIn(document, formatName, 1, newestVersion, where));
    ZIGZAG_TRY(model, readModel(document, where));
    ZIGZAG_TRY(map, version == 1 ? readOneWindow(document, model, where) : readWindows(document, model, where));
    ZIGZAG_TRY(provenance, readProvenance(document, where));
    map.setProvenance(provenance);
    return map;
}

Result<HeadMap> readHeadMap(const std::filesystem::path &file)
{
    std::error_code ignored;
    if (std::filesystem::exists(file / "full_attention_heads.tsv", ignored))
        return readPatternFolder(file);
    const std::string where = file.string();
    ZIGZAG_TRY(text, readTextFile(file, largestFile));
    // JSON of an unknown kind may be a map whose beginning is not a map's: the parser says what is wrong with it.
    if (const FileContent content = contentOf(text); content != FileContent::HeadMap && content != FileContent::OtherJson)
        return wrongContent(where, {content, false}, "a head map");
    return parseHeadMap(text, where);
}

std::string toJson(const HeadMap &map)
{
    const std::optional<StreamingWindow> one
        = map.model().localLayers() == 0 ? map.oneWindow() : std::optional<StreamingWindow>();
    std::string rows;
    for (int layer = 0; layer < map.layers(); ++layer) {
        rows += layer == 0 ? "\n  " : ",\n  ";
        const StreamingWindow window = map.window(layer);
        rows += one ? fmt::format("\"{}\"", map.letters(layer))
            : map.isLocal(layer)
            ? fmt::format("{{\"heads\": \"{}\"}}", localRow)
            : fmt::format("{{\"heads\": \"{}\", \"sink\": {}, \"recent\": {}}}", map.letters(layer), window.sink, window.recent);
    }
    const std::string heads = one ? fmt::format("\"sink\": {}, \"recent\": {},\n \"heads\": [{}]", one->sink, one->recent, rows)
                                  : fmt::format("\"layers\": [{}]", rows);
    const Provenance &from = map.provenance();
    return fmt::format("{{\"format\": \"{}\", \"version\": {},\n \"model\": {},\n {},\n"
                       " \"provenance\": {{\"criterion\": {}, \"scores\": {}, \"sparsity\": {}, \"tool\": {}{}}}}}\n",
                       formatName, one ? 1 : newestVersion, modelJson(map.model()), heads, jsonString(from.criterion),
                       jsonString(from.scores), from.sparsity, jsonString(from.tool),
                       from.engine.empty() ? "" : ", \"engine\": " + jsonString(from.engine));
}

Result<void> writeHeadMap(const HeadMap &map, const std::filesystem::path &file)
{
    return writeFileAtomically(file, toJson(map));
}

Result<HeadMap> resolveHeadMap(const std::string &name, const ModelShape &model, int sink, int recent, std::string *note)
{
    if (name == "full" || name == "streaming") {
        ZIGZAG_CHECK(checkWindow(sink, recent, "map '" + name + "'"));
        const HeadKind everywhere = name == "full" ? HeadKind::Retrieval : HeadKind::Streaming;
        HeadMap map(model, everywhere, sink, recent);
        map.setProvenance({name, {}, map.sparsity(), std::string(programVersion)});
        return map;
    }
    ZIGZAG_TRY(map, readHeadMap(name));
    ZIGZAG_CHECK(checkFits(map, model, name));
    if (note)
        *note = fitNote(map, model, name);
    map.setModel(mergedShape(model, map.model())); // the model may know what the file does not: the head size, say
    return map;
}

Result<void> checkFits(const HeadMap &map, const ModelShape &model, const std::string &where)
{
    const ModelShape &wanted = map.model();
    if (wanted.layers != model.layers || wanted.kvHeads != model.kvHeads)
        return badInput(fmt::format("{}: made for {} layers x {} KV heads, but {} has {} x {}; give a file for this model", where,
                                    wanted.layers, wanted.kvHeads, model.name, model.layers, model.kvHeads));
    const auto contradict = [](int a, int b) { return a != 0 && b != 0 && a != b; }; // 0 = not known
    const auto contradictWindows = [](std::int64_t a, std::int64_t b) { return a > 0 && b > 0 && a != b; };
    if (contradict(wanted.queryHeads, model.queryHeads) || contradict(wanted.headDim, model.headDim))
        return badInput(
            fmt::format("{}: made for {} query heads of size {}, but {} has {} of size {}; give a file for this model", where,
                        wanted.queryHeads, wanted.headDim, model.name, model.queryHeads, model.headDim));
    for (int layer = 0; layer < map.layers(); ++layer) {
        if (map.isLocal(layer) && !model.isLocal(layer))
            return badInput(
                fmt::format("{}: layer {} is \"L\", local by the model's own file, and in {} it is not; give a map for "
                            "this model",
                            where, layer, model.name));
        const auto at = static_cast<std::size_t>(layer);
        if (map.isLocal(layer) && contradictWindows(wanted.fileWindows[at], model.fileWindows[at]))
            return badInput(
                fmt::format("{}: layer {} has a window of {} tokens in the model it was made for, and {} in {}; give a "
                            "map for this model",
                            where, layer, wanted.fileWindows[at], model.fileWindows[at], model.name));
    }
    return {};
}

std::string fitNote(const HeadMap &map, const ModelShape &model, const std::string &where)
{
    int layers = 0;
    for (int layer = 0; layer < map.layers(); ++layer)
        layers += model.isLocal(layer) && !map.isLocal(layer);
    std::string note;
    if (layers > 0)
        note = fmt::format("{}: {} of {} layers keep the window of the model's own file, whatever the map says of them", where,
                           layers, map.layers());
    if (const std::string other = otherWeightsNote(map.model(), model, where); !other.empty())
        note += (note.empty() ? "" : "; ") + other;
    return note;
}

} // namespace zigzag
