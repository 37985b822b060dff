// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/measure/bench_file.h"

#include "engine/base/file_content.h"
#include "engine/base/files.h"
#include "profiler/base/kv_type_json.h"
#include "profiler/machine/machine_json.h"
#include "profiler/timing/disturbance.h"

#include <fmt/format.h>

namespace zigzag {
namespace {

constexpr std::string_view benchFormat = "zigzag-bench", predictionFormat = "zigzag-prediction";
constexpr int formatVersion = 1;
constexpr std::uint64_t largestFile = 64ull << 20;
constexpr std::size_t mostRecords = 1 << 20, mostSamples = 1 << 20;
constexpr double longestMs = 1e12, fastestRate = 1e21;
constexpr std::int64_t most = std::int64_t{1} << 60;

/// Nothing above 1: that is no result.
nlohmann::ordered_json floorJson(const BenchRecord &record)
{
    const std::optional<double> share = record.floorShare();
    return share ? nlohmann::ordered_json(*share) : nlohmann::ordered_json();
}

nlohmann::ordered_json pointJson(const BenchRecord &record)
{
    return {{"map", record.map},
            {"map_fingerprint", record.mapFingerprint},
            {"phase", nameOf(record.phase)},
            {"context", record.context},
            {"batch", record.batch},
            {"mixed", nameOf(record.mixed)},
            {"kv_type", kvTypeJson(record.kvType)}};
}

Result<std::vector<double>> numbers(const json::Value &record, std::string_view key, double limit, const std::string &where)
{
    std::vector<double> out;
    if (!json::find(record, key))
        return out;
    ZIGZAG_TRY(list, json::arrayIn(record, key, where));
    if (list->size() > mostSamples)
        return badInput(fmt::format("{}: more than {} samples; measure anew", where, mostSamples));
    for (const json::Value &value : *list) {
        ZIGZAG_TRY(number, json::asNumber(value, fmt::format("an entry of \"{}\"", key), 0, limit, where));
        out.push_back(number);
    }
    return out;
}

Result<BenchRecord> readRecord(const json::Value &value, bool predicted, const std::string &where)
{
    BenchRecord record;
    ZIGZAG_TRY(map, json::stringIn(value, "map", where));
    ZIGZAG_TRY(fingerprint, json::stringOr(value, "map_fingerprint", {}, where));
    ZIGZAG_TRY(phase, json::stringIn(value, "phase", where));
    ZIGZAG_TRY(context, json::integerIn(value, "context", 1, most, where));
    ZIGZAG_TRY(batch, json::integerOr(value, "batch", 1, 1, 1 << 20, where));
    ZIGZAG_TRY(mixedName, json::stringOr(value, "mixed", "fused", where));
    ZIGZAG_TRY(mixed, parseMixedMode(mixedName));
    ZIGZAG_TRY(kvType, readKvType(value, where));
    ZIGZAG_TRY(failure, json::stringOr(value, "failure", {}, where));
    // A record without a time says why there is none.
    const std::string_view timeKey = predicted ? "predicted_ms" : "median_ms";
    ZIGZAG_TRY(median,
               failure.empty() ? json::numberIn(value, timeKey, 0, longestMs, where)
                               : json::numberOr(value, timeKey, 0, 0, longestMs, where));
    ZIGZAG_TRY(spread, json::numberOr(value, "spread_ms", 0, 0, longestMs, where));
    ZIGZAG_TRY(disturbed, json::integerOr(value, "disturbed", 0, 0, 1 << 30, where));
    ZIGZAG_TRY(kv, json::integerOr(value, "kv_bytes", 0, 0, most, where));
    ZIGZAG_TRY(allocated, json::integerOr(value, "kv_bytes_allocated", 0, 0, most, where));
    ZIGZAG_TRY(floor, json::numberOr(value, "floor_ms", 0, 0, longestMs, where));
    ZIGZAG_TRY(ratio, json::numberOr(value, "floor_ratio", 0, 0, fastestRate, where));
    ZIGZAG_TRY(ceiling, json::stringOr(value, "ceiling", {}, where));
    ZIGZAG_TRY(perSecond, json::numberOr(value, "ceiling_per_second", 0, 0, fastestRate, where));
    ZIGZAG_TRY(samples, numbers(value, "samples_ms", longestMs, where));
    ZIGZAG_TRY(rates, numbers(value, "read_rates", fastestRate, where));
    const std::optional<Phase> known = findPhase(phase);
    if (!known)
        return badInput(fmt::format("{}: '{}' is no phase; measure anew", where, json::printable(phase)));
    record.map = map;
    record.mapFingerprint = fingerprint;
    record.phase = *known;
    record.context = context;
    record.batch = static_cast<int>(batch);
    record.mixed = mixed;
    record.kvType = kvType;
    record.failure = failure;
    record.medianMs = median;
    record.spreadMs = spread;
    record.disturbed = static_cast<int>(disturbed);
    record.kvBytes = kv;
    record.kvBytesAllocated = allocated;
    record.floorMs = floor;
    // What was no result was not written: the two times tell that it was not.
    record.floorRatio = ratio > 0 || median <= 0 ? ratio : floor / median;
    record.ceiling = ceiling;
    record.ceilingPerSecond = perSecond;
    record.samplesMs = samples;
    record.readRates = rates;
    return record;
}

} // namespace

double tokensPerSecond(const BenchRecord &record)
{
    const double tokens = (record.phase == Phase::Prefill ? static_cast<double>(record.context) : 1.0) * record.batch;
    return record.medianMs > 0 ? 1e3 * tokens / record.medianMs : 0.0;
}

namespace {

nlohmann::ordered_json recordsJson(const std::vector<BenchRecord> &records)
{
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const BenchRecord &record : records) {
        nlohmann::ordered_json entry = pointJson(record);
        entry.update({{"median_ms", record.medianMs},
                      {"spread_ms", record.spreadMs},
                      {"disturbed", record.disturbed},
                      {"tokens_per_second", tokensPerSecond(record)},
                      {"kv_bytes", record.kvBytes},
                      {"kv_bytes_allocated", record.kvBytesAllocated},
                      {"floor_ms", record.floorMs},
                      {"floor_ratio", floorJson(record)},
                      {"ceiling_moved", record.ceilingMoved()},
                      {"ceiling", record.ceiling},
                      {"ceiling_per_second", record.ceilingPerSecond},
                      {"samples_ms", record.samplesMs}});
        if (!record.readRates.empty())
            entry["read_rates"] = record.readRates;
        if (!record.failure.empty()) {
            entry["failure"] = record.failure;
            entry["median_ms"] = entry["spread_ms"] = entry["floor_ratio"] = entry["tokens_per_second"] = nullptr;
        }
        list.push_back(std::move(entry));
    }
    return list;
}

} // namespace

