// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/recommend_output.h"

#include "engine/base/files.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/map_io.h"
#include "profiler/jobs/carry_job.h"

namespace zigzag {

namespace {

using Json = nlohmann::ordered_json;

Json costJson(const jobs::ServedCost &cost)
{
    return {{"engine", cost.memory.engine},
            {"kv_bytes", cost.memory.bytes},
            {"kv_bytes_decoding", cost.memory.decoding},
            {"sequences_per_gib", cost.memory.sequencesPerGiB},
            {"predicted_tpot_ms", cost.ms ? Json(*cost.ms) : Json()}};
}

Json judgementJson(const jobs::Judgement &judgement)
{
    constexpr const char *verdicts[] = {"kept", "undecided", "lost"};
    const PairedTest &test = judgement.test;
    return {{"verdict", verdicts[static_cast<int>(judgement.verdict)]},
            {"prompts", test.count},
            {"full", judgement.full},
            {"score", judgement.mean},
            {"difference", test.difference},
            {"low", test.low},
            {"high", test.high},
            {"p", test.p},
            {"worse", test.worse},
            {"better", test.better},
            {"kept", judgement.kept},
            {"kept_low", judgement.keptLow},
            {"says", pairedText(test)}};
}

Json mapJson(const jobs::Recommendation &found, const jobs::TriedMap &tried)
{
    Json layers = Json::array();
    for (int layer = 0; layer < tried.map.layers(); ++layer)
        if (tried.map.hasStreaming(layer))
            layers.push_back(layer);
    const StreamingWindow window = tried.map.oneStreamingWindow().value_or(StreamingWindow{0, 0});
    return {{"as", found.wayOf(tried).name}, {"streaming", std::move(layers)}, {"sink", window.sink},
            {"recent", window.recent},       {"cost", costJson(tried.cost)},   {"answer_rise", tried.loss},
            {"right", tried.right},          {"right_full", tried.rightFull},  {"prompts", tried.prompts},
            {"frontier", tried.inSet}};
}

Result<void> writeExport(const JobContext &context, const jobs::Recommendation &found, const ExportModel &model,
                         jobs::RecommendPlaces &places)
{
    const HeadMap &map = found.map()->map;
    const jobs::ServingWay &way = found.wayOf(*found.map());
    if (way.isOurs())
        return {};
    if (way.standsIn()) {
        places.exported = places.folder / (way.carried->writesFolder ? std::string(way.carried->name) : "model.gguf");
        jobs::CarryPlan plan; // the calibration that was judged: always the same
        ZIGZAG_TRY(texts, jobs::madeCarryTexts(context.textModel(), streamingWindowOf(map)));
        plan.texts = std::move(texts);
        ZIGZAG_CHECK(jobs::exportCarried(context, map, plan, {.target = way.carried, .model = &model, .out = places.exported}));
        return {};
    }
    ZIGZAG_TRY(format, findExportFormat(way.name));
    places.exported = places.folder / (format->writesFolder ? way.name : way.name + ".sh");
    ZIGZAG_CHECK(exportMap(*format, map, &model, places.exported));
    if (format->writesFolder)
        return {};
    ZIGZAG_TRY(command, readTextFile(places.exported));
    places.command = std::move(command);
    return {};
}

} // namespace

nlohmann::ordered_json recommendJson(const jobs::Recommendation &found, const jobs::RecommendPlaces &places)
{
    Json json = {{"format", "zigzag-recommendation"},
                 {"version", 1},
                 {"model", found.model.name},
                 {"fingerprint", found.model.fingerprint},
                 {"device", found.machine.device},
                 {"engine", found.request.engine},
                 {"context", found.request.context},
                 {"quality", found.request.kept},
                 {"seed", found.request.seed},
                 {"says", jobs::saysOf(found)},
                 {"plan", Json::parse(found.plan.toJson())},
                 {"full", costJson(found.full)},
                 {"recommended", nullptr}};
    if (found.request.memory)
        json["memory"] = *found.request.memory;
    if (found.request.tpotMs)
        json["tpot_ms"] = *found.request.tpotMs;
    if (const jobs::TriedMap *map = found.map()) {
        json["recommended"] = mapJson(found, *map);
        json["recommended"]["judged"] = judgementJson(found.judged[*found.chosen].judgement);
        json["serve"] = jobs::serveCommand(found, places);
        json["check"] = jobs::checkCommand(found, places);
    }
    json["judged"] = Json::array();
    for (const jobs::JudgedMap &each : found.judged) {
        json["judged"].push_back(mapJson(found, found.tried[each.tried]));
        json["judged"].back()["judged"] = judgementJson(each.judgement);
    }
    json["tried"] = Json::array();
    for (const jobs::TriedMap &each : found.tried)
        json["tried"].push_back(mapJson(found, each));
    json["notes"] = found.notes;
    json["seconds"] = found.seconds;
    return json;
}

Result<void> writeRecommended(const JobContext &context, const jobs::Recommendation &found, const ExportModel &model,
                              jobs::RecommendPlaces &places)
{
    const jobs::TriedMap *map = found.map();
    const std::optional<HeadScores> &scores = found.scores[map ? map->way : 0];
    if (scores)
        ZIGZAG_CHECK(writeHeadScores(*scores, places.folder / "scores.json"));
    if (!map)
        return {};
    ZIGZAG_CHECK(writeHeadMap(map->map, places.folder / "map.json"));
    return writeExport(context, found, model, places);
}

} // namespace zigzag
