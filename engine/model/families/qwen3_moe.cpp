// SPDX-License-Identifier: GPL-3.0-or-later
// Qwen3 with experts (arXiv 2505.09388): in most layers a router chooses some of many small feed-forwards for each token. Softmax
// over all experts, the largest few, renormalised where the file says so; no token is dropped. transformers'
// Qwen3MoeForCausalLM.
#include "engine/model/families/family_list.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

namespace {

constexpr std::string_view keys[] = {"attention_bias", "sliding_window",      "use_sliding_window",  "max_window_layers",
                                     "num_experts",    "num_local_experts",   "num_experts_per_tok", "moe_intermediate_size",
                                     "norm_topk_prob", "decoder_sparse_step", "mlp_only_layers",     "router_aux_loss_coef"};

/// The layers that keep one feed-forward of their own: those that mlp_only_layers lists, and those that decoder_sparse_step
/// passes over.
Result<void> readDenseLayers(ModelConfig &model, const json::Value &config, const std::string &where)
{
    ZIGZAG_TRY(step, json::integerOr(config, "decoder_sparse_step", 1, 1, 1 << 20, where));
    std::vector<int> dense;
    if (json::find(config, "mlp_only_layers")) {
        ZIGZAG_TRY(listed, json::arrayIn(config, "mlp_only_layers", where));
        for (const json::Value &entry : *listed) {
            ZIGZAG_TRY(layer, json::asInteger(entry, "a layer of mlp_only_layers", 0, 1 << 20, where));
            dense.push_back(static_cast<int>(layer));
        }
    }
    model.denseLayers.assign(static_cast<std::size_t>(model.layers), false);
    for (int layer = 0; layer < model.layers; ++layer)
        model.denseLayers[static_cast<std::size_t>(layer)]
            = (layer + 1) % step != 0 || std::find(dense.begin(), dense.end(), layer) != dense.end();
    return {};
}

Result<void> read(ModelConfig &model, const json::Value &config, const std::string &where)
{
    constexpr int mostExperts = 1024;
    ZIGZAG_CHECK(qwen3Family().read(model, config, where));
    // transformers 5 writes the published name under another one.
    const std::string_view countKey = json::find(config, "num_experts") ? "num_experts" : "num_local_experts";
    ZIGZAG_TRY(experts, json::integerOr(config, countKey, 128, 1, mostExperts, where));
    ZIGZAG_TRY(perToken, json::integerOr(config, "num_experts_per_tok", 8, 1, mostExperts, where));
    ZIGZAG_TRY(wide, json::integerOr(config, "moe_intermediate_size", 768, 1, 1 << 20, where));
    ZIGZAG_TRY(renormalises, json::booleanOr(config, "norm_topk_prob", false, where));
    if (perToken > experts)
        return badInput(
            fmt::format("{}: num_experts_per_tok {} is more than the {} experts; correct the config", where, perToken, experts));
    model.experts = static_cast<int>(experts);
    model.expertsPerToken = static_cast<int>(perToken);
    model.expertIntermediateSize = static_cast<int>(wide);
    model.renormalisesExperts = renormalises;
    return readDenseLayers(model, config, where);
}

LayerPlan layer(const ModelConfig &config, int index)
{
    LayerPlan plan;
    addAttention(plan, config);
    if (config.denseLayers[static_cast<std::size_t>(index)])
        addFeedForward(plan, config);
    else
        addExperts(plan, config);
    return plan;
}

constexpr GgufKey ggufKeys[] = {
    {"expert_count", "num_experts"},
    {"expert_used_count", "num_experts_per_tok"},
    {"expert_feed_forward_length", "moe_intermediate_size"},
};

} // namespace

const Family &qwen3MoeFamily()
{
    static const Family family{
        .modelType = "qwen3_moe",
        .ggufArchitecture = "qwen3moe",
        .ggufKeys = ggufKeys,
        .window = FileWindow::Upper,
        .keys = keys,
        .read = read,
        .layer = layer,
    };
    return family;
}

} // namespace zigzag
