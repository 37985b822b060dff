// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/families/family_list.h"

#include <algorithm>
#include <array>

namespace zigzag {

std::span<const Family *const> families()
{
    static const std::array all = {&gemma2Family(),    &gemma3Family(),  &glm4Family(),     &graniteFamily(), &graniteSwaFamily(),
                                   &internlm2Family(), &llamaFamily(),   &mimoFamily(),     &minicpmFamily(), &ministral3Family(),
                                   &mistralFamily(),   &mixtralFamily(), &olmo2Family(),    &olmo3Family(),   &phi3Family(),
                                   &qwen2Family(),     &qwen3Family(),   &qwen3MoeFamily(), &qwen3VlFamily(), &smollm3Family()};
    return all;
}

LayerPlan layerPlan(const ModelConfig &config, int layer)
{
    LayerPlan plan = config.family->layer(config, layer);
    for (WeightSpec &weight : plan.weights())
        weight.type = config.weightType(layer, weight.id);
    return plan;
}

bool normsBehind(const ModelConfig &config)
{
    return mostRows(config, WeightId::AttentionNorm) > 0 || mostRows(config, WeightId::FeedForwardNorm) > 0;
}

std::int64_t mostRows(const ModelConfig &config, WeightId id)
{
    std::int64_t most = 0;
    for (int layer = 0; layer < config.layers; ++layer) {
        const LayerPlan plan = layerPlan(config, layer);
        if (const WeightSpec *weight = plan.find(id))
            most = std::max(most, weight->rows);
    }
    return most;
}

} // namespace zigzag
