// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/recommend_record.h"

#include <nlohmann/json.hpp>

namespace zigzag::jobs {

namespace {

using Json = nlohmann::ordered_json;

Json costJson(const ServedCost &cost)
{
    return {{"engine", cost.memory.engine},
            {"kv_bytes", cost.memory.bytes},
            {"kv_bytes_decoding", cost.memory.decoding},
            {"sequences_per_gib", cost.memory.sequencesPerGiB},
            {"predicted_tpot_ms", cost.ms ? Json(*cost.ms) : Json()}};
}

Json judgementJson(const Judgement &judgement)
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

Json nearJson(const NearFull &near)
{
    return {{"kl", near.kl}, {"same_top", near.sameTop}, {"positions", near.positions}};
}

/// The form that a map was judged in, where something stands in for its sinks.
Json standInsJson(const Carried &carried)
{
    Json json = {{"fitted", carried.isFitted},
                 {"fit_steps", carried.steps},
                 {"calibration_seconds", carried.seconds.calibration},
                 {"fit_seconds", carried.seconds.fit},
                 {"measurement_seconds", carried.seconds.measurement},
                 {"inside", nearJson(carried.quality().inside)},
                 {"window_alone", nearJson(carried.calibrated.windowAlone)},
                 {"sinks_kept", nearJson(carried.calibrated.sinksKept)},
                 {"calibrated", nearJson(carried.calibrated.beyond)}};
    if (carried.fitted)
        json["fit"] = nearJson(carried.fitted->beyond);
    return json;
}

/// With what it was judged as.
Json judgedJson(const JudgedMap &judged, Json map)
{
    map["judged"] = judgementJson(judged.judgement);
    if (judged.standIns)
        map["judged"]["stand_ins"] = standInsJson(*judged.standIns);
    return map;
}

Json mapJson(const Recommendation &found, std::size_t place)
{
    const TriedMap &tried = found.tried[place];
    Json layers = Json::array();
    for (int layer = 0; layer < tried.map.layers(); ++layer)
        if (tried.map.hasStreaming(layer))
            layers.push_back(layer);
    const StreamingWindow window = tried.map.oneStreamingWindow().value_or(StreamingWindow{0, 0});
    return {{"place", place},
            {"as", found.wayOf(tried).name},
            {"stand_ins", found.wayOf(tried).standsIn()},
            {"streaming", std::move(layers)},
            {"sink", window.sink},
            {"recent", window.recent},
            {"cost", costJson(tried.cost)},
            {"answer_rise", tried.loss},
            {"right", tried.right},
            {"right_full", tried.rightFull},
            {"prompts", tried.prompts},
            {"frontier", tried.inSet}};
}

} // namespace

std::string recordText(const Recommendation &found, const RecommendPlaces &places)
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
                 {"questions", found.request.questions != nullptr},
                 {"says", saysOf(found)},
                 {"plan", Json::parse(found.plan.toJson())},
                 {"full", costJson(found.full)},
                 {"recommended", nullptr}};
    if (found.request.memory)
        json["memory"] = *found.request.memory;
    if (found.request.tpotMs)
        json["tpot_ms"] = *found.request.tpotMs;
    if (!places.folder.empty())
        json["folder"] = places.folder.string();
    if (!places.exported.empty())
        json["exported"] = places.exported.string();
    if (found.chosen) {
        const JudgedMap &chosen = found.judged[*found.chosen];
        json["recommended"] = judgedJson(chosen, mapJson(found, chosen.tried));
        json["serve"] = serveCommand(found, places);
        json["check"] = checkCommand(found, places);
    }
    json["judged"] = Json::array();
    for (const JudgedMap &each : found.judged)
        json["judged"].push_back(judgedJson(each, mapJson(found, each.tried)));
    json["tried"] = Json::array();
    for (std::size_t place = 0; place < found.tried.size(); ++place)
        json["tried"].push_back(mapJson(found, place));
    json["notes"] = found.notes;
    json["seconds"] = found.seconds;
    // Names of files need not be UTF-8.
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace zigzag::jobs
