// SPDX-License-Identifier: GPL-3.0-or-later
// What each family reads of its config.json, and makes of its layers, that the logits of a small model would not show.
#include "engine/model/model_config.h"
#include "engine/model/weight_plan.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

using Json = nlohmann::json;
using Windows = std::vector<std::int64_t>;
using enum LayerRope;

Result<ModelConfig> parsed(const std::string &patch)
{
    Json config = Json::parse(R"({"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 4, "num_attention_heads": 8,
        "num_key_value_heads": 2, "vocab_size": 100, "max_position_embeddings": 8192, "head_dim": 16})");
    config.merge_patch(Json::parse(patch));
    return parseModelConfig(config.dump(), "config.json");
}

ModelConfig sound(const std::string &patch)
{
    const auto config = parsed(patch);
    EXPECT_TRUE(config) << patch << ": " << (config ? "" : config.error().message);
    return config.value_or(ModelConfig());
}

std::string refusal(const std::string &patch)
{
    const auto config = parsed(patch);
    EXPECT_FALSE(config) << patch;
    return config ? "" : config.error().message;
}

TEST(Families, Gemma2)
{
    const ModelConfig config = sound(R"({"model_type": "gemma2", "query_pre_attn_scalar": 64, "sliding_window": 512})");
    EXPECT_EQ(config.fileWindows, Windows({512, 0, 512, 0}));
    EXPECT_EQ(config.activation, GatedActivation::GeluTanh);
    EXPECT_EQ(config.scoreScale, 0.125);
    EXPECT_EQ(config.scoreCap, 50); // as transformers fills them in
    EXPECT_EQ(config.logitCap, 30);
    EXPECT_TRUE(config.normAddsOne && config.tiedEmbeddings);
    EXPECT_EQ(config.embeddingFactor(), 8.0f);
    const LayerPlan plan = layerPlan(config, 0);
    for (const WeightId norm : {WeightId::InputNorm, WeightId::AttentionNorm, WeightId::PostNorm, WeightId::FeedForwardNorm})
        EXPECT_TRUE(plan.has(norm));
    EXPECT_EQ(plan.find(WeightId::PostNorm)->name, "pre_feedforward_layernorm.weight");
    EXPECT_TRUE(normsBehind(config));
    EXPECT_NE(refusal(R"({"model_type": "gemma2", "use_bidirectional_attention": true})").find("use_bidirectional_attention"),
              std::string::npos);
}

/// transformers rounds the root to the type of the weights.
TEST(Families, EmbeddingScalesOfGemmaAreRoundedToTheWeightsType)
{
    const auto factor = [](const std::string &type) {
        return sound(R"({"model_type": "gemma3_text", "hidden_size": 1152, "dtype": ")" + type + "\"}").embeddingFactor();
    };
    EXPECT_FLOAT_EQ(factor("float32"), 33.941125f);
    EXPECT_EQ(factor("bfloat16"), 34.0f);
    EXPECT_EQ(factor("float16"), 33.9375f);
}

TEST(Families, Gemma3HasARotaryEmbeddingOfLocalLayers)
{
    const std::string gemma = R"({"model_type": "gemma3_text", "sliding_window": 512, )";
    const ModelConfig old = sound(gemma + R"("sliding_window_pattern": 2, "rope_theta": 5000, "rope_local_base_freq": 200,
        "rope_scaling": {"rope_type": "linear", "factor": 8}})");
    EXPECT_EQ(old.fileWindows, Windows({512, 0, 512, 0}));
    EXPECT_EQ(old.layerRopes, (std::vector<LayerRope>{Local, Main, Local, Main}));
    EXPECT_EQ(old.rope.type, RopeType::Linear);
    EXPECT_EQ(old.rope.theta, 5000);
    EXPECT_EQ(old.localRope.type, RopeType::Default);
    EXPECT_EQ(old.localRope.theta, 200);
    const ModelConfig nested = sound(gemma + R"("rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 8,
        "rope_theta": 5000}, "sliding_attention": {"rope_type": "default", "rope_theta": 200}}})");
    EXPECT_EQ(nested.rope.factor, 8);
    EXPECT_EQ(nested.localRope.theta, 200);
    const ModelConfig silent = sound(gemma + R"("num_hidden_layers": 6})");
    EXPECT_EQ(silent.rope.theta, 1e6);
    EXPECT_EQ(silent.localRope.theta, 10000);
    EXPECT_EQ(silent.fileWindows, Windows({512, 512, 512, 512, 512, 0}));
    EXPECT_TRUE(silent.queryKeyNorm);
    // A window as long as the context is none, and the rotation is the local layers' all the same.
    const ModelConfig wide = sound(R"({"model_type": "gemma3_text", "sliding_window": 8192})");
    EXPECT_EQ(wide.fileWindows, Windows());
    EXPECT_EQ(wide.layerRopes, (std::vector<LayerRope>{Local, Local, Local, Local}));
    EXPECT_NE(refusal(gemma + R"("attn_logit_softcapping": 50})").find("attn_logit_softcapping"), std::string::npos);
}

