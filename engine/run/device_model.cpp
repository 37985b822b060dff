// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/device_model.h"
#include "engine/run/session.h"

#include <cstring>
#include <fmt/format.h>
#include <tuple>

namespace zigzag {

namespace {

float elementAt(const TensorView &tensor, std::int64_t i)
{
    if (tensor.type == DType::F32) {
        float value = 0;
        std::memcpy(&value, tensor.data + i * 4, 4);
        return value;
    }
    std::uint16_t bits = 0;
    std::memcpy(&bits, tensor.data + i * 2, 2);
    return tensor.type == DType::BF16 ? bf16ToFloat(bits) : f16ToFloat(bits);
}

/// A vector as float32 on the device, or null where the model has none.
Result<std::unique_ptr<Buffer>> uploadVector(Backend &backend, const TensorView &tensor)
{
    if (!tensor)
        return std::unique_ptr<Buffer>();
    std::vector<float> values(static_cast<std::size_t>(tensor.rows * tensor.columns));
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = elementAt(tensor, static_cast<std::int64_t>(i));
    ZIGZAG_TRY(buffer, backend.allocate(values.size() * sizeof(float)));
    backend.upload(*buffer, 0, values.data(), values.size() * sizeof(float));
    return std::move(buffer);
}

} // namespace

Result<void> checkRuns(const Backend &backend, const ModelConfig &config)
{
    const DeviceInfo device = backend.device();
    const std::tuple<const char *, int, int> limits[] = {
        {"a head size", config.headDim, device.maxHeadDim},
        {"query heads a layer", config.queryHeads, device.maxQueryHeads},
        {"KV heads a layer", config.kvHeads, device.maxKvHeads},
    };
    for (const auto &[what, value, most] : limits)
        if (value > most)
            return badInput(fmt::format("{} has {} {} and the {} backend runs at most {}: {}", config.name, what, value,
                                        backend.name(), most,
                                        backend.name() == "cpu" ? "choose another model" : "use --backend cpu"));
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
    if (backend->copiesWeights()) // before minutes of copying; where nothing is copied, a session says it as soon
        ZIGZAG_CHECK(checkRuns(*backend, model->config));
    if (const std::int64_t needed = model->config.weightBytes(), free = backend->device().memoryBytes;
        backend->copiesWeights() && needed > free)
        return failed(fmt::format("{}: its weights take {} bytes and {} are free on {}: no context fits beside them; choose a "
                                  "smaller model, or --backend cpu",
                                  model->config.name, needed, free, backend->device().name));
    std::int64_t done = 0;
    auto matrix = [&](std::unique_ptr<Matrix> &to, const TensorView &from) -> Result<void> {
        if (cancel && cancel->load(std::memory_order_relaxed))
            return cancelled();
        ZIGZAG_TRY(prepared, backend->prepare(from));
        to = std::move(prepared);
        done += from.bytes();
        if (progress && backend->copiesWeights())
            progress(done, model->config.weightBytes());
        return {};
    };
    auto vector = [&](std::unique_ptr<Buffer> &to, const TensorView &from) -> Result<void> {
        ZIGZAG_TRY(uploaded, uploadVector(*backend, from));
        to = std::move(uploaded);
        return {};
    };
    ZIGZAG_CHECK(matrix(device->embedding, weights.embedding));
    if (!model->config.tiedEmbeddings)
        ZIGZAG_CHECK(matrix(device->separateHead, weights.head));
    ZIGZAG_CHECK(vector(device->finalNorm, weights.finalNorm));
    for (const LayerWeights &from : weights.layers) {
        DeviceLayer &to = device->layers.emplace_back();
        const std::pair<std::unique_ptr<Matrix> *, const TensorView *> matrices[] = {
            {&to.query, &from.query}, {&to.key, &from.key}, {&to.value, &from.value}, {&to.output, &from.output},
            {&to.gate, &from.gate},   {&to.up, &from.up},   {&to.down, &from.down},
        };
        for (const auto &[target, source] : matrices)
            ZIGZAG_CHECK(matrix(*target, *source));
        const std::pair<std::unique_ptr<Buffer> *, const TensorView *> vectors[] = {
            {&to.inputNorm, &from.inputNorm}, {&to.postNorm, &from.postNorm},     {&to.queryNorm, &from.queryNorm},
            {&to.keyNorm, &from.keyNorm},     {&to.queryBias, &from.queryBias},   {&to.keyBias, &from.keyBias},
            {&to.valueBias, &from.valueBias}, {&to.outputBias, &from.outputBias}, {&to.gateBias, &from.gateBias},
            {&to.upBias, &from.upBias},       {&to.downBias, &from.downBias},
        };
        for (const auto &[target, source] : vectors)
            ZIGZAG_CHECK(vector(*target, *source));
    }
    ZIGZAG_CHECK(backend->synchronize());
    device->model = std::move(model);
    device->backend = std::move(backend);
    return device;
}

} // namespace zigzag
