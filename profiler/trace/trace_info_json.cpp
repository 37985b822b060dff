// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/trace_info_json.h"

#include "profiler/base/kv_type_json.h"
#include "profiler/machine/machine_json.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {
namespace {

constexpr std::int64_t longestContext = std::int64_t{1} << 31;
constexpr std::size_t mostLayers = 1 << 15;
constexpr std::int64_t mostRanks = 64;
constexpr std::string_view kindLetters = "RSML"; ///< in the order of LayerKind

Result<Phase> readPhase(const json::Value &value, const std::string &where)
{
    ZIGZAG_TRY(name, json::stringOr(value, "phase", "decode", where));
    if (const std::optional<Phase> phase = findPhase(name))
        return *phase;
    return badInput(
        fmt::format("{}: '{}' is no phase: prefill and decode are known; record it anew", where, json::printable(name)));
}

} // namespace

std::optional<Op> findOp(std::string_view name)
{
    const auto found = std::find(opNames.begin(), opNames.end(), name);
    if (found == opNames.end())
        return std::nullopt;
    return static_cast<Op>(found - opNames.begin());
}

std::optional<LayerKind> findLayerKind(std::string_view name)
{
    for (const LayerKind kind : {LayerKind::Retrieval, LayerKind::Streaming, LayerKind::Mixed, LayerKind::Local})
        if (name == kindName(kind))
            return kind;
    return std::nullopt;
}

std::optional<CollectiveKind> findCollective(std::string_view name)
{
    for (const CollectiveKind kind : {CollectiveKind::Sum, CollectiveKind::Gather})
        if (name == nameOf(kind))
            return kind;
    return std::nullopt;
}

std::string quoted(const std::string &text)
{
    return json::Value(text).dump(-1, ' ', false, json::Value::error_handler_t::replace);
}

nlohmann::ordered_json infoJson(const TraceInfo &info)
{
    std::string letters; // a line reads well
    for (const LayerKind kind : info.layerKinds)
        letters += kindLetters[static_cast<std::size_t>(kind)];
    return {{"model", info.model},
            {"map", info.map},
            {"phase", nameOf(info.phase)},
            {"context", info.context},
            {"batch", info.batch},
            {"gpus", info.gpus},
            {"mixed", nameOf(info.mixed)},
            {"kv_type", kvTypeJson(info.kvType)},
            {"predicted", info.predicted},
            {"foreign", info.isForeign},
            {"note", info.note},
            {"disturbed", info.disturbed},
            {"layer_kinds", letters},
            {"device_time", info.inDeviceTime},
            {"replayed", info.isReplayed},
            {"step_ms", info.stepMs},
            {"watched_step_ms", info.watchedStepMs},
            {"machine", machineJson(info.machine)}};
}

Result<TraceInfo> readInfo(const json::Value &value, const std::string &where)
{
    TraceInfo info;
    ZIGZAG_TRY(model, json::stringOr(value, "model", {}, where));
    ZIGZAG_TRY(map, json::stringOr(value, "map", {}, where));
    ZIGZAG_TRY(phase, readPhase(value, where));
    ZIGZAG_TRY(context, json::integerOr(value, "context", 0, 0, longestContext, where));
    ZIGZAG_TRY(batch, json::integerOr(value, "batch", 1, 1, 1 << 20, where));
    ZIGZAG_TRY(gpus, json::integerOr(value, "gpus", 1, 1, mostRanks, where));
    ZIGZAG_TRY(mixedName, json::stringOr(value, "mixed", "fused", where));
    ZIGZAG_TRY(mixed, parseMixedMode(mixedName));
    ZIGZAG_TRY(kvType, readKvType(value, where));
    ZIGZAG_TRY(letters, json::stringOr(value, "layer_kinds", {}, where));
    ZIGZAG_TRY(predicted, json::booleanOr(value, "predicted", false, where));
    ZIGZAG_TRY(isForeign, json::booleanOr(value, "foreign", false, where));
    ZIGZAG_TRY(disturbed, json::booleanOr(value, "disturbed", false, where));
    ZIGZAG_TRY(note, json::stringOr(value, "note", {}, where));
    constexpr double longestMs = 1e12;
    ZIGZAG_TRY(inDeviceTime, json::booleanOr(value, "device_time", false, where));
    ZIGZAG_TRY(isReplayed, json::booleanOr(value, "replayed", false, where));
    ZIGZAG_TRY(stepMs, json::numberOr(value, "step_ms", 0, 0, longestMs, where));
    ZIGZAG_TRY(watchedStepMs, json::numberOr(value, "watched_step_ms", 0, 0, longestMs, where));
    info.inDeviceTime = inDeviceTime;
    info.isReplayed = isReplayed;
    info.stepMs = stepMs;
    info.watchedStepMs = watchedStepMs;
    info.predicted = predicted;
    info.isForeign = isForeign;
    info.disturbed = disturbed;
    info.note = note;
    info.model = model;
    info.map = map;
    info.phase = phase;
    info.context = context;
    info.batch = static_cast<int>(batch);
    info.gpus = static_cast<int>(gpus);
    info.mixed = mixed;
    info.kvType = kvType;
    if (letters.size() > mostLayers || letters.find_first_not_of(kindLetters) != letters.npos)
        return badInput(fmt::format("{}: \"layer_kinds\" must have a letter R, S, M or L for each layer; record it anew", where));
    for (const char letter : letters)
        info.layerKinds.push_back(static_cast<LayerKind>(kindLetters.find(letter)));
    if (const json::Value *machine = json::find(value, "machine")) {
        ZIGZAG_TRY(read, readMachine(*machine, where));
        info.machine = read;
    }
    return info;
}

} // namespace zigzag