TEST(Families, Phi3KeepsSeveralWeightsInOneTensor)
{
    const ModelConfig config
        = sound(R"({"model_type": "phi3", "partial_rotary_factor": 0.75, "original_max_position_embeddings": 4096,
        "auto_map": {"AutoConfig": "configuration_phi3.Phi3Config"}, "sliding_window": 262144,
        "rope_scaling": {"type": "su", "short_factor": [1, 1, 1, 1, 1, 1], "long_factor": [2, 2, 3, 3, 4, 4]}})");
    EXPECT_EQ(config.rotated(), 12);
    EXPECT_EQ(config.rope.type, RopeType::LongRope);
    EXPECT_EQ(config.rope.originalContext, 4096);
    EXPECT_EQ(config.rope.factor, 2);
    EXPECT_EQ(config.fileWindows, Windows());
    const LayerPlan plan = layerPlan(config, 0);
    const WeightSpec &value = *plan.find(WeightId::Value), &up = *plan.find(WeightId::Up);
    EXPECT_EQ(value.name, "self_attn.qkv_proj.weight");
    EXPECT_EQ(value.storedFrom, 8 * 16 + 2 * 16);
    EXPECT_EQ(value.storedRows, 8 * 16 + 2 * 2 * 16);
    EXPECT_EQ(value.rows, 32);
    EXPECT_EQ(up.storedFrom, 96);
    EXPECT_EQ(up.storedRows, 192);
    EXPECT_EQ(plan.parameters(), 2 * 64 + 192 * 64 + 64 * 128 + 3 * 96 * 64);
    for (const char *wrong : {R"("short_factor": [1, 1])", R"("short_factor": [1, 1, 1, 1, 1, 0])", R"("short_factor": 1)",
                              R"("factor": 0)", R"("long_factor": ["1", 1, 1, 1, 1, 1])"}) {
        const std::string section
            = R"({"type": "longrope", "short_factor": [1, 1, 1, 1, 1, 1], "long_factor": [1, 1, 1, 1, 1, 1], )";
        refusal(R"({"model_type": "phi3", "partial_rotary_factor": 0.75, "rope_scaling": )" + section + wrong + "}}");
    }
    refusal(R"({"model_type": "phi3", "partial_rotary_factor": 0.7})"); // 11 numbers
    refusal(R"({"model_type": "phi3", "partial_rotary_factor": 0})");
    refusal(R"({"model_type": "phi3", "full_attn_mod": 2})");
    refusal(R"({"model_type": "llama", "partial_rotary_factor": 0.75})"); // which transformers does not read there
}

TEST(Families, SmolLm3HasLayersWithoutRotaryEmbedding)
{
    EXPECT_EQ(sound(R"({"model_type": "smollm3"})").layerRopes, (std::vector<LayerRope>{Main, Main, Main, None}));
    EXPECT_EQ(sound(R"({"model_type": "smollm3", "no_rope_layers": [0, 1, 1, 1]})").layerRopes,
              (std::vector<LayerRope>{None, Main, Main, Main}));
    EXPECT_EQ(sound(R"({"model_type": "smollm3", "use_sliding_window": true, "sliding_window": 64})").fileWindows,
              Windows({0, 0, 0, 64}));
    EXPECT_EQ(sound(R"({"model_type": "smollm3", "sliding_window": 64})").fileWindows, Windows());
    EXPECT_EQ(sound(R"({"model_type": "smollm3"})").rope.theta, 2e6);
    refusal(R"({"model_type": "smollm3", "no_rope_layers": [0, 1]})");
    refusal(R"({"model_type": "smollm3", "no_rope_layers": [2, 1, 1, 1]})");
}

TEST(Families, OlmoNormsBehindAndOverTheWidth)
{
    const ModelConfig two = sound(R"({"model_type": "olmo2"})");
    const LayerPlan plan = layerPlan(two, 0);
    EXPECT_FALSE(plan.has(WeightId::InputNorm) || plan.has(WeightId::PostNorm));
    ASSERT_TRUE(plan.find(Op::InputNorm)) << "products read the stream in the type of activations";
    EXPECT_EQ(plan.find(WeightId::QueryNorm)->rows, 8 * 16);
    EXPECT_EQ(plan.find(WeightId::KeyNorm)->rows, 2 * 16);
    const ModelConfig three = sound(R"({"model_type": "olmo3", "rope_theta": 70000, "sliding_window": 100,
        "rope_scaling": {"rope_type": "yarn", "factor": 8, "original_max_position_embeddings": 1024}})");
    EXPECT_EQ(three.fileWindows, Windows({100, 100, 100, 0}));
    EXPECT_EQ(three.rope.type, RopeType::Yarn);
    EXPECT_EQ(three.rope.theta, 70000);
    EXPECT_EQ(three.localRope.type, RopeType::Default);
    EXPECT_EQ(three.localRope.theta, 500000); // transformers' default: the key outside is that of full layers
}

