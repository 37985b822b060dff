// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/carry/sink_carrier.h"

#include "engine/model/tensor_values.h"
#include "engine/run/layer_pass.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

namespace {

bool streams(const HeadMap &map, int layer)
{
    return map.layerKind(layer) == LayerKind::Streaming;
}

class Calibration
{
public:
    /// `inputs`: the map whose hidden states the layers of `map` read.
    Calibration(LayerPass &pass, const HeadMap &map, const HeadMap &inputs, std::span<const std::vector<int>> texts,
                const std::atomic<bool> *cancel, const std::function<void(double)> &progress, CalibrationState &soFar)
        : m_pass(pass)
        , m_map(map)
        , m_inputs(inputs)
        , m_texts(texts)
        , m_cancel(cancel)
        , m_progress(progress)
        , m_soFar(soFar)
    { }

    Result<SinkCarrier> run()
    {
        const ModelConfig &config = m_pass.config();
        const auto layers = static_cast<std::size_t>(config.layers);
        ZIGZAG_TRY(states, m_pass.states());
        SinkCarrier carrier;
        carrier.layers.resize(layers);
        if (m_soFar.scores.empty()) {
            m_soFar.scores.assign(layers, std::vector<double>(static_cast<std::size_t>(config.queryHeads)));
            m_soFar.outputs.assign(layers, std::vector<double>(static_cast<std::size_t>(config.queryWidth())));
        }
        ZIGZAG_CHECK(
            overLayers(*states, m_soFar.scores, m_soFar.scored, [&](int layer, std::int64_t tokens, std::vector<double> &sums) {
                return m_pass.addSinkScores(layer, m_map.pattern(layer, 0), tokens, *states, sums);
            }));
        for (int layer = 0; layer < config.layers; ++layer)
            if (streams(m_map, layer))
                for (const double sum : m_soFar.scores[static_cast<std::size_t>(layer)])
                    carrier.layers[static_cast<std::size_t>(layer)].sinkLogits.push_back(
                        static_cast<float>(sum / static_cast<double>(queriesOf(layer))));
        ZIGZAG_CHECK(
            overLayers(*states, m_soFar.outputs, m_soFar.summed, [&](int layer, std::int64_t tokens, std::vector<double> &sums) {
                return m_pass.addSinkOutputs(layer, m_map.pattern(layer, 0),
                                             carrier.layers[static_cast<std::size_t>(layer)].sinkLogits, tokens, *states, sums);
            }));
        for (int layer = 0; layer < config.layers; ++layer) {
            if (!streams(m_map, layer))
                continue;
            std::vector<float> means;
            for (const double sum : m_soFar.outputs[static_cast<std::size_t>(layer)])
                means.push_back(static_cast<float>(sum / static_cast<double>(queriesOf(layer))));
            ZIGZAG_TRY(bias, m_pass.projectHeads(layer, means));
            carrier.layers[static_cast<std::size_t>(layer)].outputBias = std::move(bias);
            carrier.queries = queriesOf(layer);
        }
        return carrier;
    }

private:
    /// Queries whose window has left sinks behind.
    std::int64_t queriesOf(int layer) const
    {
        std::int64_t sum = 0;
        for (const std::vector<int> &text : m_texts)
            sum += std::max<std::int64_t>(0, std::ssize(text) - m_map.pattern(layer, 0).recent());
        return sum;
    }

    /// Every text that is not in the sums through every layer, with `look` at those that stream. Sums are of whole texts.
    template <class Look>
    Result<void> overLayers(Buffer &states, std::vector<std::vector<double>> &sums, std::size_t &done, const Look &look)
    {
        const auto all = static_cast<double>(2 * std::ssize(m_texts) * m_map.layers());
        for (m_done += static_cast<double>(done) * m_map.layers(); done < m_texts.size(); ++done) {
            const std::vector<int> &text = m_texts[done];
            std::vector<std::vector<double>> with = sums;
            ZIGZAG_CHECK(m_pass.embed(text, states));
            for (int layer = 0; layer < m_map.layers(); ++layer) {
                if (m_cancel && m_cancel->load(std::memory_order_relaxed))
                    return cancelled();
                if (streams(m_map, layer))
                    ZIGZAG_CHECK(look(layer, std::ssize(text), with[static_cast<std::size_t>(layer)]));
                m_pass.run(layer, m_inputs.patterns(layer), std::ssize(text), states, states);
                if (m_progress)
                    m_progress(++m_done / all);
            }
            sums = std::move(with);
        }
        return {};
    }

