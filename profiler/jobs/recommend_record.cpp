// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/recommend_record.h"

#include "engine/base/json_input.h"
#include "engine/base/version.h"
#include "profiler/search/search_units.h"

#include <array>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace zigzag::jobs {

namespace {

constexpr std::size_t mostMaps = 4096, mostNotes = 256, longestText = std::size_t{16} << 20;
constexpr double mostOf = 1e15; ///< of anything that is counted here
constexpr std::array<std::string_view, 3> verdicts{"kept", "undecided", "lost"};

Result<RecordedCost> readCost(const json::Value &cost, const std::string &where)
{
    RecordedCost read;
    ZIGZAG_TRY(engine, json::stringIn(cost, "engine", where));
    ZIGZAG_TRY(bytes, json::integerIn(cost, "kv_bytes", 0, std::numeric_limits<std::int64_t>::max(), where));
    ZIGZAG_TRY(sequences, json::numberIn(cost, "sequences_per_gib", 0, mostOf, where));
    read.engine = std::move(engine);
    read.kvBytes = bytes;
    read.sequencesPerGiB = sequences;
    if (const auto ms = cost.find("predicted_tpot_ms"); ms != cost.end() && !ms->is_null()) {
        ZIGZAG_TRY(value, json::asNumber(*ms, "a predicted time", 0, mostOf, where));
        read.ms = value;
    }
    return read;
}

Result<RecordedStandIns> readStandIns(const json::Value &object, const std::string &where)
{
    RecordedStandIns read;
    ZIGZAG_TRY(isFitted, json::booleanOr(object, "fitted", false, where));
    ZIGZAG_TRY(steps, json::integerOr(object, "fit_steps", 0, 0, 1 << 20, where));
    read.isFitted = isFitted;
    read.steps = static_cast<int>(steps);
    for (const auto &[key, to] : {std::pair{"calibration_seconds", &read.calibrationSeconds},
                                  {"fit_seconds", &read.fitSeconds},
                                  {"measurement_seconds", &read.measurementSeconds}}) {
        ZIGZAG_TRY(seconds, json::numberOr(object, key, 0, 0, mostOf, where));
        *to = seconds;
    }
    for (const auto &[key, to] : {std::pair{"inside", &read.inside},
                                  {"window_alone", &read.windowAlone},
                                  {"sinks_kept", &read.sinksKept},
                                  {"calibrated", &read.calibrated},
                                  {"fit", &read.fit}}) {
        if (!json::find(object, key))
            continue;
        ZIGZAG_TRY(near, json::objectIn(object, key, where));
        ZIGZAG_TRY(kl, json::numberIn(*near, "kl", -mostOf, mostOf, where));
        ZIGZAG_TRY(sameTop, json::numberIn(*near, "same_top", 0, 1, where));
        ZIGZAG_TRY(positions, json::integerIn(*near, "positions", 0, std::int64_t{1} << 50, where));
        *to = {kl, sameTop, positions};
    }
    return read;
}

Result<RecordedJudgement> readJudgement(const json::Value &judged, const std::string &where)
{
    RecordedJudgement read;
    ZIGZAG_TRY(verdict, json::stringIn(judged, "verdict", where));
    const auto *const known = std::find(verdicts.begin(), verdicts.end(), verdict);
    if (known == verdicts.end())
        return badInput(where + ": a map is judged by a word that is none: kept, undecided or lost");
    read.verdict = static_cast<Kept>(known - verdicts.begin());
    ZIGZAG_TRY(prompts, json::integerIn(judged, "prompts", 0, 1 << 20, where));
    read.prompts = static_cast<int>(prompts);
    for (const auto &[key, to, least] : {std::tuple{"full", &read.full, 0.0},
                                         {"score", &read.mean, 0.0},
                                         {"difference", &read.difference, -mostOf},
                                         {"low", &read.low, -mostOf},
                                         {"high", &read.high, -mostOf},
                                         {"kept", &read.kept, 0.0},
                                         {"kept_low", &read.keptLow, 0.0}}) {
        ZIGZAG_TRY(number, json::numberIn(judged, key, least, mostOf, where));
        *to = number;
    }
    if (json::find(judged, "stand_ins")) {
        ZIGZAG_TRY(object, json::objectIn(judged, "stand_ins", where));
        ZIGZAG_TRY(standIns, readStandIns(*object, where));
        read.standIns = standIns;
    }
    return read;
}

Result<RecordedMap> readMap(const json::Value &entry, const ModelShape &model, const std::string &engine,
                            const std::string &where)
{
    constexpr int mostTokens = 1 << 30;
    RecordedMap read;
    ZIGZAG_TRY(as, json::stringIn(entry, "as", where));
    ZIGZAG_TRY(sink, json::integerIn(entry, "sink", 0, mostTokens, where));
    ZIGZAG_TRY(recent, json::integerIn(entry, "recent", 1, mostTokens, where));
    ZIGZAG_TRY(list, json::arrayIn(entry, "streaming", where));
    std::vector<int> layers;
    for (const json::Value &each : *list) {
        ZIGZAG_TRY(layer, json::asInteger(each, "a layer", 0, model.layers - 1, where));
        if ((!layers.empty() && layer <= layers.back()) || model.isLocal(static_cast<int>(layer)))
            return badInput(where + ": layers that stream are not in order, or are none that a map decides");
        layers.push_back(static_cast<int>(layer));
    }
    read.as = std::move(as);
    read.map = mapWith(model, Unit::Layer, {static_cast<int>(sink), static_cast<int>(recent)}, layers);
    read.map.setProvenance(
        {"zigzag", "recommend", read.map.sparsity(), std::string(programVersion), engine == ourEngine ? "" : read.as});
    read.streaming = static_cast<int>(layers.size());
    ZIGZAG_TRY(standsIn, json::booleanOr(entry, "stand_ins", false, where));
    read.standsIn = standsIn;
    ZIGZAG_TRY(cost, json::objectIn(entry, "cost", where));
    ZIGZAG_TRY(costs, readCost(*cost, where));
    read.cost = std::move(costs);
    ZIGZAG_TRY(rise, json::numberIn(entry, "answer_rise", -mostOf, mostOf, where));
    ZIGZAG_TRY(right, json::numberIn(entry, "right", 0, 1, where));
    ZIGZAG_TRY(rightFull, json::numberIn(entry, "right_full", 0, 1, where));
    ZIGZAG_TRY(prompts, json::integerIn(entry, "prompts", 0, 1 << 20, where));
    ZIGZAG_TRY(inSet, json::booleanOr(entry, "frontier", false, where));
    read.rise = rise;
    read.right = right;
    read.rightFull = rightFull;
    read.prompts = static_cast<int>(prompts);
    read.inSet = inSet;
    return read;
}

Result<std::vector<std::string>> readSentences(const json::Value &object, const char *key, const std::string &where)
{
    std::vector<std::string> read;
    if (!object.contains(key))
        return read;
    ZIGZAG_TRY(list, json::arrayIn(object, key, where));
    if (list->size() > mostNotes)
        return badInput(fmt::format("{}: more than {} notes", where, mostNotes));
    for (const json::Value &each : *list) {
        ZIGZAG_TRY(sentence, json::asString(each, "a note", where));
        read.push_back(std::move(sentence));
    }
    return read;
}

Result<void> readRequest(RecommendRecord &read, const json::Value &root, const std::string &where)
{
    for (const auto &[key, to] : {std::pair{"device", &read.device}, {"engine", &read.engine}}) {
        ZIGZAG_TRY(text, json::stringIn(root, key, where));
        *to = std::move(text);
    }
    for (const auto &[key, to] :
         {std::pair{"serve", &read.serve}, {"check", &read.check}, {"folder", &read.folder}, {"exported", &read.exported}}) {
        ZIGZAG_TRY(text, json::stringOr(root, key, "", where));
        *to = std::move(text);
    }
    ZIGZAG_TRY(context, json::integerIn(root, "context", 1, std::int64_t{1} << 40, where));
    ZIGZAG_TRY(quality, json::numberIn(root, "quality", 0, 1, where));
    ZIGZAG_TRY(seconds, json::numberOr(root, "seconds", 0, 0, mostOf, where));
    ZIGZAG_TRY(isAsked, json::booleanOr(root, "questions", false, where));
    read.context = context;
    read.asked = quality;
    read.seconds = seconds;
    read.isAsked = isAsked;
    if (root.contains("memory")) {
        ZIGZAG_TRY(memory, json::integerIn(root, "memory", 1, std::numeric_limits<std::int64_t>::max(), where));
        read.memory = memory;
    }
    if (root.contains("tpot_ms")) {
        ZIGZAG_TRY(ms, json::numberIn(root, "tpot_ms", 0, mostOf, where));
        read.tpotMs = ms;
    }
    ZIGZAG_TRY(planned, json::objectIn(root, "plan", where));
    ZIGZAG_TRY(plan, RecommendPlan::fromJson(planned->dump()));
    read.promptTokens = plan.promptTokens;
    read.shortened = std::move(plan.shortened);
    ZIGZAG_TRY(notes, readSentences(root, "notes", where));
    read.notes = std::move(notes);
    ZIGZAG_TRY(full, json::objectIn(root, "full", where));
    ZIGZAG_TRY(cost, readCost(*full, where));
    read.full = std::move(cost);
    return {};
}

} // namespace

