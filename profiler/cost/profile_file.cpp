// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/cost/profile_file.h"

#include "engine/base/file_content.h"
#include "engine/base/files.h"
#include "engine/map/checks.h"
#include "profiler/base/kv_type_json.h"
#include "profiler/cost/cost_model.h"
#include "profiler/machine/machine_json.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <fmt/format.h>

namespace zigzag {
namespace {

constexpr std::string_view formatName = "zigzag-machine-profile";
constexpr int formatVersion = 2;
constexpr std::uint64_t largestFile = 64ull << 20;
constexpr std::int64_t longestContext = (std::int64_t{1} << 31) - 1;
constexpr std::int64_t largestSide = 1 << 24;
constexpr std::size_t mostModels = 1000, mostSamples = 1 << 20;
constexpr double longestMs = 1e9;

struct Field {
    const char *key;
    int ModelConfig::*member;
    std::int64_t most;
};
constexpr Field fields[]
    = {{"layers", &ModelConfig::layers, maxLayers},          {"hidden_size", &ModelConfig::hiddenSize, largestSide},
       {"query_heads", &ModelConfig::queryHeads, maxHeads},  {"kv_heads", &ModelConfig::kvHeads, maxHeads},
       {"head_dim", &ModelConfig::headDim, maxHeadDim},      {"intermediate_size", &ModelConfig::intermediateSize, largestSide},
       {"vocabulary", &ModelConfig::vocabulary, largestSide}};

constexpr Field expertFields[] = {{"experts", &ModelConfig::experts, 1 << 16},
                                  {"experts_per_token", &ModelConfig::expertsPerToken, 1 << 16},
                                  {"expert_intermediate_size", &ModelConfig::expertIntermediateSize, largestSide}};

struct Flag {
    const char *key;
    bool ModelConfig::*member;
};
constexpr Flag flags[] = {{"qkv_bias", &ModelConfig::qkvBias},
                          {"output_bias", &ModelConfig::outputBias},
                          {"mlp_bias", &ModelConfig::mlpBias},
                          {"query_key_norm", &ModelConfig::queryKeyNorm},
                          {"tied_embeddings", &ModelConfig::tiedEmbeddings}};

nlohmann::ordered_json typeJson(const std::optional<WeightType> &type)
{
    return type ? nlohmann::ordered_json(nameOf(*type)) : nlohmann::ordered_json();
}

/// The types of tensors that have one of their own; a layer's in the order of WeightId, without the last ones that have none.
nlohmann::ordered_json storedTypesJson(const StoredTypes &types)
{
    nlohmann::ordered_json layers = nlohmann::ordered_json::array();
    for (const StoredTypes::Layer &layer : types.layers) {
        nlohmann::ordered_json &row = layers.emplace_back(nlohmann::ordered_json::array());
        for (const auto &type : layer)
            row.push_back(typeJson(type));
        while (!row.empty() && row.back().is_null())
            row.erase(row.size() - 1);
    }
    return {{"embedding", typeJson(types.embedding)},
            {"final_norm", typeJson(types.finalNorm)},
            {"head", typeJson(types.head)},
            {"layers", std::move(layers)}};
}

Result<std::optional<WeightType>> readType(const json::Value &value, const std::string &where)
{
    if (value.is_null())
        return std::nullopt;
    ZIGZAG_TRY(name, json::asString(value, "a type of weights", where));
    if (const auto type = findWeightType(name))
        return type;
    return badInput(fmt::format("{}: '{}' is no type of weights; calibrate anew", where, json::printable(name)));
}

/// Of a model whose tensors have types of their own; of others nothing.
Result<void> readStoredTypes(ModelConfig &config, const json::Value &value, const std::string &where)
{
    if (!json::find(value, "weight_types"))
        return {};
    ZIGZAG_TRY(stored, json::objectIn(value, "weight_types", where));
    const auto read = [&](const char *key, std::optional<WeightType> &to) -> Result<void> {
        if (const json::Value *entry = json::find(*stored, key)) {
            ZIGZAG_TRY(type, readType(*entry, where));
            to = type;
        }
        return {};
    };
    StoredTypes &types = config.storedTypes;
    ZIGZAG_CHECK(read("embedding", types.embedding));
    ZIGZAG_CHECK(read("final_norm", types.finalNorm));
    ZIGZAG_CHECK(read("head", types.head));
    ZIGZAG_TRY(layers, json::arrayIn(*stored, "layers", where));
    if (layers->size() > static_cast<std::size_t>(config.layers))
        return badInput(fmt::format("{}: \"weight_types\" has more layers than the model; calibrate anew", where));
    for (const json::Value &layer : *layers) {
        if (!layer.is_array() || layer.size() > weightIds)
            return badInput(
                fmt::format("{}: a layer of \"weight_types\" must be a list of up to {}; calibrate anew", where, weightIds));
        StoredTypes::Layer &own = types.layers.emplace_back();
        for (std::size_t id = 0; id < layer.size(); ++id) {
            ZIGZAG_TRY(type, readType(layer[id], where));
            own[id] = type;
        }
    }
    return {};
}

nlohmann::ordered_json configJson(const ModelConfig &config)
{
    nlohmann::ordered_json out = {{"name", config.name}};
    for (const Field &field : fields)
        out[field.key] = config.*field.member;
    for (const Flag &flag : flags)
        out[flag.key] = config.*flag.member;
    out["max_context"] = config.maxContext;
    out["dtype"] = nameOf(config.dtype);
    out["kv_type"] = nameOf(config.kvType);
    if (config.storedTypes != StoredTypes())
        out["weight_types"] = storedTypesJson(config.storedTypes);
    if (config.experts > 0) {
        out["family"] = nameOf(*config.family);
        for (const Field &field : expertFields)
            out[field.key] = config.*field.member;
        out["dense_layers"] = config.denseLayers;
    }
    return out;
}

/// Of a model with experts, which layers have them; of others nothing.
Result<void> readExperts(ModelConfig &config, const json::Value &value, const std::string &where)
{
    if (!json::find(value, "experts"))
        return {};
    ZIGZAG_TRY(family, json::stringIn(value, "family", where));
    config.family = findFamily(family);
    if (!config.family)
        return badInput(
            fmt::format("{}: '{}' is no family that this version knows; calibrate anew", where, json::printable(family)));
    for (const Field &field : expertFields) {
        ZIGZAG_TRY(count, json::integerIn(value, field.key, 1, field.most, where));
        config.*field.member = static_cast<int>(count);
    }
    ZIGZAG_TRY(dense, json::arrayIn(value, "dense_layers", where));
    for (const json::Value &entry : *dense)
        config.denseLayers.push_back(entry == true);
    if (config.denseLayers.size() != static_cast<std::size_t>(config.layers) || config.expertsPerToken > config.experts)
        return badInput(fmt::format("{}: its experts are not of its layers; calibrate anew", where));
    return {};
}

Result<ModelConfig> readConfig(const json::Value &value, const std::string &where)
{
    ModelConfig config;
    ZIGZAG_TRY(name, json::stringOr(value, "name", {}, where));
    config.name = name;
    for (const Field &field : fields) {
        ZIGZAG_TRY(count, json::integerIn(value, field.key, 1, field.most, where));
        config.*field.member = static_cast<int>(count);
    }
    for (const Flag &flag : flags) {
        ZIGZAG_TRY(set, json::booleanOr(value, flag.key, false, where));
        config.*flag.member = set;
    }
    ZIGZAG_CHECK(readExperts(config, value, where));
    ZIGZAG_CHECK(readStoredTypes(config, value, where));
    ZIGZAG_TRY(context, json::integerOr(value, "max_context", 0, 0, longestContext, where));
    ZIGZAG_TRY(typeName, json::stringIn(value, "dtype", where));
    ZIGZAG_TRY(kvType, readKvType(value, where));
    config.maxContext = context;
    for (const DType type : {DType::F32, DType::F16, DType::BF16})
        if (typeName == nameOf(type)) {
            config.dtype = type;
            config.kvType = kvType.value_or(type); // a profile from before there was a choice
            if (config.queryHeads % config.kvHeads != 0)
                return badInput(fmt::format("{}: {} query heads cannot share {} KV heads; calibrate anew", where,
                                            config.queryHeads, config.kvHeads));
            return config;
        }
    return badInput(fmt::format("{}: '{}' is no type of weights; calibrate anew", where, json::printable(typeName)));
}

/// phase, kind, sink, recent, tokens, first position, batch; then what was measured.
std::string pointText(const PassPoint &point)
{
    return fmt::format("\"{}\",\"{}\",{},{},{},{},{}", nameOf(point.phase),
                       point.kind == HeadKind::Retrieval ? "retrieval" : "streaming", point.sink, point.recent, point.pass.tokens,
                       point.pass.firstPosition, point.pass.batch);
}
constexpr std::size_t pointColumns = 7;

Result<PassPoint> readPoint(const json::Value &row, const std::string &where)
{
    PassPoint point;
    ZIGZAG_TRY(phase, json::asString(row[0], "the phase", where));
    ZIGZAG_TRY(kind, json::asString(row[1], "the kind", where));
    const std::optional<Phase> known = findPhase(phase);
    if (!known || (kind != "retrieval" && kind != "streaming"))
        return badInput(fmt::format("{}: '{}', '{}' are no phase and kind of head; calibrate anew", where, json::printable(phase),
                                    json::printable(kind)));
    point.phase = *known;
    point.kind = kind == "retrieval" ? HeadKind::Retrieval : HeadKind::Streaming;
    ZIGZAG_TRY(sink, json::asInteger(row[2], "the sinks", 0, maxWindow, where));
    ZIGZAG_TRY(recent, json::asInteger(row[3], "the window", 1, maxWindow, where));
    ZIGZAG_TRY(tokens, json::asInteger(row[4], "the tokens", 1, longestContext, where));
    ZIGZAG_TRY(first, json::asInteger(row[5], "the position", 0, longestContext, where));
    ZIGZAG_TRY(batch, json::asInteger(row[6], "the batch", 1, 1 << 16, where));
    point.sink = static_cast<int>(sink);
    point.recent = static_cast<int>(recent);
    point.pass = {tokens, first, static_cast<int>(batch)};
    return point;
}

Result<std::vector<const json::Value *>> rowsOf(const json::Value &model, std::string_view key, std::size_t columns,
                                                const std::string &where)
{
    ZIGZAG_TRY(list, json::arrayIn(model, key, where));
    if (list->size() > mostSamples)
        return badInput(fmt::format("{}: more than {} samples; calibrate anew", where, mostSamples));
    std::vector<const json::Value *> rows;
    for (const json::Value &row : *list) {
        if (!row.is_array() || row.size() != columns)
            return badInput(
                fmt::format("{}: entry {} of \"{}\" must be a list of {}; calibrate anew", where, rows.size(), key, columns));
        rows.push_back(&row);
    }
    return rows;
}

Result<ModelSamples> readModelSamples(const json::Value &value, const std::string &where)
{
    ModelSamples samples;
    ZIGZAG_TRY(config, json::objectIn(value, "config", where));
    ZIGZAG_TRY(readBack, readConfig(*config, where));
    samples.config = readBack;
    ZIGZAG_TRY(layers, json::integerIn(value, "layers_measured", 1, readBack.layers, where));
    samples.layers = static_cast<int>(layers);
    ZIGZAG_TRY(pace, json::numberOr(value, "pace_ms", 0, 0, longestMs, where));
    samples.paceMs = pace;
    ZIGZAG_TRY(taken, json::integerOr(value, "samples", 0, 0, std::int64_t{mostSamples}, where));
    ZIGZAG_TRY(disturbed, json::integerOr(value, "disturbed", 0, 0, taken, where));
    samples.samples = static_cast<int>(taken);
    samples.disturbed = static_cast<int>(disturbed);
    ZIGZAG_TRY(ops, rowsOf(value, "ops", pointColumns + 2, where));
    for (const json::Value *row : ops) {
        ZIGZAG_TRY(point, readPoint(*row, where));
        ZIGZAG_TRY(name, json::asString((*row)[pointColumns], "the op", where));
        const auto op = std::find(opNames.begin(), opNames.end(), name);
        if (op == opNames.end())
            return badInput(
                fmt::format("{}: '{}' is no op that this version knows; calibrate anew", where, json::printable(name)));
        ZIGZAG_TRY(us, json::asNumber((*row)[pointColumns + 1], "the microseconds", 0, 1e3 * longestMs, where));
        samples.ops.push_back({point, static_cast<Op>(op - opNames.begin()), us});
    }
    ZIGZAG_TRY(passes, rowsOf(value, "passes", pointColumns + 1, where));
    for (const json::Value *row : passes) {
        ZIGZAG_TRY(point, readPoint(*row, where));
        ZIGZAG_TRY(ms, json::asNumber((*row)[pointColumns], "the milliseconds", 0, longestMs, where));
        samples.passes.push_back({point, ms});
    }
    return samples;
}

/// A year, a month and a day in digits: it is shown as it stands.
bool isDay(std::string_view text)
{
    constexpr std::string_view form = "0000-00-00";
    return std::equal(text.begin(), text.end(), form.begin(), form.end(),
                      [](char c, char pattern) { return pattern == '0' ? c >= '0' && c <= '9' : c == pattern; });
}

/// [bytes, µs] of each size, the smallest first.
Result<LinkSamples> readLink(const json::Value &value, const std::string &where)
{
    constexpr std::int64_t mostGpus = 1024, mostBytes = std::int64_t{1} << 40;
    constexpr double mostUs = 1e9;
    LinkSamples link;
    ZIGZAG_TRY(gpus, json::integerIn(value, "gpus", 2, mostGpus, where));
    ZIGZAG_TRY(between, json::stringIn(value, "between", where));
    ZIGZAG_TRY(sums, json::arrayIn(value, "sums", where));
    link.gpus = static_cast<int>(gpus);
    link.between = between;
    for (const json::Value &each : *sums) {
        if (!each.is_array() || each.size() != 2)
            return badInput(fmt::format("{}: a sum must be bytes and microseconds; calibrate anew", where));
        ZIGZAG_TRY(bytes, json::asInteger(each[0], "bytes of a sum", 1, mostBytes, where));
        ZIGZAG_TRY(us, json::asNumber(each[1], "microseconds of a sum", 0, mostUs, where));
        if (!link.sums.empty() && bytes <= link.sums.back().bytes)
            return badInput(fmt::format("{}: sums must grow; calibrate anew", where));
        link.sums.push_back({bytes, us});
    }
    return link;
}

} // namespace

std::string today()
{
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    std::array<char, 16> text{};
    localtime_r(&now, &parts);
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts)};
}

