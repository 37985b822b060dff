// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/carry_state.h"

#include "engine/base/json_input.h"
#include "engine/base/sha256.h"
#include "engine/map/run_alike.h"
#include "profiler/search/search_progress.h"

#include <array>
#include <chrono>

namespace zigzag::jobs {

namespace {

const std::string where = "the progress of stand-ins";
constexpr double mostOf = 1e100; ///< of anything in it
constexpr std::size_t mostSteps = 1 << 20, mostTexts = 1 << 20;

constexpr std::array<std::pair<const char *, std::vector<float> LayerCarrier::*>, 5> carrierParts{
    std::pair{"sink_logits", &LayerCarrier::sinkLogits}, std::pair{"output_bias", &LayerCarrier::outputBias},
    std::pair{"query_bias", &LayerCarrier::queryBias}, std::pair{"key_bias", &LayerCarrier::keyBias},
    std::pair{"value_bias", &LayerCarrier::valueBias}};

template <class Number> Result<std::vector<Number>> numbersOf(const json::Value &list)
{
    if (!list.is_array())
        return badInput(where + " has no list where numbers are expected");
    std::vector<Number> numbers;
    numbers.reserve(list.size());
    for (const json::Value &each : list) {
        ZIGZAG_TRY(number, json::asNumber(each, "a number", -mostOf, mostOf, where));
        numbers.push_back(static_cast<Number>(number));
    }
    return numbers;
}

/// Exactly so long.
template <class Number> Result<std::vector<Number>> numbersIn(const json::Value &object, const char *key, std::size_t count)
{
    ZIGZAG_TRY(list, json::arrayIn(object, key, where));
    if (list->size() != count)
        return badInput(where + " is of another model");
    return numbersOf<Number>(*list);
}

json::Value carrierJson(const SinkCarrier &carrier)
{
    json::Value layers = json::Value::array();
    for (const LayerCarrier &layer : carrier.layers) {
        json::Value object = json::Value::object();
        for (const auto &[key, part] : carrierParts)
            if (!(layer.*part).empty())
                object[key] = layer.*part;
        layers.push_back(std::move(object));
    }
    return {{"queries", carrier.queries}, {"layers", std::move(layers)}};
}

Result<SinkCarrier> readCarrier(const json::Value &object, const ModelConfig &config)
{
    SinkCarrier carrier;
    ZIGZAG_TRY(queries, json::integerIn(object, "queries", 0, std::int64_t{1} << 50, where));
    carrier.queries = queries;
    ZIGZAG_TRY(layers, json::arrayIn(object, "layers", where));
    if (layers->size() != static_cast<std::size_t>(config.layers))
        return badInput(where + " is of another model");
    const std::int64_t lengths[]
        = {config.queryHeads, config.hiddenSize, config.queryWidth(), config.kvWidth(), config.kvWidth()};
    for (const json::Value &each : *layers) {
        LayerCarrier &layer = carrier.layers.emplace_back();
        for (std::size_t i = 0; i < carrierParts.size(); ++i) {
            const auto &[key, part] = carrierParts[i];
            if (!json::find(each, key))
                continue;
            ZIGZAG_TRY(values, numbersIn<float>(each, key, static_cast<std::size_t>(lengths[i])));
            layer.*part = std::move(values);
        }
    }
    return carrier;
}

Result<std::optional<SinkCarrier>> carrierIn(const json::Value &root, const char *key, const ModelConfig &config)
{
    const json::Value *object = json::find(root, key);
    if (!object)
        return std::nullopt;
    ZIGZAG_TRY(carrier, readCarrier(*object, config));
    return std::optional(std::move(carrier));
}

Result<void> readCalibration(const json::Value &root, const ModelConfig &config, CalibrationState &to)
{
    ZIGZAG_TRY(object, json::objectIn(root, "calibration", where));
    for (const auto &[key, sums, count, width] : {std::tuple{"scores", &to.scores, &to.scored, config.queryHeads},
                                                  {"outputs", &to.outputs, &to.summed, config.queryWidth()}}) {
        ZIGZAG_TRY(layers, json::arrayIn(*object, key, where));
        if (!layers->empty() && layers->size() != static_cast<std::size_t>(config.layers))
            return badInput(where + " is of another model");
        for (const json::Value &layer : *layers) {
            ZIGZAG_TRY(values, numbersOf<double>(layer));
            if (values.size() != static_cast<std::size_t>(width))
                return badInput(where + " is of another model");
            sums->push_back(std::move(values));
        }
        ZIGZAG_TRY(texts, json::integerIn(*object, std::string(key) + "_of", 0, mostTexts, where));
        *count = static_cast<std::size_t>(texts);
    }
    if (to.scores.size() != to.outputs.size() || (to.scores.empty() && to.scored + to.summed > 0))
        return badInput(where + " has sums of nothing");
    return {};
}

Result<void> readFit(const json::Value &root, FitState &to)
{
    ZIGZAG_TRY(object, json::objectIn(root, "fit", where));
    ZIGZAG_TRY(list, json::arrayIn(*object, "parameters", where));
    const std::size_t count = list->size();
    for (const auto &[key, values] : {std::pair{"parameters", &to.parameters}, {"first", &to.first}, {"second", &to.second}}) {
        ZIGZAG_TRY(numbers, numbersIn<double>(*object, key, count));
        *values = std::move(numbers);
    }
    ZIGZAG_TRY(losses, json::arrayIn(*object, "losses", where));
    if (losses->size() > mostSteps)
        return badInput(where + " has more steps than any fit");
    ZIGZAG_TRY(numbers, numbersOf<double>(*losses));
    to.losses = std::move(numbers);
    ZIGZAG_TRY(seconds, json::numberIn(*object, "seconds", 0, mostOf, where));
    to.seconds = seconds;
    return {};
}

json::Value nearJson(const NearFull &near)
{
    return {near.kl, near.sameTop, near.positions};
}

Result<NearFull> readNear(const json::Value &value)
{
    if (!value.is_array() || value.size() != 3)
        return badInput(where + " has a sum that is none");
    ZIGZAG_TRY(kl, json::asNumber(value[0], "a divergence", -mostOf, mostOf, where));
    ZIGZAG_TRY(top, json::asNumber(value[1], "a count", 0, mostOf, where));
    ZIGZAG_TRY(positions, json::asInteger(value[2], "a count", 0, std::int64_t{1} << 50, where));
    return NearFull{kl, top, positions};
}

Result<void> readSums(const json::Value &root, CarrySums &to)
{
    ZIGZAG_TRY(object, json::objectIn(root, "sums", where));
    for (const auto &[key, list] : {std::pair{"inside", &to.inside}, {"beyond", &to.beyond}}) {
        ZIGZAG_TRY(ways, json::arrayIn(*object, key, where));
        if (ways->size() > 2)
            return badInput(where + " measured more than there is");
        for (const json::Value &each : *ways) {
            ZIGZAG_TRY(near, readNear(each));
            list->push_back(near);
        }
    }
    if (to.inside.size() != to.beyond.size())
        return badInput(where + " measured half of something");
    for (const auto &[key, near] : {std::pair{"window_alone", &to.windowAlone}, {"sinks_kept", &to.sinksKept}}) {
        ZIGZAG_TRY(value, json::arrayIn(*object, key, where));
        ZIGZAG_TRY(sums, readNear(*value));
        *near = sums;
    }
    ZIGZAG_TRY(texts, json::integerIn(*object, "texts", 0, mostTexts, where));
    to.texts = static_cast<std::size_t>(texts);
    return {};
}

/// Of which map, plan and model.
std::string planJson(const JobContext &context, const HeadMap &map, const CarryPlan &plan)
{
    Sha256 texts;
    for (const auto *list : {&plan.texts.calibration, &plan.texts.fit, &plan.texts.heldOut})
        for (const std::vector<int> &text : *list) {
            const std::uint64_t size = text.size();
            texts.update(&size, sizeof size);
            texts.update(text.data(), text.size() * sizeof(int));
        }
    json::Value json = {{"model", context.model().weights.fingerprint},
                        {"backend", context.device->backend->name()},
                        {"kv_type", nameOf(context.config().kvType)},
                        {"map", fingerprintOf(map)},
                        {"texts", texts.hex()}};
    if (const auto &fit = plan.fit)
        json["fit"] = {fit->steps,    fit->seconds,      fit->insideWeight, fit->logitRate,       fit->headRate,
                       fit->biasRate, fit->largestShare, fit->rateScale,    fit->fitsProjections, fit->seed};
    return json.dump();
}

} // namespace

std::string carryStateJson(const CarryState &state)
{
    const auto listOf = [](const std::vector<NearFull> &all) {
        json::Value list = json::Value::array();
        for (const NearFull &near : all)
            list.push_back(nearJson(near));
        return list;
    };
    json::Value root = {{"calibration",
                         {{"scores", state.calibration.scores},
                          {"scores_of", state.calibration.scored},
                          {"outputs", state.calibration.outputs},
                          {"outputs_of", state.calibration.summed}}},
                        {"fit",
                         {{"parameters", state.fit.parameters},
                          {"first", state.fit.first},
                          {"second", state.fit.second},
                          {"losses", state.fit.losses},
                          {"seconds", state.fit.seconds}}},
                        {"sums",
                         {{"inside", listOf(state.sums.inside)},
                          {"beyond", listOf(state.sums.beyond)},
                          {"window_alone", nearJson(state.sums.windowAlone)},
                          {"sinks_kept", nearJson(state.sums.sinksKept)},
                          {"texts", state.sums.texts}}},
                        {"seconds", {state.seconds.calibration, state.seconds.fit, state.seconds.measurement}}};
    if (state.calibrated)
        root["calibrated"] = carrierJson(*state.calibrated);
    if (state.fitted)
        root["fitted"] = carrierJson(*state.fitted);
    return root.dump();
}

Result<CarryState> carryStateFrom(std::string_view text, const ModelConfig &config)
{
    ZIGZAG_TRY(root, json::parse(text, where));
    CarryState state;
    ZIGZAG_CHECK(readCalibration(root, config, state.calibration));
    ZIGZAG_CHECK(readFit(root, state.fit));
    ZIGZAG_CHECK(readSums(root, state.sums));
    ZIGZAG_TRY(calibrated, carrierIn(root, "calibrated", config));
    ZIGZAG_TRY(fitted, carrierIn(root, "fitted", config));
    state.calibrated = std::move(calibrated);
    state.fitted = std::move(fitted);
    ZIGZAG_TRY(seconds, numbersIn<double>(root, "seconds", 3));
    state.seconds = {seconds[0], seconds[1], seconds[2]};
    return state;
}

CarryFile::CarryFile(std::filesystem::path file, const JobContext &context, const HeadMap &map, const CarryPlan &plan,
                     Begin begin)
    : m_file(std::move(file))
    , m_plan(planJson(context, map, plan))
{
    if (m_file.empty())
        return;
    Result<std::optional<std::string>> text = std::optional<std::string>();
    if (begin == Begin::GoOn)
        text = loadProgress(m_file, "carry", m_plan);
    if (text && *text)
        if (auto state = carryStateFrom(**text, context.config()))
            m_soFar.state = std::move(*state);
    m_soFar.told = [this, last = std::chrono::steady_clock::now()]() mutable {
        constexpr std::chrono::seconds seldom(5);
        if (const auto now = std::chrono::steady_clock::now(); now - last >= seldom) {
            last = now;
            (void)save(); // what cannot be written down is told at the end
        }
    };
}

Result<void> CarryFile::save() const
{
    return m_file.empty() ? Result<void>() : saveProgress(m_file, "carry", m_plan, carryStateJson(m_soFar.state));
}

} // namespace zigzag::jobs