nlohmann::ordered_json benchJson(const BenchFile &bench)
{
    nlohmann::ordered_json json
        = {{"format", benchFormat}, {"version", formatVersion}, {"model", bench.model}, {"machine", machineJson(bench.machine)}};
    if (bench.gpus > 1)
        json["settings"] = {{"gpus", bench.gpus}, {"deal", bench.deal}};
    json["records"] = recordsJson(bench.records);
    return json;
}

nlohmann::ordered_json benchJson(const std::string &model, const MachineProfile &machine, const BenchPlan &plan,
                                 const std::vector<BenchRecord> &records)
{
    const Disturbance disturbance = disturbanceOf(records, plan.repeats);
    return {{"format", benchFormat},
            {"version", formatVersion},
            {"model", model},
            {"machine", machineJson(machine)},
            {"settings",
             {{"gpus", plan.gpus},
              {"deal", plan.deal},
              {"repeats", plan.repeats},
              {"warmup", plan.warmup},
              {"decode_steps", plan.decodeSteps},
              {"spread_bound", plan.spreadBound},
              {"seed", plan.seed},
              {"interleaved", true}}},
            {"samples", disturbance.samples},
            {"disturbed", disturbance.disturbed},
            {"note", textOf(disturbance)},
            {"records", recordsJson(records)}};
}