Result<RecommendRecord> readRecord(std::string_view text, const ModelShape &model, const std::string &where)
{
    if (text.size() > longestText)
        return badInput(where + ": larger than any recommendation");
    ZIGZAG_TRY(root, json::parse(text, where));
    ZIGZAG_CHECK(json::checkFormat(root, "zigzag-recommendation", 1, where));
    RecommendRecord read;
    ZIGZAG_TRY(name, json::stringIn(root, "model", where));
    ZIGZAG_TRY(fingerprint, json::stringOr(root, "fingerprint", "", where));
    if (name != model.name || (!fingerprint.empty() && !model.fingerprint.empty() && fingerprint != model.fingerprint))
        return badInput(fmt::format("{}: is of another model than {}; open that one", where, model.name));
    read.model = std::move(name);
    read.fingerprint = std::move(fingerprint);
    ZIGZAG_CHECK(readRequest(read, root, where));
    ZIGZAG_TRY(tried, json::arrayIn(root, "tried", where));
    ZIGZAG_TRY(judged, json::arrayIn(root, "judged", where));
    if (tried->size() > mostMaps || judged->size() > mostMaps)
        return badInput(fmt::format("{}: more than {} maps", where, mostMaps));
    for (const json::Value &entry : *tried) {
        ZIGZAG_TRY(map, readMap(entry, model, read.engine, where));
        read.tried.push_back(std::move(map));
    }
    const auto placeOf = [&](const json::Value &entry) {
        return json::integerIn(entry, "place", 0, static_cast<std::int64_t>(read.tried.size()) - 1, where);
    };
    for (const json::Value &entry : *judged) {
        ZIGZAG_TRY(place, placeOf(entry));
        ZIGZAG_TRY(object, json::objectIn(entry, "judged", where));
        ZIGZAG_TRY(judgement, readJudgement(*object, where));
        read.tried[static_cast<std::size_t>(place)].judged = judgement;
    }
    if (const auto chosen = root.find("recommended"); chosen != root.end() && !chosen->is_null()) {
        ZIGZAG_TRY(place, placeOf(*chosen));
        read.chosen = static_cast<std::size_t>(place);
        if (!read.map()->judged)
            return badInput(where + ": recommends a map that nothing judged");
    }
    read.text = std::string(text);
    return read;
}

} // namespace zigzag::jobs
