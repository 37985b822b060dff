// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/device_model.h"

#include "engine/model/tensor_values.h"
#include "engine/model/weight_plan.h"
#include "engine/run/dealing.h"
#include "engine/run/rank_group.h"
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

namespace {

/// One upload: the whole model, or a rank's part of it.
class Uploader
{
public:
    Uploader(const Model &whole, std::shared_ptr<const Model> held, std::shared_ptr<Backend> backend, const Dealing *dealing,
             int rank)
        : m_weights(whole.weights)
        , m_whole(whole.config)
        , m_dealing(dealing)
        , m_rank(rank)
        , m_device(std::make_shared<DeviceModel>())
        , m_can(backend->capabilities())
    {
        m_device->model = std::move(held);
        m_device->backend = std::move(backend);
    }

    UploadProgress progress;
    const std::atomic<bool> *cancel = nullptr;

    Result<std::shared_ptr<DeviceModel>> run()
    {
        if (m_can.copiesWeights) // before minutes of copying; where nothing is copied, a session says it as soon
            ZIGZAG_CHECK(checkRuns(backend(), config()));
        ZIGZAG_CHECK(plan());
        ZIGZAG_TRY(embedding, prepare(m_weights.embedding));
        m_device->embedding = std::move(embedding);
        if (m_dealing || !config().tiedEmbeddings) {
            std::vector<std::byte> gathered;
            const TensorView rows = m_dealing ? m_dealing->headRows(m_weights.head, m_rank, gathered) : m_weights.head;
            ZIGZAG_TRY(head, prepare(rows, std::move(gathered)));
            m_device->separateHead = std::move(head);
        }
        ZIGZAG_TRY(finalNorm, uploadVector(backend(), config(), TensorRole::Norm, m_weights.finalNorm));
        m_device->finalNorm = std::move(finalNorm);
        for (int layer = 0; layer < config().layers; ++layer)
            ZIGZAG_CHECK(uploadLayer(layer));
        ZIGZAG_CHECK(backend().synchronize());
        return m_device;
    }

private:
    Backend &backend() const { return *m_device->backend; }
    const ModelConfig &config() const { return m_device->model->config; }

    /// Fails where the weights do not fit, and notes which types are decoded.
    Result<void> plan()
    {
        Held held = heldBytes(m_can, config());
        if (m_dealing) { // the plan has the head whole, or none where it is tied
            const WeightType type = heldType(m_can, config(), config().headType());
            const std::int64_t rows = m_dealing->headWidths()[static_cast<std::size_t>(m_rank)]
                - (config().tiedEmbeddings ? 0 : std::int64_t{config().vocabulary});
            held.bytes += rows * rowBytes(type, config().hiddenSize);
        }
        m_bytes = held.bytes;
        if (const std::int64_t free = backend().device().memoryBytes; m_can.copiesWeights && m_bytes > free)
            return failed(
                fmt::format("{}: its weights take {} bytes and {} are free on {}: no context fits beside them; choose a "
                            "smaller model, or --backend cpu",
                            config().name, m_bytes, free, backend().device().name));
        if (held.decoded.empty())
            return {};
        std::vector<std::string_view> names;
        for (const WeightType type : held.decoded)
            names.push_back(nameOf(type));
        m_device->notes.push_back(fmt::format(
            "{}: the {} backend does not multiply with {}: such matrices are decoded to {}, {} bytes "
            "of weights instead of {}",
            config().name, backend().name(), fmt::join(names, ", "), nameOf(config().dtype), m_bytes, config().weightBytes()));
        return {};
    }

    /// `gathered`: the memory behind `from`, where it is a copy.
    Result<std::unique_ptr<Matrix>> prepare(const TensorView &from, std::vector<std::byte> gathered = {})
    {
        if (cancel && cancel->load(std::memory_order_relaxed))
            return cancelled();
        const WeightType type = heldType(m_can, config(), from.type);
        TensorView view = from;
        if (type != from.type) {
            gathered = storedAs(*type.plain(), floatsOf(from));
            view = {gathered.data(), type, from.rows, from.columns};
        }
        auto prepared = backend().prepare(view);
        if (prepared)
            (*prepared)->activations = backend().activationType(config().dtype);
        if (!gathered.empty() && !m_can.copiesWeights) // whoever reads weights where they are needs them there
            m_device->decoded.push_back(std::move(gathered));
        m_done += view.bytes();
        if (progress && m_can.copiesWeights)
            progress(m_done, m_bytes);
        return prepared;
    }