TEST(Families, Ministral3ScalesQueriesAndMixtralChoosesTwo)
{
    const std::string ministral = R"({"model_type": "ministral3", "rope_parameters": {"rope_type": "yarn", "factor": 16,
        "rope_theta": 1e6, "original_max_position_embeddings": 2048)";
    EXPECT_EQ(sound(ministral + R"(, "llama_4_scaling_beta": 0.1}})").rope.queryScaleBeta, 0.1);
    EXPECT_EQ(sound(ministral + R"(, "llama_4_scaling_beta": 0}})").rope.queryScaleBeta, 0);
    refusal(ministral + "}}");
    refusal(R"({"model_type": "ministral3"})");
    const ModelConfig mixtral = sound(R"({"model_type": "mixtral", "num_local_experts": 4})");
    EXPECT_EQ(mixtral.expertsPerToken, 2);
    EXPECT_TRUE(mixtral.renormalisesExperts);
    EXPECT_EQ(mixtral.expertIntermediateSize, 96);
    EXPECT_EQ(layerPlan(mixtral, 3).find(WeightId::ExpertUp)->name, "block_sparse_moe.experts.{}.w3.weight");
    refusal(R"({"model_type": "mixtral", "num_local_experts": 4, "num_experts_per_tok": 5})");
    refusal(R"({"model_type": "mixtral", "hidden_act": "gelu_pytorch_tanh"})");
}

TEST(Families, Glm4RotatesHalfOfAHeadInPairsOfNeighbours)
{
    const ModelConfig config = sound(R"({"model_type": "glm4"})");
    EXPECT_EQ(config.rotated(), 8);
    EXPECT_TRUE(config.interleavedRope && config.qkvBias);
    EXPECT_FALSE(config.outputBias);
    EXPECT_EQ(layerPlan(config, 0).find(WeightId::AttentionNorm)->name, "post_self_attn_layernorm.weight");
}

TEST(Families, MiniCpmScalesByItsSizes)
{
    const ModelConfig config = sound(R"({"model_type": "minicpm", "scale_emb": 12, "scale_depth": 1.4, "dim_model_base": 16,
        "tie_word_embeddings": false, "rope_scaling": {"type": "dynamic", "factor": 4}})");
    EXPECT_EQ(config.embeddingScale, 12);
    EXPECT_DOUBLE_EQ(config.residualScale, 0.7); // of four layers
    EXPECT_EQ(config.logitScale, 0.25); // of a hidden size of 64
    EXPECT_EQ(config.scoreScale, 0);
    EXPECT_EQ(config.rope.type, RopeType::Dynamic);
    EXPECT_EQ(config.rope.originalContext, 8192);
    EXPECT_TRUE(sound(R"({"model_type": "minicpm"})").tiedEmbeddings);
    refusal(R"({"model_type": "minicpm", "num_experts": 8})");
    refusal(R"({"model_type": "minicpm", "scale_depth": 0})");
    refusal(R"({"model_type": "llama", "scale_depth": 1.4})");
}

TEST(Families, InternLm2HasTheHeadsOfAGroupBesideEachOther)
{
    const ModelConfig config
        = sound(R"({"model_type": "internlm2", "bias": false, "rope_scaling": {"type": "dynamic", "factor": 2},
        "attn_implementation": "eager", "pretraining_tp": 1})");
    ASSERT_EQ(config.notes.size(), 1u) << "that the rotation is scaled by the planned context, and nothing else";
    EXPECT_EQ(config.rope.type, RopeType::Dynamic);
    EXPECT_FALSE(config.qkvBias || config.outputBias || config.interleavedRope);
    const LayerPlan plan = layerPlan(config, 1); // four queries to a key
    const WeightSpec &query = *plan.find(WeightId::Query), &value = *plan.find(WeightId::Value);
    EXPECT_EQ(query.name, "attention.wqkv.weight");
    EXPECT_EQ(query.storedRows, 2 * 6 * 16);
    EXPECT_EQ(query.storedPiece, 4 * 16);
    EXPECT_EQ(value.storedFrom, 5 * 16);
    EXPECT_EQ(value.storedPiece, 16);
    EXPECT_EQ(value.storedPeriod, 6 * 16);
    EXPECT_EQ(value.rows, 2 * 16);
    EXPECT_EQ(plan.find(WeightId::Up)->name, "feed_forward.w3.weight");
    const ModelConfig silent = sound(R"({"model_type": "internlm2"})");
    EXPECT_TRUE(silent.qkvBias && silent.outputBias);
    EXPECT_EQ(layerPlan(silent, 0).find(WeightId::KeyBias)->name, "attention.wqkv.bias");
    refusal(R"({"model_type": "internlm2", "bias": "no"})");
}

