// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/map_io.h"

#include "engine/base/file_content.h"
#include "engine/base/files.h"
#include "engine/base/version.h"
#include "engine/map/checks.h"
#include "engine/map/shape_json.h"

#include <fmt/format.h>

namespace zigzag {

namespace {

constexpr std::string_view formatName = "zigzag-head-map";
constexpr int formatVersion = 1;
constexpr std::uint64_t largestFile = 64ull << 20;

Result<void> readHeads(const json::Value &rows, HeadMap &map, const std::string &where)
{
    if (rows.size() != static_cast<std::size_t>(map.layers()))
        return badInput(
            fmt::format("{}: \"heads\" has {} lines for {} layers; give one for each layer", where, rows.size(), map.layers()));
    for (int layer = 0; layer < map.layers(); ++layer) {
        ZIGZAG_TRY(row,
                   json::asString(rows[static_cast<std::size_t>(layer)], fmt::format("layer {} of \"heads\"", layer), where));
        if (row.size() != static_cast<std::size_t>(map.kvHeads()))
            return badInput(fmt::format("{}: layer {} of \"heads\" has {} letters for {} KV heads; give one for each KV head",
                                        where, layer, row.size(), map.kvHeads()));
        for (int head = 0; head < map.kvHeads(); ++head) {
            const char letter = row[static_cast<std::size_t>(head)];
            if (letter != 'R' && letter != 'S')
                return badInput(fmt::format("{}: layer {} of \"heads\" is \"{}\"; only R (retrieval) and S (streaming) are known",
                                            where, layer, json::printable(row)));
            map.set(layer, head, letter == 'R' ? HeadKind::Retrieval : HeadKind::Streaming);
        }
    }
    return {};
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
    return Provenance{criterion, scores, sparsity, tool};
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
    ZIGZAG_CHECK(json::checkFormat(document, formatName, formatVersion, where));
    ZIGZAG_TRY(model, readModel(document, where));
    ZIGZAG_TRY(sink, json::integerIn(document, "sink", 0, maxWindow, where));
    ZIGZAG_TRY(recent, json::integerIn(document, "recent", 1, maxWindow, where));
    ZIGZAG_TRY(rows, json::arrayIn(document, "heads", where));
    HeadMap map(model, HeadKind::Retrieval, static_cast<int>(sink), static_cast<int>(recent));
    ZIGZAG_CHECK(readHeads(*rows, map, where));
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
    std::string rows;
    for (int layer = 0; layer < map.layers(); ++layer) {
        rows += layer == 0 ? "\n  \"" : ",\n  \"";
        for (int head = 0; head < map.kvHeads(); ++head)
            rows += map.at(layer, head) == HeadKind::Retrieval ? 'R' : 'S';
        rows += '"';
    }
    const Provenance &from = map.provenance();
    return fmt::format(
        "{{\"format\": \"{}\", \"version\": {},\n \"model\": {},\n \"sink\": {}, \"recent\": {},\n \"heads\": [{}],\n"
        " \"provenance\": {{\"criterion\": {}, \"scores\": {}, \"sparsity\": {}, \"tool\": {}}}}}\n",
        formatName, formatVersion, modelJson(map.model()), map.sink(), map.recent(), rows, jsonString(from.criterion),
        jsonString(from.scores), from.sparsity, jsonString(from.tool));
}

Result<void> writeHeadMap(const HeadMap &map, const std::filesystem::path &file)
{
    return writeFileAtomically(file, toJson(map));
}

Result<HeadMap> resolveHeadMap(const std::string &name, const ModelShape &model, int sink, int recent)
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
    if (contradict(wanted.queryHeads, model.queryHeads) || contradict(wanted.headDim, model.headDim))
        return badInput(
            fmt::format("{}: made for {} query heads of size {}, but {} has {} of size {}; give a file for this model", where,
                        wanted.queryHeads, wanted.headDim, model.name, model.queryHeads, model.headDim));
    if (!wanted.fingerprint.empty() && !model.fingerprint.empty() && wanted.fingerprint != model.fingerprint)
        return badInput(
            fmt::format("{}: made for other weights ({}) than those of {} ({}); make it anew, or empty its fingerprint", where,
                        json::printable(wanted.fingerprint), model.name, model.fingerprint));
    return {};
}

} // namespace zigzag
