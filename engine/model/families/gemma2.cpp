// SPDX-License-Identifier: GPL-3.0-or-later
// Gemma 2 (arXiv 2408.00118): norms before and behind attention and feed-forward, whose files hold their weights less 1, gates by
// GELU, soft caps of scores and logits, and a window in every other layer; transformers' Gemma2ForCausalLM.
#include "engine/model/families/family_list.h"
#include "engine/model/layer_windows.h"

#include <cmath>

namespace zigzag {

namespace {

// hidden_act and sliding_window_size are what old files say twice, and transformers does not read.
constexpr std::string_view keys[]
    = {"attention_bias",          "hidden_activation", "query_pre_attn_scalar", "attn_logit_softcapping",
       "final_logit_softcapping", "sliding_window",    "sliding_window_size",   "cache_implementation"};

/// A soft cap, 0 where the file says null.
Result<double> readCap(const json::Value &config, std::string_view key, double standard, const std::string &where)
{
    constexpr double most = 1e6;
    ZIGZAG_TRY(cap, json::numberOr(config, key, config.contains(key) ? 0 : standard, 0, most, where));
    return cap;
}

Result<void> read(ModelConfig &model, const json::Value &config, const std::string &where)
{
    ZIGZAG_CHECK(readGemma(model, config, where));
    ZIGZAG_TRY(scores, readCap(config, "attn_logit_softcapping", 50, where));
    ZIGZAG_TRY(logits, readCap(config, "final_logit_softcapping", 30, where));
    model.scoreCap = scores;
    model.logitCap = logits;
    ZIGZAG_TRY(local,
               readLocalLayers(
                   model, config, [](int layer) { return layer % 2 == 0; }, where));
    return readFileWindows(model, config, local, where);
}

} // namespace

Result<void> readGemma(ModelConfig &model, const json::Value &config, const std::string &where)
{
    ZIGZAG_TRY(bias, json::booleanOr(config, "attention_bias", false, where));
    ZIGZAG_TRY(scalar, json::numberOr(config, "query_pre_attn_scalar", 256, 1e-6, 1e6, where));
    model.qkvBias = model.outputBias = bias;
    model.scoreScale = 1 / std::sqrt(scalar);
    model.embeddingScale = std::sqrt(static_cast<double>(model.hiddenSize));
    model.roundsEmbeddingScale = model.normAddsOne = true;
    return {};
}

LayerPlan gemmaLayer(const ModelConfig &config, int)
{
    return decoderLayer(config,
                        {.behindAttention = {"post_attention_layernorm.weight", "post_attention_norm.weight"},
                         .beforeFeedForward = {"pre_feedforward_layernorm.weight", "ffn_norm.weight"},
                         .behindFeedForward = {"post_feedforward_layernorm.weight", "post_ffw_norm.weight"}});
}

const Family &gemma2Family()
{
    static const Family family{
        .modelType = "gemma2",
        .window = FileWindow::OfLayers,
        .headDim = 256, // as transformers fills it in
        .tiesEmbeddings = true,
        .activationKey = "hidden_activation",
        .activation = "gelu_pytorch_tanh",
        .keys = keys,
        .read = read,
        .layer = gemmaLayer,
    };
    return family;
}

} // namespace zigzag
