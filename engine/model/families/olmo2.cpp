// SPDX-License-Identifier: GPL-3.0-or-later
// OLMo 2 (arXiv 2501.00656): norms behind attention and feed-forward instead of before, and of queries and keys over their
// whole width; transformers' Olmo2ForCausalLM.
#include "engine/model/families/family_list.h"

namespace zigzag {

namespace {

constexpr std::string_view keys[] = {"attention_bias"};

Result<void> read(ModelConfig &model, const json::Value &config, const std::string &where)
{
    ZIGZAG_TRY(bias, json::booleanOr(config, "attention_bias", false, where));
    model.qkvBias = model.outputBias = bias;
    model.queryKeyNorm = model.normsWidth = true;
    return {};
}

LayerPlan layer(const ModelConfig &config, int)
{
    return decoderLayer(config,
                        {.beforeAttention = {},
                         .behindAttention = {"post_attention_layernorm.weight", "post_attention_norm.weight"},
                         .beforeFeedForward = {},
                         .behindFeedForward = {"post_feedforward_layernorm.weight", "post_ffw_norm.weight"}});
}

} // namespace

const Family &olmo2Family()
{
    static const Family family{
        .modelType = "olmo2",
        .mayLackKvHeads = true,
        .normEpsilon = 1e-5,
        .keys = keys,
        .read = read,
        .layer = layer,
    };
    return family;
}

} // namespace zigzag
