// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/layer_plan.h"

#include "engine/model/model_config.h"
#include "engine/model/weight_plan.h"

#include <gtest/gtest.h>
#include <set>

namespace zigzag {
namespace {

ModelConfig small(const char *family)
{
    ModelConfig config;
    config.family = findFamily(family);
    config.layers = 3;
    config.hiddenSize = 40;
    config.queryHeads = 4;
    config.kvHeads = 2;
    config.headDim = 16;
    config.intermediateSize = 72;
    config.vocabulary = 56;
    return config;
}

std::vector<Op> opsOf(const LayerPlan &plan)
{
    std::vector<Op> ops;
    for (const OpPlan &op : plan.ops())
        ops.push_back(op.op);
    return ops;
}

const std::vector<Op> attentionOps = {Op::InputNorm, Op::Qkv, Op::RopeAppend, Op::Attention, Op::OutputProjection, Op::PostNorm};

TEST(LayerPlan, ALayerIsItsOpsInOrderEachWithItsWeights)
{
    ModelConfig config = small("llama");
    const LayerPlan plan = layerPlan(config, 0);
    std::vector<Op> ops = attentionOps;
    ops.insert(ops.end(), {Op::GateUp, Op::Activation, Op::Down});
    EXPECT_EQ(opsOf(plan), ops);
    EXPECT_EQ(plan.weights().size(), 9u);
    EXPECT_EQ(plan.weightsOf(*plan.find(Op::Qkv)).size(), 3u);
    EXPECT_TRUE(plan.weightsOf(*plan.find(Op::Attention)).empty());
    EXPECT_EQ(plan.parameters(), 2 * 40 + 64 * 40 + 2 * 32 * 40 + 40 * 64 + 3 * 72 * 40);
    EXPECT_FALSE(plan.has(WeightId::QueryBias));
    config.qkvBias = config.outputBias = config.mlpBias = config.queryKeyNorm = true;
    const LayerPlan all = layerPlan(config, 0);
    EXPECT_EQ(opsOf(all), ops);
    EXPECT_EQ(all.parameters() - plan.parameters(), 64 + 32 + 32 + 40 + 72 + 72 + 40 + 16 + 16);
}

TEST(LayerPlan, LayersOfExpertsDifferFromOthers)
{
    ModelConfig config = small("qwen3_moe");
    config.experts = 8;
    config.expertsPerToken = 3;
    config.expertIntermediateSize = 24;
    config.denseLayers = {false, true, false};
    std::vector<Op> dense = attentionOps, experts = attentionOps;
    dense.insert(dense.end(), {Op::GateUp, Op::Activation, Op::Down});
    experts.insert(experts.end(), {Op::Router, Op::Experts});
    EXPECT_EQ(opsOf(layerPlan(config, 0)), experts);
    EXPECT_EQ(opsOf(layerPlan(config, 1)), dense);
    const std::int64_t attention = 2 * 40 + 2 * 64 * 40 + 2 * 32 * 40, ofExperts = 8 * 3 * 24 * 40, router = 8 * 40;
    EXPECT_EQ(layerPlan(config, 2).parameters(), attention + router + ofExperts);
    EXPECT_EQ(config.parameters(), 2 * 56 * 40 + 40 + 3 * attention + 2 * (router + ofExperts) + 3 * 72 * 40);
    // A token reads three of the eight.
    EXPECT_EQ(config.weightBytesReadPerToken(),
              4 * (56 * 40 + 40 + 3 * attention + 2 * (router + ofExperts * 3 / 8) + 3 * 72 * 40));
    EXPECT_EQ(mostRows(config, WeightId::Gate), 72);
    EXPECT_EQ(mostRows(config, WeightId::Router), 8);
    EXPECT_EQ(mostRows(config, WeightId::QueryBias), 0);
}

/// The order of the fingerprint and of random weights, which must not change for models that have one already.
TEST(LayerPlan, TensorsAreListedAsEver)
{
    ModelConfig config = small("llama");
    config.layers = 1;
    config.qkvBias = config.outputBias = config.mlpBias = config.queryKeyNorm = true;
    std::vector<std::string> names;
    for (const PlannedTensor &planned : planWeights(config))
        names.push_back(planned.name);
    const std::string layer = "model.layers.0.";
    EXPECT_EQ(names,
              (std::vector<std::string>{"model.embed_tokens.weight",
                                        layer + "input_layernorm.weight",
                                        layer + "self_attn.q_proj.weight",
                                        layer + "self_attn.k_proj.weight",
                                        layer + "self_attn.v_proj.weight",
                                        layer + "self_attn.q_proj.bias",
                                        layer + "self_attn.k_proj.bias",
                                        layer + "self_attn.v_proj.bias",
                                        layer + "self_attn.q_norm.weight",
                                        layer + "self_attn.k_norm.weight",
                                        layer + "self_attn.o_proj.weight",
                                        layer + "self_attn.o_proj.bias",
                                        layer + "post_attention_layernorm.weight",
                                        layer + "mlp.gate_proj.weight",
                                        layer + "mlp.up_proj.weight",
                                        layer + "mlp.down_proj.weight",
                                        layer + "mlp.gate_proj.bias",
                                        layer + "mlp.up_proj.bias",
                                        layer + "mlp.down_proj.bias",
                                        "model.norm.weight",
                                        "lm_head.weight"}));
}

TEST(LayerPlan, ExpertsHaveATensorEach)
{
    ModelConfig config = small("qwen3_moe");
    config.experts = 3;
    config.expertsPerToken = 1;
    config.expertIntermediateSize = 24;
    config.denseLayers.assign(3, false);
    std::set<std::string> names;
    Weights weights;
    std::set<std::string> ggufNames; // where experts are slices of one tensor
    for (const PlannedTensor &planned : planWeights(config)) {
        EXPECT_TRUE(names.insert(planned.name).second) << planned.name;
        EXPECT_EQ(ggufNames.insert(planned.ggufName).second, planned.index == 0) << planned.ggufName;
        planned.in(weights).rows = planned.rows;
    }
    for (const char *name : {"token_embd.weight", "output_norm.weight", "output.weight", "blk.2.attn_q.weight",
                             "blk.1.ffn_gate_inp.weight", "blk.0.ffn_down_exps.weight"})
        EXPECT_TRUE(ggufNames.contains(name)) << name;
    EXPECT_TRUE(names.contains("model.layers.2.mlp.experts.2.down_proj.weight"));
    EXPECT_TRUE(names.contains("model.layers.0.mlp.gate.weight"));
    EXPECT_EQ(weights.layers.at(1).all(WeightId::ExpertUp).size(), 3u);
    EXPECT_EQ(weights.layers.at(1).all(WeightId::ExpertUp)[2].rows, 24);
}

} // namespace
} // namespace zigzag