    LayerPass &m_pass;
    const HeadMap &m_map, &m_inputs;
    std::span<const std::vector<int>> m_texts;
    const std::atomic<bool> *m_cancel;
    const std::function<void(double)> &m_progress;
    CalibrationState &m_soFar;
    double m_done = 0; ///< layers of texts
};

/// The new tensors of a carried model, and the old ones' memory.
struct CarriedStorage {
    std::shared_ptr<const void> weights;
    std::vector<std::vector<std::byte>> tensors;
};

TensorView stored(CarriedStorage &storage, const std::vector<float> &values, DType type)
{
    storage.tensors.push_back(storedAs(type, values));
    return {storage.tensors.back().data(), type, std::ssize(values), 1};
}

/// `whole`: without mixed layers.
Result<SinkCarrier> calibrated(const std::shared_ptr<DeviceModel> &model, const HeadMap &whole, const HeadMap &inputs,
                               std::span<const std::vector<int>> texts, const std::atomic<bool> *cancel,
                               const std::function<void(double)> &progress, CalibrationState &soFar)
{
    std::int64_t longest = 0;
    for (const std::vector<int> &text : texts)
        longest = std::max(longest, std::ssize(text));
    for (int layer = 0; layer < whole.layers(); ++layer)
        if (const std::int64_t recent = whole.pattern(layer, 0).recent(); streams(whole, layer) && longest <= recent)
            return badInput(
                fmt::format("the longest text to calibrate with has {} tokens, and the window of layer {} holds {}: give "
                            "longer texts",
                            longest, layer, recent));
    ZIGZAG_TRY(pass, LayerPass::create(model, longest, false));
    return Calibration(*pass, whole, inputs, texts, cancel, progress, soFar).run();
}

} // namespace

Result<SinkCarrier> calibrateSinks(const std::shared_ptr<DeviceModel> &model, const HeadMap &map,
                                   std::span<const std::vector<int>> texts, const std::atomic<bool> *cancel,
                                   const std::function<void(double)> &progress, CalibrationState *soFar)
{
    const HeadMap whole = wholeLayers(map);
    CalibrationState own;
    return calibrated(model, whole, whole, texts, cancel, progress, soFar ? *soFar : own);
}

Result<SinkCarrier> calibrateEveryLayer(const std::shared_ptr<DeviceModel> &model, StreamingWindow window,
                                        std::span<const std::vector<int>> texts, const std::atomic<bool> *cancel,
                                        const std::function<void(double)> &progress, CalibrationState *soFar)
{
    const HeadMap all(model->model->shape(), HeadKind::Streaming, window.sink, window.recent);
    CalibrationState own;
    return calibrated(model, all, all.withEvery(HeadKind::Retrieval), texts, cancel, progress, soFar ? *soFar : own);
}

HeadMap withoutSinks(const HeadMap &map)
{
    HeadMap run = wholeLayers(map);
    for (int layer = 0; layer < run.layers(); ++layer)
        run.setLayerWindow(layer, 0, run.window(layer).recent);
    return run;
}

SinkCarrier blankCarrier(const ModelConfig &config, const HeadMap &map)
{
    SinkCarrier carrier;
    carrier.layers.resize(static_cast<std::size_t>(config.layers));
    for (int layer = 0; layer < config.layers; ++layer)
        if (streams(map, layer))
            carrier.layers[static_cast<std::size_t>(layer)].sinkLogits.assign(static_cast<std::size_t>(config.queryHeads), 0.0f);
    return carrier;
}

HeadMap wholeLayers(HeadMap map)
{
    for (int layer = 0; layer < map.layers(); ++layer)
        map.setLayer(layer, streams(map, layer) ? HeadKind::Streaming : HeadKind::Retrieval);
    return map;
}

StreamingWindow streamingWindowOf(const HeadMap &map)
{
    for (int layer = 0; layer < map.layers(); ++layer)
        if (streams(map, layer))
            return map.window(layer);
    return {};
}