TEST(Families, MiMoIsAQwen2ThatGuessesFurther)
{
    const ModelConfig config = sound(R"({"model_type": "mimo", "num_nextn_predict_layers": 1, "use_mrope": false})");
    EXPECT_TRUE(config.qkvBias);
    EXPECT_TRUE(config.notes.empty()) << config.notes.front();
    refusal(R"({"model_type": "mimo", "use_mrope": true})");
}

TEST(Families, OfAModelThatSeesTheTextPartIsRead)
{
    const auto read = [](const std::string &outside, const std::string &inside) {
        Json config = Json::parse(R"({"model_type": "qwen3_vl", "vision_config": {"depth": 27}, "image_token_id": 5,
            "text_config": {"model_type": "qwen3_vl_text", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 4,
            "num_attention_heads": 8, "num_key_value_heads": 2, "vocab_size": 100, "max_position_embeddings": 8192, "head_dim": 16}})");
        config.merge_patch(Json::parse(outside));
        config["text_config"].merge_patch(Json::parse(inside));
        return parseModelConfig(config.dump(), "config.json");
    };
    const auto config
        = read(R"({"tie_word_embeddings": true, "dtype": "bfloat16", "eos_token_id": 7})",
               R"({"rope_scaling": {"mrope_interleaved": true, "mrope_section": [4, 2, 2], "rope_type": "default"}})");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_TRUE(config->is("qwen3_vl_text") && config->queryKeyNorm && config->tiedEmbeddings);
    EXPECT_EQ(config->dtype, DType::BF16);
    EXPECT_EQ(config->endTokens, std::vector<int>{7});
    EXPECT_EQ(config->rope.theta, 5e5);
    ASSERT_EQ(config->notes.size(), 1u);
    EXPECT_NE(config->notes[0].find("of this qwen3_vl the text part alone is run: it sees no images"), std::string::npos);
    // What the text part says itself is its own; the head is outside.
    const auto own = read(R"({"tie_word_embeddings": false, "dtype": "bfloat16", "eos_token_id": 7})",
                          R"({"tie_word_embeddings": true, "torch_dtype": "float16", "eos_token_id": [8, 9]})");
    ASSERT_TRUE(own) << own.error().message;
    EXPECT_FALSE(own->tiedEmbeddings);
    EXPECT_EQ(own->dtype, DType::F16);
    EXPECT_EQ(own->endTokens, (std::vector<int>{8, 9}));
    for (const auto &[outside, inside] :
         {std::pair(R"({"model_type": "llava"})", "{}"), std::pair("{}", R"({"model_type": "qwen3"})"),
          std::pair("{}", R"({"model_type": 3})"), std::pair(R"({"model_type": null})", "{}"),
          std::pair("{}", R"({"text_config": {"a": 1}})")})
        EXPECT_FALSE(read(outside, inside)) << outside << inside;
}

/// The smallest Gemma 3 that sees leaves most sizes to transformers.
TEST(Families, Gemma3MayLeaveSizesOut)
{
    const auto config = parseModelConfig(R"({"model_type": "gemma3", "eos_token_id": [1, 106], "mm_tokens_per_image": 256,
        "text_config": {"hidden_size": 2560, "intermediate_size": 10240, "model_type": "gemma3_text", "num_hidden_layers": 34,
        "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 1024}, "torch_dtype": "bfloat16",
        "vision_config": {"hidden_size": 1152, "model_type": "siglip_vision_model"}})",
                                         "config.json");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->queryHeads, 8);
    EXPECT_EQ(config->kvHeads, 4);
    EXPECT_EQ(config->headDim, 256);
    EXPECT_EQ(config->maxContext, 131072);
    EXPECT_EQ(config->parameters(), 3880263168); // of transformers' Gemma3ForCausalLM
    EXPECT_EQ(config->shape().localLayers(), 29);
}

TEST(Families, OthersAreRefusedWithTheReason)
{
    EXPECT_NE(refusal(R"({"model_type": "deepseek_v3"})").find(": it has keys and values"), std::string::npos);
    EXPECT_NE(
        refusal(R"({"model_type": "qwen3_5_moe", "text_config": {"model_type": "qwen3_5_moe_text"}})").find("linear attention"),
        std::string::npos);
    EXPECT_NE(refusal(R"({"model_type": "stablelm"})").find("LayerNorm"), std::string::npos);
    const std::string unknown = refusal(R"({"model_type": "wibble"})");
    EXPECT_NE(unknown.find("\"wibble\" is not supported; use a model of one of these: "), std::string::npos) << unknown;
}

} // namespace
} // namespace zigzag
