// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/families/family_list.h"

namespace zigzag {

namespace {

using enum WeightId;
using enum TensorRole;
using enum ShardAxis;

} // namespace

void addAttention(LayerPlan &plan, const ModelConfig &config)
{
    const std::int64_t hidden = config.hiddenSize, queries = config.queryWidth(), keys = config.kvWidth();
    plan.add(Op::InputNorm, 2 * hidden);
    plan.add({InputNorm, Norm, Whole, "input_layernorm.weight", "attn_norm.weight", hidden});

    plan.add(Op::Qkv, queries + 2 * keys + hidden);
    plan.add({Query, Matrix, Rows, "self_attn.q_proj.weight", "attn_q.weight", queries, hidden});
    plan.add({Key, Matrix, Rows, "self_attn.k_proj.weight", "attn_k.weight", keys, hidden});
    plan.add({Value, Matrix, Rows, "self_attn.v_proj.weight", "attn_v.weight", keys, hidden});
    if (config.qkvBias) {
        plan.add({QueryBias, Bias, Rows, "self_attn.q_proj.bias", "attn_q.bias", queries});
        plan.add({KeyBias, Bias, Rows, "self_attn.k_proj.bias", "attn_k.bias", keys});
        plan.add({ValueBias, Bias, Rows, "self_attn.v_proj.bias", "attn_v.bias", keys});
    }

    plan.add(Op::RopeAppend, 2 * queries + 4 * keys);
    if (config.queryKeyNorm) {
        plan.add({QueryNorm, Norm, Whole, "self_attn.q_norm.weight", "attn_q_norm.weight", config.headDim});
        plan.add({KeyNorm, Norm, Whole, "self_attn.k_norm.weight", "attn_k_norm.weight", config.headDim});
    }

    plan.add(Op::Attention, 2 * queries);
    if (config.sinkLogits)
        plan.add({SinkLogits, Bias, Rows, "self_attn.sinks", "attn_sinks.weight", config.queryHeads});

    plan.add(Op::OutputProjection, hidden + queries);
    plan.add({Output, Matrix, Columns, "self_attn.o_proj.weight", "attn_output.weight", hidden, queries});
    if (config.outputBias)
        plan.add({OutputBias, Bias, Whole, "self_attn.o_proj.bias", "attn_output.bias", hidden});
}

void addFeedForward(LayerPlan &plan, const ModelConfig &config)
{
    const std::int64_t hidden = config.hiddenSize, wide = config.intermediateSize;
    plan.add(Op::PostNorm, 2 * hidden);
    plan.add({PostNorm, Norm, Whole, "post_attention_layernorm.weight", "ffn_norm.weight", hidden});

    plan.add(Op::GateUp, 2 * wide + hidden);
    plan.add({Gate, Matrix, Rows, "mlp.gate_proj.weight", "ffn_gate.weight", wide, hidden});
    plan.add({Up, Matrix, Rows, "mlp.up_proj.weight", "ffn_up.weight", wide, hidden});
    if (config.mlpBias) {
        plan.add({GateBias, Bias, Rows, "mlp.gate_proj.bias", "ffn_gate.bias", wide});
        plan.add({UpBias, Bias, Rows, "mlp.up_proj.bias", "ffn_up.bias", wide});
    }

    plan.add(Op::Activation, 3 * wide);

    plan.add(Op::Down, hidden + wide);
    plan.add({Down, Matrix, Columns, "mlp.down_proj.weight", "ffn_down.weight", hidden, wide});
    if (config.mlpBias)
        plan.add({DownBias, Bias, Whole, "mlp.down_proj.bias", "ffn_down.bias", hidden});
}

void addExperts(LayerPlan &plan, const ModelConfig &config)
{
    const std::int64_t hidden = config.hiddenSize, wide = config.expertIntermediateSize;
    plan.add(Op::PostNorm, 2 * hidden);
    plan.add({PostNorm, Norm, Whole, "post_attention_layernorm.weight", "ffn_norm.weight", hidden});

    plan.add(Op::Router, hidden + config.experts);
    plan.add({Router, Matrix, Whole, "mlp.gate.weight", "ffn_gate_inp.weight", config.experts, hidden});

    // A token passes through `expertsPerToken` of them: as many gates, ups, activations and downs, and one sum.
    plan.add(Op::Experts, config.expertsPerToken * (hidden + 2 * wide + 3 * wide + wide + hidden) + hidden);
    plan.add({ExpertGate, Matrix, Rows, "mlp.experts.{}.gate_proj.weight", "ffn_gate_exps.weight", wide, hidden, config.experts});
    plan.add({ExpertUp, Matrix, Rows, "mlp.experts.{}.up_proj.weight", "ffn_up_exps.weight", wide, hidden, config.experts});
    plan.add(
        {ExpertDown, Matrix, Columns, "mlp.experts.{}.down_proj.weight", "ffn_down_exps.weight", hidden, wide, config.experts});
}

LayerPlan decoderLayer(const ModelConfig &config, int)
{
    LayerPlan plan;
    addAttention(plan, config);
    addFeedForward(plan, config);
    return plan;
}

} // namespace zigzag
