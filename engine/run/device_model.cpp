// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/device_model.h"

#include "engine/model/tensor_values.h"
#include "engine/model/weight_plan.h"
#include "engine/run/session.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iterator>
#include <string_view>
#include <tuple>

namespace zigzag {

namespace {

template <class T> bool contains(const std::vector<T> &all, const T &one)
{
    return std::find(all.begin(), all.end(), one) != all.end();
}

/// A vector as float32 on the device. Norms that files hold as their difference from 1 get it back here, and nowhere else.
Result<std::unique_ptr<Buffer>> uploadVector(Backend &backend, const ModelConfig &config, TensorRole role,
                                             const TensorView &tensor)
{
    std::vector<float> values = floatsOf(tensor);
    if (role == TensorRole::Norm && config.normAddsOne)
        for (float &value : values)
            value += 1;
    ZIGZAG_TRY(buffer, backend.allocate(values.size() * sizeof(float)));
    backend.upload(*buffer, 0, values.data(), values.size() * sizeof(float));
    return std::move(buffer);
}

/// A model's weights as a backend holds them.
struct Held {
    std::int64_t bytes = 0;
    std::vector<WeightType> decoded; ///< types of the files that it does not take
};

Held heldBytes(const Capabilities &can, const ModelConfig &config)
{
    Held held;
    for (const PlannedTensor &planned : planWeights(config)) {
        const WeightType type = planned.role == TensorRole::Matrix ? heldType(can, config, planned.type) : planned.type;
        held.bytes += planned.rows * rowBytes(type, planned.columns);
        if (type != planned.type && !contains(held.decoded, planned.type))
            held.decoded.push_back(planned.type);
    }
    return held;
}

} // namespace

const char *otherNormsOrGates(const ModelConfig &config)
{
    if (normsBehind(config))
        return "norms behind attention and feed-forward";
    if (config.normsWidth)
        return "norms over the width of queries and keys";
    if (config.activation != GatedActivation::Silu)
        return "gates other than SiLU";
    return nullptr;
}

const char *extrasOf(const ModelConfig &config)
{
    if (const char *what = otherNormsOrGates(config))
        return what;
    if (config.logitCap > 0)
        return "a soft cap of logits";
    if (config.rotated() != config.headDim || config.interleavedRope)
        return "heads that are rotated in part or in pairs of neighbours";
    if (!config.layerRopes.empty() || config.rope.queryScaleBeta != 0)
        return "layers of other rotary embeddings, or queries that are scaled by their position";
    return nullptr;
}

WeightType heldType(const Capabilities &can, const ModelConfig &config, WeightType stored)
{
    const bool takesBlocks = can.blocksBesideF32 || config.dtype != DType::F32;
    const bool takes = contains(can.weightTypes, stored) && (stored.isQuantised() ? takesBlocks : can.mixesTypes);
    return takes ? stored : config.dtype;
}

Result<void> checkRuns(const Backend &backend, const ModelConfig &config)
{
    const DeviceInfo device = backend.device();
    const Capabilities can = backend.capabilities();
    const char *const instead = can.onProcessor ? "choose another model" : "use --backend cpu";
    if (!contains(can.weightTypes, WeightType(config.dtype)))
        return badInput(fmt::format("{} has weights in {}, which the {} backend does not run: {}", config.name,
                                    nameOf(config.dtype), backend.name(), instead));
    if (!contains(can.kvTypes, config.kvType)) {
        std::vector<std::string_view> names;
        std::transform(can.kvTypes.begin(), can.kvTypes.end(), std::back_inserter(names),
                       [](DType type) { return nameOf(type); });
        return badInput(fmt::format("{} has keys and values in {}, which the {} backend does not run: choose --kv-type {}{}",
                                    config.name, nameOf(config.kvType), backend.name(), fmt::join(names, ", "),
                                    can.onProcessor ? "" : ", or use --backend cpu"));
    }
    const std::tuple<const char *, int, int> limits[] = {
        {"a head size", config.headDim, device.maxHeadDim},
        {"query heads a layer", config.queryHeads, device.maxQueryHeads},
        {"KV heads a layer", config.kvHeads, device.maxKvHeads},
        {"experts a layer", config.experts, device.maxExperts},
        {"experts a token", config.expertsPerToken, device.maxExpertsPerToken},
    };
    for (const auto &[what, value, most] : limits)
        if (value > most)
            return badInput(fmt::format("{} has {} {} and the {} backend runs at most {}: {}", config.name, what, value,
                                        backend.name(), most, instead));
    if (!backend.attendsOver(config.kvType, config.dtype))
        return badInput(
            fmt::format("{} has keys and values in {} beside weights in {}, which the {} backend does not run together: choose "
                        "another --kv-type, or use --backend cpu",
                        config.name, nameOf(config.kvType), nameOf(config.dtype), backend.name()));
    if (config.experts > 0 && !can.experts)
        return badInput(
            fmt::format("{} has layers of experts, which the {} backend does not run: {}", config.name, backend.name(), instead));
    if (config.scoreCap > 0 && !can.scoreCaps)
        return badInput(fmt::format("{} has soft caps of scores, which the {} backend does not run: {}", config.name,
                                    backend.name(), instead));
    if (const char *what = can.layerExtras ? nullptr : extrasOf(config))
        return badInput(
            fmt::format("{} has {}, which the {} backend does not run: {}", config.name, what, backend.name(), instead));
    if (config.headDim < 2 || config.headDim % 2 != 0 || config.kvHeads < 1 || config.queryHeads % config.kvHeads != 0)
        return badInput(
            fmt::format("{} has {} query heads over {} KV heads of size {}, which cannot be run: the size must be even "
                        "and the KV heads divide the query heads",
                        config.name, config.queryHeads, config.kvHeads, config.headDim));
    return {};
}

Result<std::shared_ptr<DeviceModel>> uploadModel(std::shared_ptr<const Model> model, std::shared_ptr<Backend> backend,
                                                 const UploadProgress &progress, const std::atomic<bool> *cancel)
{
    auto device = std::make_shared<DeviceModel>();
    const Weights &weights = model->weights;
    const Capabilities can = backend->capabilities();
    const bool copies = can.copiesWeights;
    if (copies) // before minutes of copying; where nothing is copied, a session says it as soon
        ZIGZAG_CHECK(checkRuns(*backend, model->config));
    const Held held = heldBytes(can, model->config);
    if (const std::int64_t needed = held.bytes, free = backend->device().memoryBytes; copies && needed > free)
        return failed(fmt::format("{}: its weights take {} bytes and {} are free on {}: no context fits beside them; choose a "
                                  "smaller model, or --backend cpu",
                                  model->config.name, needed, free, backend->device().name));
    if (!held.decoded.empty()) {
        std::vector<std::string_view> names;
        for (const WeightType type : held.decoded)
            names.push_back(nameOf(type));
        device->notes.push_back(
            fmt::format("{}: the {} backend does not multiply with {}: such matrices are decoded to {}, {} bytes "
                        "of weights instead of {}",
                        model->config.name, backend->name(), fmt::join(names, ", "), nameOf(model->config.dtype), held.bytes,
                        model->config.weightBytes()));
    }
    std::int64_t done = 0;
    const auto prepare = [&](const TensorView &from) -> Result<std::unique_ptr<Matrix>> {
        if (cancel && cancel->load(std::memory_order_relaxed))
            return cancelled();
        const WeightType type = heldType(can, model->config, from.type);
        TensorView view = from;
        std::vector<std::byte> decoded;
        if (type != from.type) {
            decoded = storedAs(*type.plain(), floatsOf(from));
            view = {decoded.data(), type, from.rows, from.columns};
        }
        auto prepared = backend->prepare(view);
        if (prepared)
            (*prepared)->activations = backend->activationType(model->config.dtype);
        if (!decoded.empty() && !copies) // whoever reads weights where they are needs them there
            device->decoded.push_back(std::move(decoded));
        done += view.bytes();
        if (progress && copies)
            progress(done, held.bytes);
        return prepared;
    };
    ZIGZAG_TRY(embedding, prepare(weights.embedding));
    device->embedding = std::move(embedding);
    if (!model->config.tiedEmbeddings) {
        ZIGZAG_TRY(head, prepare(weights.head));
        device->separateHead = std::move(head);
    }
    ZIGZAG_TRY(finalNorm, uploadVector(*backend, model->config, TensorRole::Norm, weights.finalNorm));
    device->finalNorm = std::move(finalNorm);
    for (int layer = 0; layer < model->config.layers; ++layer) {
        DeviceLayer &to = device->layers.emplace_back();
        to.plan = layerPlan(model->config, layer);
        if (!weights.kvScales.empty())
            to.f8Scales = weights.kvScales[static_cast<std::size_t>(layer)];
        for (const WeightSpec &spec : to.plan.weights())
            for (const TensorView &from : weights.layers[static_cast<std::size_t>(layer)].all(spec.id)) {
                if (spec.role == TensorRole::Matrix) {
                    ZIGZAG_TRY(prepared, prepare(from));
                    to.add(spec.id, std::move(prepared));
                } else {
                    ZIGZAG_TRY(uploaded, uploadVector(*backend, model->config, spec.role, from));
                    to.set(spec.id, std::move(uploaded));
                }
            }
    }
    ZIGZAG_CHECK(backend->synchronize());
    device->model = std::move(model);
    device->backend = std::move(backend);
    return device;
}

} // namespace zigzag