    Result<void> uploadLayer(int layer)
    {
        DeviceLayer &to = m_device->layers.emplace_back();
        to.plan = layerPlan(config(), layer);
        if (!m_weights.kvScales.empty())
            to.f8Scales = m_weights.kvScales[static_cast<std::size_t>(layer)];
        const LayerPlan whole = layerPlan(m_whole, layer);
        for (const WeightSpec &spec : whole.weights())
            for (const TensorView &tensor : m_weights.layers[static_cast<std::size_t>(layer)].all(spec.id)) {
                TensorView from = tensor;
                std::vector<std::byte> gathered;
                if (m_dealing) {
                    ZIGZAG_TRY(part, m_dealing->part(m_rank, layer, spec, tensor, gathered));
                    from = part;
                }
                if (spec.role == TensorRole::Matrix) {
                    ZIGZAG_TRY(prepared, prepare(from, std::move(gathered)));
                    to.add(spec.id, std::move(prepared));
                } else if (from) {
                    ZIGZAG_TRY(uploaded, uploadVector(backend(), config(), spec.role, from));
                    to.set(spec.id, std::move(uploaded));
                }
            }
        return {};
    }

    const Weights &m_weights; ///< of the whole model
    const ModelConfig &m_whole;
    const Dealing *m_dealing; ///< null: no part of it, but all
    int m_rank;
    std::shared_ptr<DeviceModel> m_device;
    Capabilities m_can;
    std::int64_t m_bytes = 0, m_done = 0;
};

/// A model as a rank runs it: its config, and of the weights what is asked of them later.
std::shared_ptr<const Model> partOf(const Model &whole, const ModelConfig &config)
{
    auto part = std::make_shared<Model>();
    part->config = config;
    part->weights.storage = whole.weights.storage;
    part->weights.kvScales = whole.weights.kvScales;
    part->weights.fingerprint = whole.weights.fingerprint;
    return part;
}

} // namespace

Result<std::shared_ptr<DeviceModel>> uploadModel(std::shared_ptr<const Model> model, std::shared_ptr<Backend> backend,
                                                 const UploadProgress &progress, const std::atomic<bool> *cancel)
{
    const Model &whole = *model;
    Uploader uploader(whole, std::move(model), std::move(backend), nullptr, 0);
    uploader.progress = progress;
    uploader.cancel = cancel;
    return uploader.run();
}

Result<std::shared_ptr<DeviceModel>> uploadDealt(std::shared_ptr<const Model> model, std::shared_ptr<RankGroup> group,
                                                 Dealing dealing, const UploadProgress &progress, const std::atomic<bool> *cancel)
{
    auto device = std::make_shared<DeviceModel>();
    device->dealing = std::make_shared<const Dealing>(std::move(dealing));
    device->group = group;
    device->backend = group->backend(0);
    device->parts.resize(static_cast<std::size_t>(group->ranks()));
    const Dealing &dealt = *device->dealing;
    ZIGZAG_CHECK(group->run([&](int rank) -> Result<void> {
        Uploader uploader(*model, partOf(*model, dealt.config(rank)), group->backend(rank), &dealt, rank);
        uploader.cancel = cancel;
        if (rank == 0 && progress)
            uploader.progress
                = [&](std::int64_t done, std::int64_t all) { progress(group->ranks() * done, group->ranks() * all); };
        ZIGZAG_TRY(part, uploader.run());
        part->member = {group, rank, {dealt.headWidths().begin(), dealt.headWidths().end()}};
        for (int other = 0; other < group->ranks() && model->config.queryKeyNorm && model->config.normsWidth; ++other) {
            part->member.queryWidths.push_back(dealt.config(other).queryWidth());
            part->member.keyWidths.push_back(dealt.config(other).kvWidth());
        }
        device->parts[static_cast<std::size_t>(rank)] = std::move(part);
        return {};
    }));
    device->notes = device->parts.front()->notes;
    device->model = std::move(model);
    return device;
}

Collective *RankMember::collective() const
{
    return group ? &group->collective(rank) : nullptr;
}

} // namespace zigzag
