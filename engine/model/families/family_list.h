// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/family.h"

namespace zigzag {

// Each is defined in the file of its name and listed in families.cpp.
const Family &gemma2Family();
const Family &gemma3Family();
const Family &glm4Family();
const Family &graniteFamily();
const Family &graniteSwaFamily();
const Family &internlm2Family();
const Family &llamaFamily();
const Family &mimoFamily();
const Family &minicpmFamily();
const Family &ministral3Family();
const Family &mistralFamily();
const Family &mixtralFamily();
const Family &olmo2Family();
const Family &olmo3Family();
const Family &phi3Family();
const Family &qwen2Family();
const Family &qwen3Family();
const Family &qwen3MoeFamily();
const Family &qwen3VlFamily();
const Family &smollm3Family();

/// The layer that most families have: norm, attention, norm and a gated feed-forward, with the biases and head norms that the
/// config names.
LayerPlan decoderLayer(const ModelConfig &config, int layer);
/// A norm's names in Hugging Face's and in GGUF files; empty where a layer has no such norm.
struct NormNames {
    std::string_view name, ggufName;
};

/// What the layers of a family have otherwise than Llama's: the names of tensors, and where they norm.
struct LayerStyle {
    bool fusesQkv = false; ///< queries, keys and values are one tensor, in this order
    bool fusesGateUp = false; ///< gate and up are one tensor, in this order
    NormNames beforeAttention = {"input_layernorm.weight", "attn_norm.weight"};
    NormNames behindAttention = {};
    NormNames beforeFeedForward = {"post_attention_layernorm.weight", "ffn_norm.weight"};
    NormNames behindFeedForward = {};
};

/// Its two halves, for families whose layers are made of others.
void addAttention(LayerPlan &plan, const ModelConfig &config, const LayerStyle &style = {});
void addFeedForward(LayerPlan &plan, const ModelConfig &config, const LayerStyle &style = {});
LayerPlan decoderLayer(const ModelConfig &config, const LayerStyle &style);

/// What the two Gemmas' config.json say alike, and their layer.
Result<void> readGemma(ModelConfig &model, const json::Value &config, const std::string &where);
LayerPlan gemmaLayer(const ModelConfig &config, int layer);

/// What the experts' tensors are called in Hugging Face's files.
struct ExpertNames {
    std::string_view router = "mlp.gate.weight", gate = "mlp.experts.{}.gate_proj.weight", up = "mlp.experts.{}.up_proj.weight",
                     down = "mlp.experts.{}.down_proj.weight";
};

/// Router and experts in the place of the feed-forward.
void addExperts(LayerPlan &plan, const ModelConfig &config, const ExpertNames &names = {});

} // namespace zigzag
