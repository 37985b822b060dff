// SPDX-License-Identifier: GPL-3.0-or-later
// Mixtral: Mistral with experts in the place of every feed-forward (arXiv 2401.04088). The two largest of a softmax over all
// experts, made to add up to 1; transformers' MixtralForCausalLM.
#include "engine/model/families/family_list.h"

#include <fmt/format.h>

namespace zigzag {

namespace {

constexpr std::string_view keys[]
    = {"sliding_window", "num_local_experts", "num_experts_per_tok", "router_aux_loss_coef", "router_jitter_noise"};

Result<void> read(ModelConfig &model, const json::Value &config, const std::string &where)
{
    constexpr int mostExperts = 1024;
    ZIGZAG_TRY(experts, json::integerOr(config, "num_local_experts", 8, 1, mostExperts, where));
    ZIGZAG_TRY(perToken, json::integerOr(config, "num_experts_per_tok", 2, 1, mostExperts, where));
    if (perToken > experts)
        return badInput(
            fmt::format("{}: num_experts_per_tok {} is more than the {} experts; correct the config", where, perToken, experts));
    model.experts = static_cast<int>(experts);
    model.expertsPerToken = static_cast<int>(perToken);
    model.expertIntermediateSize = model.intermediateSize;
    model.renormalisesExperts = true;
    model.denseLayers.assign(static_cast<std::size_t>(model.layers), false);
    return {};
}

LayerPlan layer(const ModelConfig &config, int)
{
    LayerPlan plan;
    addAttention(plan, config);
    addExperts(plan, config,
               {.router = "block_sparse_moe.gate.weight",
                .gate = "block_sparse_moe.experts.{}.w1.weight",
                .up = "block_sparse_moe.experts.{}.w3.weight",
                .down = "block_sparse_moe.experts.{}.w2.weight"});
    return plan;
}

} // namespace

const Family &mixtralFamily()
{
    static const Family family{
        .modelType = "mixtral",
        .window = FileWindow::Everywhere,
        .windowLength = 0,
        .normEpsilon = 1e-5,
        .ropeTheta = 1e6,
        .llamaTokenizer = true,
        .keys = keys,
        .read = read,
        .layer = layer,
    };
    return family;
}

} // namespace zigzag
