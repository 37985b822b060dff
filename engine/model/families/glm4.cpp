// SPDX-License-Identifier: GPL-3.0-or-later
// GLM-4 of 2025, the dense ones: norms before and behind attention and feed-forward, half of each head rotated in pairs of
// neighbours, and gate and up in one tensor; transformers' Glm4ForCausalLM.
#include "engine/model/families/family_list.h"

namespace zigzag {

namespace {

constexpr std::string_view keys[] = {"attention_bias"};

Result<void> read(ModelConfig &model, const json::Value &config, const std::string &where)
{
    ZIGZAG_TRY(bias, json::booleanOr(config, "attention_bias", true, where));
    model.qkvBias = bias;
    model.interleavedRope = true;
    return {};
}

LayerPlan layer(const ModelConfig &config, int)
{
    return decoderLayer(config,
                        {.fusesGateUp = true,
                         .behindAttention = {"post_self_attn_layernorm.weight", "post_attention_norm.weight"},
                         .behindFeedForward = {"post_mlp_layernorm.weight", "post_ffw_norm.weight"}});
}

} // namespace

const Family &glm4Family()
{
    static const Family family{
        .modelType = "glm4",
        .headDim = 128, // as transformers fills it in
        .normEpsilon = 1.5625e-7,
        .rotatedPart = 0.5,
        .keys = keys,
        .read = read,
        .layer = layer,
    };
    return family;
}

} // namespace zigzag