Result<void> writeBenchFile(const std::filesystem::path &file, const std::string &model, const MachineProfile &machine,
                            const BenchPlan &plan, const std::vector<BenchRecord> &records)
{
    return writeFileAtomically(
        file,
        benchJson(model, machine, plan, records).dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n');
}

nlohmann::ordered_json predictionJson(const BenchFile &prediction)
{
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const BenchRecord &record : prediction.records) {
        nlohmann::ordered_json entry = pointJson(record);
        entry.update({{"predicted_ms", record.medianMs},
                      {"tokens_per_second", tokensPerSecond(record)},
                      {"kv_bytes", record.kvBytes},
                      {"floor_ms", record.floorMs},
                      {"floor_ratio", floorJson(record)}});
        list.push_back(std::move(entry));
    }
    return {{"format", predictionFormat},
            {"version", formatVersion},
            {"model", prediction.model},
            {"machine", machineJson(prediction.machine)},
            {"records", std::move(list)}};
}

Result<BenchFile> readBenchFile(const std::filesystem::path &file)
{
    ZIGZAG_TRY(text, readTextFile(file, largestFile));
    return benchFrom(text, file.string());
}

Result<BenchFile> benchFrom(std::string_view text, const std::string &where)
{
    if (const FileContent content = contentOf(text);
        content != FileContent::Bench && content != FileContent::Prediction && content != FileContent::OtherJson)
        return wrongContent(where, {content, false}, "a file of zigzag bench or predict");
    ZIGZAG_TRY(document, json::parse(text, where));
    BenchFile out;
    const json::Value *format = json::find(document, "format");
    out.predicted = format && *format == predictionFormat;
    ZIGZAG_CHECK(json::checkFormat(document, out.predicted ? predictionFormat : benchFormat, formatVersion, where));
    ZIGZAG_TRY(model, json::stringOr(document, "model", {}, where));
    ZIGZAG_TRY(machine, json::objectIn(document, "machine", where));
    ZIGZAG_TRY(readBack, readMachine(*machine, where));
    ZIGZAG_TRY(records, json::arrayIn(document, "records", where));
    if (records->size() > mostRecords)
        return badInput(fmt::format("{}: more than {} records; measure less at once", where, mostRecords));
    out.model = model;
    out.machine = readBack;
    if (const json::Value *settings = json::find(document, "settings")) {
        constexpr std::int64_t mostGpus = 1024;
        ZIGZAG_TRY(gpus, json::integerOr(*settings, "gpus", 1, 1, mostGpus, where));
        ZIGZAG_TRY(deal, json::stringOr(*settings, "deal", "order", where));
        out.gpus = static_cast<int>(gpus);
        out.deal = deal;
    }
    for (const json::Value &value : *records) {
        ZIGZAG_TRY(record, readRecord(value, out.predicted, fmt::format("{}, record {}", where, out.records.size())));
        out.records.push_back(std::move(record));
    }
    return out;
}

Result<std::vector<BenchRecord>> resumeFrom(const std::filesystem::path &file, const std::string &model,
                                            const MachineProfile &machine, const ModelConfig &config, const BenchPlan &plan)
{
    if (std::error_code error; !std::filesystem::exists(file, error))
        return std::vector<BenchRecord>{};
    ZIGZAG_TRY(earlier, readBenchFile(file));
    const MachineProfile &then = earlier.machine;
    if (earlier.predicted || earlier.model != model || then.device != machine.device || then.threads != machine.threads
        || then.backend != machine.backend || then.build != machine.build)
        return badInput(
            fmt::format("{}: was measured of {} on {} ({} threads, {}) by zigzag {}, and not of {} here and now; begin "
                        "another file",
                        file.string(), json::printable(earlier.model), json::printable(then.device), then.threads,
                        json::printable(then.backend), json::printable(then.build), model));
    if (earlier.gpus != plan.gpus || (plan.gpus > 1 && earlier.deal != plan.deal))
        return badInput(fmt::format("{}: was measured on {} GPUs, heads dealt by {}, and not on {} by {}; begin another file",
                                    file.string(), earlier.gpus, json::printable(earlier.deal), plan.gpus, plan.deal));
    for (BenchRecord &record : earlier.records) {
        record.kvType = record.kvType.value_or(config.dtype); // there was no other choice
        if (record.kvType != config.kvType)
            return badInput(fmt::format("{}: was measured with keys and values in {}, and not in {}; begin another file",
                                        file.string(), nameOf(*record.kvType), nameOf(config.kvType)));
    }
    return std::move(earlier.records);
}

} // namespace zigzag
