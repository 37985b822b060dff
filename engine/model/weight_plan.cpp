// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/weight_plan.h"

#include "engine/model/family.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

TensorView &PlannedTensor::in(Weights &weights) const
{
    if (outside)
        return weights.*outside;
    const auto at = static_cast<std::size_t>(layer);
    if (weights.layers.size() <= at)
        weights.layers.resize(at + 1);
    return weights.layers[at].make(id, count)[static_cast<std::size_t>(index)];
}

const TensorView &PlannedTensor::in(const Weights &weights) const
{
    return outside ? weights.*outside : weights.layers[static_cast<std::size_t>(layer)].all(id)[static_cast<std::size_t>(index)];
}

std::vector<PlannedTensor> planWeights(const ModelConfig &config)
{
    const std::int64_t hidden = config.hiddenSize, vocabulary = config.vocabulary;
    std::vector<PlannedTensor> plan;
    plan.push_back({std::string(config.family->embeddingName), "token_embd.weight", vocabulary, hidden, TensorRole::Matrix,
                    &Weights::embedding});
    plan.back().type = config.embeddingType();
    for (int layer = 0; layer < config.layers; ++layer) {
        const LayerPlan described = layerPlan(config, layer);
        std::vector<WeightSpec> specs(described.weights().begin(), described.weights().end());
        std::sort(specs.begin(), specs.end(), [](const WeightSpec &a, const WeightSpec &b) { return a.id < b.id; });
        for (const WeightSpec &spec : specs)
            for (int i = 0; i < spec.count; ++i)
                plan.push_back({fmt::format("model.layers.{}.{}", layer, fmt::format(fmt::runtime(spec.name), i)),
                                fmt::format("blk.{}.{}", layer, spec.ggufName), spec.rows, spec.columns, spec.role, nullptr,
                                layer, spec.id, i, spec.count, spec.storedFrom, spec.storedRows, spec.storedPiece,
                                spec.storedPeriod, spec.type});
    }
    plan.push_back({"model.norm.weight", "output_norm.weight", hidden, 1, TensorRole::Norm, &Weights::finalNorm});
    plan.back().type = config.finalNormType();
    if (!config.tiedEmbeddings) {
        plan.push_back(
            {std::string(config.family->headName), "output.weight", vocabulary, hidden, TensorRole::Matrix, &Weights::head});
        plan.back().type = config.headType();
    }
    return plan;
}

} // namespace zigzag