std::string profileText(const Calibration &calibration)
{
    const auto text = [](const nlohmann::ordered_json &value) {
        return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    };
    std::string out = fmt::format("{{\"format\": \"{}\", \"version\": {},\n", formatName, formatVersion);
    if (!calibration.measured.empty())
        out += fmt::format(" \"measured\": {},\n", text(calibration.measured));
    out += fmt::format(" \"machine\": {},\n \"models\": [", text(machineJson(calibration.machine)));
    const char *betweenModels = "";
    for (const ModelSamples &samples : calibration.models) {
        const CostModel cost(calibration, samples.config);
        // How good it is, for whoever looks into the file; a reader judges by the samples, as it must in files without this.
        out += fmt::format("{}\n  {{\"config\": {},\n   \"layers_measured\": {},\n   \"pace_ms\": {},\n   \"samples\": {},\n   "
                           "\"disturbed\": {},\n   \"fit_error\": {},\n   \"reliable\": {},\n   \"ops\": [",
                           betweenModels, text(configJson(samples.config)), samples.layers, samples.paceMs, samples.samples,
                           samples.disturbed, cost.medianFitError(), cost.isReliable());
        betweenModels = ",";
        for (std::size_t i = 0; i < samples.ops.size(); ++i)
            out += fmt::format("{}\n    [{},\"{}\",{}]", i == 0 ? "" : ",", pointText(samples.ops[i].point),
                               nameOf(samples.ops[i].op), samples.ops[i].us);
        out += "],\n   \"passes\": [";
        for (std::size_t i = 0; i < samples.passes.size(); ++i)
            out += fmt::format("{}\n    [{},{}]", i == 0 ? "" : ",", pointText(samples.passes[i].point), samples.passes[i].ms);
        out += "]}";
    }
    out += "]";
    for (std::size_t i = 0; i < calibration.links.size(); ++i) {
        const LinkSamples &link = calibration.links[i];
        nlohmann::ordered_json sums = nlohmann::ordered_json::array();
        for (const LinkSample &sample : link.sums)
            sums.push_back({sample.bytes, sample.us});
        out += fmt::format("{}\n  {}", i == 0 ? ",\n \"links\": [" : ",",
                           text({{"gpus", link.gpus}, {"between", link.between}, {"sums", sums}}));
    }
    return out + (calibration.links.empty() ? "}\n" : "]}\n");
}