namespace {

/// What a granite_swa's layers cannot have, or null. Neighbours that turn together are how GGUF files of a llama and a granite
/// have queries and keys, and those of a granite_swa too.
const char *extrasOfCarried(ModelConfig config)
{
    if (config.scoreCap > 0)
        return "soft caps of scores";
    config.interleavedRope = config.interleavedRope && !config.is("llama") && !config.is("granite");
    return extrasOf(config);
}

} // namespace

std::string whyNotCarried(const ModelConfig &config, const HeadMap &map)
{
    if (config.queryKeyNorm)
        return fmt::format("granite_swa has no norm of queries and keys, and a {} has", nameOf(*config.family));
    if (config.experts > 0)
        return fmt::format("granite_swa has no experts, and a {} has", nameOf(*config.family));
    if (config.sinkLogits || config.shape().localLayers() > 0)
        return "its layers have windows or sink logits of their own, which no map changes";
    if (config.outputBias)
        return "its output projections have biases of their own in the weight files, which the new ones would have to replace";
    if (const char *what = extrasOfCarried(config))
        return fmt::format("granite_swa cannot say {}, and a {} has such", what, nameOf(*config.family));
    const LayerPlan plan = layerPlan(config, 0);
    for (const WeightSpec &weight : plan.weights())
        if (weight.storedRows > 0)
            return fmt::format("a granite_swa has tensors of their own for what a {} keeps in {}", nameOf(*config.family),
                               weight.name);
    std::int64_t window = 0;
    bool any = false;
    for (int layer = 0; layer < map.layers(); ++layer) {
        any = any || streams(map, layer);
        if (!streams(map, layer) && !map.isLocal(layer))
            continue;
        const std::int64_t recent = map.pattern(layer, 0).recent();
        if (window != 0 && recent != window)
            return fmt::format("granite_swa has one window for all its layers, and this map has {} and {}", window, recent);
        window = recent;
    }
    return !any ? "no layer of the map streams: there is nothing to carry" : "";
}

Result<std::shared_ptr<const Model>> carriedModel(const Model &model, const HeadMap &map, const SinkCarrier &carrier)
{
    if (const std::string why = whyNotCarried(model.config, map); !why.empty())
        return badInput(why);
    auto carried = std::make_shared<Model>();
    carried->config = model.config;
    carried->weights = model.weights;
    auto storage = std::make_shared<CarriedStorage>();
    storage->weights = model.weights.storage;
    ModelConfig &config = carried->config;
    const DType type = config.dtype;
    config.scoreScale = static_cast<double>(scoreScale(static_cast<float>(config.scoreScale), config.headDim));
    config.family = findFamily("granite_swa");
    config.sinkLogits = config.qkvBias = config.outputBias = true;
    config.fileWindows.assign(static_cast<std::size_t>(config.layers), 0);
    for (int layer = 0; layer < config.layers; ++layer) {
        const auto at = static_cast<std::size_t>(layer);
        LayerWeights &weights = carried->weights.layers[at];
        const auto set
            = [&](WeightId id, const std::vector<float> &values) { weights.make(id, 1)[0] = stored(*storage, values, type); };
        const LayerCarrier &own = carrier.layers[at];
        config.fileWindows[at] = streams(map, layer) || map.isLocal(layer) ? map.pattern(layer, 0).recent() : 0;
        set(WeightId::SinkLogits,
            own.sinkLogits.empty() ? std::vector<float>(static_cast<std::size_t>(config.queryHeads), noSink) : own.sinkLogits);
        const auto add = [&](WeightId id, const std::vector<float> &change, std::int64_t rows) {
            std::vector<float> bias(static_cast<std::size_t>(rows));
            if (!model.weights.layers[at].all(id).empty())
                bias = floatsOf(model.weights.layers[at][id]);
            std::transform(change.begin(), change.end(), bias.begin(), bias.begin(), std::plus<>());
            if (weights.all(id).empty() || !change.empty())
                set(id, bias);
        };
        add(WeightId::QueryBias, own.queryBias, config.queryWidth());
        add(WeightId::KeyBias, own.keyBias, config.kvWidth());
        add(WeightId::ValueBias, own.valueBias, config.kvWidth());
        add(WeightId::OutputBias, own.outputBias, config.hiddenSize);
    }
    carried->weights.storage = storage;
    return std::shared_ptr<const Model>(std::move(carried));
}

} // namespace zigzag
