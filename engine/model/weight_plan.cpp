// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/weight_plan.h"

#include <fmt/format.h>

namespace zigzag {

std::vector<PlannedTensor> planWeights(const ModelConfig &config, Weights &weights)
{
    const std::int64_t hidden = config.hiddenSize, intermediate = config.intermediateSize, vocabulary = config.vocabulary;
    const std::int64_t queryWidth = config.queryWidth(), kvWidth = config.kvWidth();
    std::vector<PlannedTensor> plan;
    std::string prefix;
    const auto matrix = [&](const char *name, TensorView &view, std::int64_t rows, std::int64_t columns) {
        plan.push_back({prefix + name + ".weight", &view, rows, columns, TensorRole::Matrix});
    };
    const auto norm = [&](const char *name, TensorView &view, std::int64_t rows) {
        plan.push_back({prefix + name + ".weight", &view, rows, 1, TensorRole::Norm});
    };
    const auto bias = [&](bool present, const char *name, TensorView &view, std::int64_t rows) {
        if (present)
            plan.push_back({prefix + name + ".bias", &view, rows, 1, TensorRole::Bias});
    };

    prefix = "model.";
    matrix("embed_tokens", weights.embedding, vocabulary, hidden);
    weights.layers.assign(static_cast<std::size_t>(config.layers), {});
    for (std::size_t i = 0; i < weights.layers.size(); ++i) {
        LayerWeights &layer = weights.layers[i];
        prefix = fmt::format("model.layers.{}.", i);
        norm("input_layernorm", layer.inputNorm, hidden);
        matrix("self_attn.q_proj", layer.query, queryWidth, hidden);
        matrix("self_attn.k_proj", layer.key, kvWidth, hidden);
        matrix("self_attn.v_proj", layer.value, kvWidth, hidden);
        bias(config.qkvBias, "self_attn.q_proj", layer.queryBias, queryWidth);
        bias(config.qkvBias, "self_attn.k_proj", layer.keyBias, kvWidth);
        bias(config.qkvBias, "self_attn.v_proj", layer.valueBias, kvWidth);
        if (config.queryKeyNorm) {
            norm("self_attn.q_norm", layer.queryNorm, config.headDim);
            norm("self_attn.k_norm", layer.keyNorm, config.headDim);
        }
        matrix("self_attn.o_proj", layer.output, hidden, queryWidth);
        bias(config.outputBias, "self_attn.o_proj", layer.outputBias, hidden);
        norm("post_attention_layernorm", layer.postNorm, hidden);
        matrix("mlp.gate_proj", layer.gate, intermediate, hidden);
        matrix("mlp.up_proj", layer.up, intermediate, hidden);
        matrix("mlp.down_proj", layer.down, hidden, intermediate);
        bias(config.mlpBias, "mlp.gate_proj", layer.gateBias, intermediate);
        bias(config.mlpBias, "mlp.up_proj", layer.upBias, intermediate);
        bias(config.mlpBias, "mlp.down_proj", layer.downBias, hidden);
    }
    prefix = "model.";
    norm("norm", weights.finalNorm, hidden);
    prefix.clear();
    if (!config.tiedEmbeddings)
        matrix("lm_head", weights.head, vocabulary, hidden);
    return plan;
}

} // namespace zigzag