Result<void> writeProfile(const Calibration &calibration, const std::filesystem::path &file)
{
    return writeFileAtomically(file, profileText(calibration));
}

Result<Calibration> readProfile(const std::filesystem::path &file)
{
    ZIGZAG_TRY(text, readTextFile(file, largestFile));
    return profileFrom(text, file.string());
}

Result<Calibration> profileFrom(std::string_view text, const std::string &where)
{
    if (const FileContent content = contentOf(text); content != FileContent::MachineProfile && content != FileContent::OtherJson)
        return wrongContent(where, {content, false}, "a machine profile");
    ZIGZAG_TRY(document, json::parse(text, where));
    ZIGZAG_CHECK(json::checkFormat(document, formatName, formatVersion, where));
    Calibration calibration;
    ZIGZAG_TRY(machine, json::objectIn(document, "machine", where));
    ZIGZAG_TRY(readBack, readMachine(*machine, where));
    calibration.machine = readBack;
    if (document.contains("measured")) {
        ZIGZAG_TRY(day, json::asString(document.at("measured"), "the day of the measurement", where));
        if (!isDay(day))
            return badInput(fmt::format("{}: '{}' is no day such as 2026-11-28; calibrate anew", where, json::printable(day)));
        calibration.measured = day;
    }
    ZIGZAG_TRY(models, json::arrayIn(document, "models", where));
    if (models->empty() || models->size() > mostModels)
        return badInput(fmt::format("{}: has {} models and not 1 to {}; calibrate anew", where, models->size(), mostModels));
    for (const json::Value &model : *models) {
        ZIGZAG_TRY(samples, readModelSamples(model, fmt::format("{}, model {}", where, calibration.models.size())));
        calibration.models.push_back(std::move(samples));
    }
    if (document.contains("links")) { // where somebody measured them
        ZIGZAG_TRY(links, json::arrayIn(document, "links", where));
        for (const json::Value &link : *links) {
            ZIGZAG_TRY(samples, readLink(link, fmt::format("{}, link {}", where, calibration.links.size())));
            calibration.links.push_back(std::move(samples));
        }
    }
    return calibration;
}

} // namespace zigzag
