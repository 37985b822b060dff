// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/families/family_list.h"

namespace zigzag {

namespace {

using enum WeightId;
using enum TensorRole;
using enum ShardAxis;

/// What feeds the products behind it: a norm of the residual stream, or the stream itself in the type of activations.
void addNormBefore(LayerPlan &plan, Op op, WeightId id, const NormNames &names, std::int64_t hidden)
{
    plan.add(op, 2 * hidden);
    if (!names.name.empty())
        plan.add({id, Norm, Whole, names.name, names.ggufName, hidden});
}

void addNormBehind(LayerPlan &plan, Op op, WeightId id, const NormNames &names, std::int64_t hidden)
{
    if (names.name.empty())
        return;
    plan.add(op, 3 * hidden);
    plan.add({id, Norm, Whole, names.name, names.ggufName, hidden});
}

} // namespace

void addAttention(LayerPlan &plan, const ModelConfig &config, const LayerStyle &style)
{
    const std::int64_t hidden = config.hiddenSize, queries = config.queryWidth(), keys = config.kvWidth();
    addNormBefore(plan, Op::InputNorm, InputNorm, style.beforeAttention, hidden);

    plan.add(Op::Qkv, queries + 2 * keys + hidden);
    if (style.fusesQkv) {
        const std::int64_t all = queries + 2 * keys;
        plan.add({Query, Matrix, Rows, "self_attn.qkv_proj.weight", "attn_qkv.weight", queries, hidden, 1, 0, all});
        plan.add({Key, Matrix, Rows, "self_attn.qkv_proj.weight", "attn_qkv.weight", keys, hidden, 1, queries, all});
        plan.add({Value, Matrix, Rows, "self_attn.qkv_proj.weight", "attn_qkv.weight", keys, hidden, 1, queries + keys, all});
    } else {
        plan.add({Query, Matrix, Rows, "self_attn.q_proj.weight", "attn_q.weight", queries, hidden});
        plan.add({Key, Matrix, Rows, "self_attn.k_proj.weight", "attn_k.weight", keys, hidden});
        plan.add({Value, Matrix, Rows, "self_attn.v_proj.weight", "attn_v.weight", keys, hidden});
    }
    if (config.qkvBias) {
        plan.add({QueryBias, Bias, Rows, "self_attn.q_proj.bias", "attn_q.bias", queries});
        plan.add({KeyBias, Bias, Rows, "self_attn.k_proj.bias", "attn_k.bias", keys});
        plan.add({ValueBias, Bias, Rows, "self_attn.v_proj.bias", "attn_v.bias", keys});
    }

    plan.add(Op::RopeAppend, 2 * queries + 4 * keys);
    if (config.queryKeyNorm) {
        const bool ofWidth = config.normsWidth;
        plan.add({QueryNorm, Norm, ofWidth ? Rows : Whole, "self_attn.q_norm.weight", "attn_q_norm.weight",
                  ofWidth ? queries : config.headDim});
        plan.add({KeyNorm, Norm, ofWidth ? Rows : Whole, "self_attn.k_norm.weight", "attn_k_norm.weight",
                  ofWidth ? keys : config.headDim});
    }

    plan.add(Op::Attention, 2 * queries);
    if (config.sinkLogits)
        plan.add({SinkLogits, Bias, Rows, "self_attn.sinks", "attn_sinks.weight", config.queryHeads});

    plan.add(Op::OutputProjection, hidden + queries);
    plan.add({Output, Matrix, Columns, "self_attn.o_proj.weight", "attn_output.weight", hidden, queries});
    if (config.outputBias)
        plan.add({OutputBias, Bias, Whole, "self_attn.o_proj.bias", "attn_output.bias", hidden});
    addNormBehind(plan, Op::AttentionNorm, AttentionNorm, style.behindAttention, hidden);
}

void addFeedForward(LayerPlan &plan, const ModelConfig &config, const LayerStyle &style)
{
    const std::int64_t hidden = config.hiddenSize, wide = config.intermediateSize;
    addNormBefore(plan, Op::PostNorm, PostNorm, style.beforeFeedForward, hidden);

    plan.add(Op::GateUp, 2 * wide + hidden);
    if (style.fusesGateUp) {
        plan.add({Gate, Matrix, Rows, "mlp.gate_up_proj.weight", "ffn_up.weight", wide, hidden, 1, 0, 2 * wide});
        plan.add({Up, Matrix, Rows, "mlp.gate_up_proj.weight", "ffn_up.weight", wide, hidden, 1, wide, 2 * wide});
    } else {
        plan.add({Gate, Matrix, Rows, "mlp.gate_proj.weight", "ffn_gate.weight", wide, hidden});
        plan.add({Up, Matrix, Rows, "mlp.up_proj.weight", "ffn_up.weight", wide, hidden});
    }
    if (config.mlpBias) {
        plan.add({GateBias, Bias, Rows, "mlp.gate_proj.bias", "ffn_gate.bias", wide});
        plan.add({UpBias, Bias, Rows, "mlp.up_proj.bias", "ffn_up.bias", wide});
    }

    plan.add(Op::Activation, 3 * wide);

    plan.add(Op::Down, hidden + wide);
    plan.add({Down, Matrix, Columns, "mlp.down_proj.weight", "ffn_down.weight", hidden, wide});
    if (config.mlpBias)
        plan.add({DownBias, Bias, Whole, "mlp.down_proj.bias", "ffn_down.bias", hidden});
    addNormBehind(plan, Op::FeedForwardNorm, FeedForwardNorm, style.behindFeedForward, hidden);
}

void addExperts(LayerPlan &plan, const ModelConfig &config, const ExpertNames &names)
{
    const std::int64_t hidden = config.hiddenSize, wide = config.expertIntermediateSize;
    plan.add(Op::PostNorm, 2 * hidden);
    plan.add({PostNorm, Norm, Whole, "post_attention_layernorm.weight", "ffn_norm.weight", hidden});

    plan.add(Op::Router, hidden + config.experts);
    plan.add({Router, Matrix, Whole, names.router, "ffn_gate_inp.weight", config.experts, hidden});

    // A token passes through `expertsPerToken` of them: as many gates, ups, activations and downs, and one sum.
    plan.add(Op::Experts, config.expertsPerToken * (hidden + 2 * wide + 3 * wide + wide + hidden) + hidden);
    plan.add({ExpertGate, Matrix, Rows, names.gate, "ffn_gate_exps.weight", wide, hidden, config.experts});
    plan.add({ExpertUp, Matrix, Rows, names.up, "ffn_up_exps.weight", wide, hidden, config.experts});
    plan.add({ExpertDown, Matrix, Columns, names.down, "ffn_down_exps.weight", hidden, wide, config.experts});
}

LayerPlan decoderLayer(const ModelConfig &config, const LayerStyle &style)
{
    LayerPlan plan;
    addAttention(plan, config, style);
    addFeedForward(plan, config, style);
    return plan;
}

LayerPlan decoderLayer(const ModelConfig &config, int)
{
    return decoderLayer(config, LayerStyle{});
}

} // namespace zigzag
