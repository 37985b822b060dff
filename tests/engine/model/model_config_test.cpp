// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/model_config.h"

#include <cmath>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

using Json = nlohmann::json;

const Json base = Json::parse(R"({"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
    "num_attention_heads": 8, "num_key_value_heads": 2, "vocab_size": 100, "max_position_embeddings": 4096})");

/// `patch` is a JSON Merge Patch: null removes a member.
Result<ModelConfig> parsed(const std::string &patch)
{
    Json config = base;
    config.merge_patch(Json::parse(patch));
    return parseModelConfig(config.dump(), "config.json");
}

ModelConfig sound(const std::string &patch)
{
    const auto config = parsed(patch);
    EXPECT_TRUE(config) << patch << ": " << (config ? "" : config.error().message);
    return config.value_or(ModelConfig());
}

TEST(ModelConfig, FamiliesDifferInBiasesAndNorms)
{
    const auto check = [](const std::string &patch, bool qkv, bool output, bool mlp, bool norm) {
        const ModelConfig config = sound(patch);
        EXPECT_EQ(config.qkvBias, qkv) << patch;
        EXPECT_EQ(config.outputBias, output) << patch;
        EXPECT_EQ(config.mlpBias, mlp) << patch;
        EXPECT_EQ(config.queryKeyNorm, norm) << patch;
    };
    check(R"({})", false, false, false, false);
    check(R"({"attention_bias": true})", true, true, false, false);
    check(R"({"mlp_bias": true})", false, false, true, false);
    check(R"({"model_type": "mistral", "sliding_window": 4096})", false, false, false, false);
    check(R"({"model_type": "qwen2"})", true, false, false, false);
    check(R"({"model_type": "qwen3"})", false, false, false, true);
    check(R"({"model_type": "qwen3", "attention_bias": true})", true, true, false, true);
}

TEST(ModelConfig, ExpertsAreReadAsTransformersReadsThem)
{
    const ModelConfig config
        = sound(R"({"model_type": "qwen3_moe", "num_hidden_layers": 6, "num_experts": 16, "num_experts_per_tok": 4,
        "moe_intermediate_size": 32, "norm_topk_prob": true, "decoder_sparse_step": 2, "mlp_only_layers": [3]})");
    EXPECT_EQ(config.experts, 16);
    EXPECT_EQ(config.expertsPerToken, 4);
    EXPECT_EQ(config.expertIntermediateSize, 32);
    EXPECT_TRUE(config.renormalisesExperts);
    EXPECT_TRUE(config.queryKeyNorm);
    EXPECT_EQ(config.headDim, 8); // hidden size / query heads: no default of its own, unlike Qwen3
    EXPECT_EQ(config.denseLayers, (std::vector<bool>{true, false, true, true, true, false}));
    const ModelConfig plain = sound(R"({"model_type": "qwen3_moe", "num_local_experts": 16})");
    EXPECT_EQ(plain.experts, 16);
    EXPECT_EQ(plain.expertsPerToken, 8);
    EXPECT_EQ(plain.expertIntermediateSize, 768);
    EXPECT_FALSE(plain.renormalisesExperts);
    EXPECT_EQ(plain.denseLayers, (std::vector<bool>{false, false}));
    for (const char *patch :
         {R"({"model_type": "qwen3_moe", "num_experts": 4, "num_experts_per_tok": 5})",
          R"({"model_type": "qwen3_moe", "num_experts": 0})", R"({"model_type": "qwen3_moe", "num_experts": 100000})",
          R"({"model_type": "qwen3_moe", "decoder_sparse_step": 0})", R"({"model_type": "qwen3_moe", "mlp_only_layers": [-1]})",
          R"({"model_type": "qwen3_moe", "mlp_only_layers": "1"})", R"({"num_experts": 4})"})
        EXPECT_FALSE(parsed(patch)) << patch;
}

TEST(ModelConfig, WhatTheFileLeavesOutIsAsInTransformers)
{
    const ModelConfig config = sound(R"({"num_key_value_heads": null})");
    EXPECT_EQ(config.kvHeads, 8);
    EXPECT_EQ(config.headDim, 8);
    EXPECT_EQ(config.normEpsilon, 1e-6);
    EXPECT_EQ(config.rope.theta, 10000.0);
    EXPECT_FALSE(config.tiedEmbeddings);
    EXPECT_EQ(config.dtype, DType::F32);
    EXPECT_TRUE(config.endTokens.empty());
    EXPECT_EQ(sound(R"({"model_type": "qwen3"})").headDim, 128);
    EXPECT_EQ(sound(R"({"model_type": "qwen3", "head_dim": 32})").headDim, 32);
    EXPECT_FALSE(parsed(R"({"model_type": "qwen2", "num_key_value_heads": null})")); // the patch removes the key
    Json null = base;
    null.update({{"model_type", "qwen2"}, {"num_key_value_heads", nullptr}});
    EXPECT_EQ(parseModelConfig(null.dump(), "config.json").value().kvHeads, 8);
}

TEST(ModelConfig, TypesAndEndTokensInBothSpellings)
{
    EXPECT_EQ(sound(R"({"torch_dtype": "bfloat16"})").dtype, DType::BF16);
    EXPECT_EQ(sound(R"({"dtype": "float16"})").dtype, DType::F16);
    EXPECT_EQ(sound(R"({"eos_token_id": 2})").endTokens, std::vector<int>{2});
    EXPECT_EQ(sound(R"({"eos_token_id": [2, 7]})").endTokens, (std::vector<int>{2, 7}));
}

using Windows = std::vector<std::int64_t>;

TEST(ModelConfig, WindowsOfTheFileAreThoseThatAct)
{
    // Without the key Mistral's window is 4096, which the context of 4096 does not reach.
    EXPECT_EQ(sound(R"({"model_type": "mistral"})").fileWindows, Windows());
    EXPECT_EQ(sound(R"({"model_type": "mistral", "max_position_embeddings": 8192})").fileWindows, Windows({4096, 4096}));
    const ModelConfig windowed = sound(R"({"model_type": "mistral", "sliding_window": 1024})");
    EXPECT_EQ(windowed.fileWindows, Windows({1024, 1024}));
    ASSERT_EQ(windowed.notes.size(), 1u);
    EXPECT_NE(windowed.notes.front().find("2 of 2 layers have a window of 1024 tokens"), std::string::npos);
    EXPECT_FALSE(parsed(R"({"model_type": "mistral", "sliding_window": 0})"));
    EXPECT_TRUE(parseModelConfig(R"({"model_type": "mistral", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
        "num_attention_heads": 8, "num_key_value_heads": 2, "vocab_size": 100, "max_position_embeddings": 32768, "sliding_window": null})",
                                 "config.json"));
    EXPECT_TRUE(parsed(R"({"model_type": "qwen2", "use_sliding_window": false, "sliding_window": 1024})"));
    EXPECT_EQ(sound(R"({"model_type": "qwen2", "use_sliding_window": true, "sliding_window": 1024, "max_window_layers": 1})")
                  .fileWindows,
              Windows({0, 1024}));
    EXPECT_TRUE(parsed(R"({"layer_types": ["full_attention", "full_attention"]})"));
}

/// Windows that no query reaches the end of, by length or because no layer has one, are full attention.
TEST(ModelConfig, AWindowThatNeverActsIsAccepted)
{
    for (const std::string family : {"qwen2", "qwen3"}) {
        const auto with = [&](const std::string &members) {
            return sound(fmt::format(R"({{"model_type": "{}", "use_sliding_window": true{}}})", family, members)).fileWindows;
        };
        EXPECT_EQ(with(R"(, "sliding_window": 1024, "max_window_layers": 0)"), Windows({1024, 1024}));
        EXPECT_EQ(with(R"(, "sliding_window": 1024, "max_window_layers": 1)"), Windows({0, 1024}));
        EXPECT_EQ(with(R"(, "sliding_window": 1024, "max_window_layers": 2)"), Windows()); // two layers
        EXPECT_EQ(with(R"(, "sliding_window": 1024, "max_window_layers": 28)"), Windows());
        EXPECT_EQ(with(R"(, "sliding_window": 1024)"), Windows()); // transformers' 28
        EXPECT_EQ(with(R"(, "sliding_window": 4096, "max_window_layers": 0)"), Windows());
        EXPECT_EQ(with(R"(, "sliding_window": 4095, "max_window_layers": 0)"), Windows({4095, 4095}));
        EXPECT_EQ(with(R"(, "max_window_layers": 0)"), Windows()); // transformers' 4096, all of the context
        EXPECT_EQ(with(R"(, "sliding_window": 1024, "layer_types": ["full_attention", "full_attention"])"), Windows());
        EXPECT_EQ(with(R"(, "sliding_window": 8192, "layer_types": ["full_attention", "sliding_attention"])"), Windows());
        EXPECT_EQ(with(R"(, "sliding_window": 1024, "layer_types": ["full_attention", "sliding_attention"])"),
                  Windows({0, 1024}));
        EXPECT_FALSE(parsed(R"({"model_type": ")" + family + R"(", "sliding_window": 1024,
            "layer_types": ["full_attention", "sliding_attention"]})"))
            << "use_sliding_window is false";
        EXPECT_FALSE(
            parsed(R"({"model_type": ")" + family + R"(", "use_sliding_window": true, "layer_types": ["full_attention"]})"));
    }
    EXPECT_FALSE(parsed(R"({"layer_types": ["full_attention", "sliding_attention"]})")) << "a window of no length";
    EXPECT_FALSE(parsed(R"({"sliding_window": 8192, "layer_types": ["full_attention", "chunked_attention"]})"));
    EXPECT_TRUE(parsed(R"({"model_type": "mistral", "sliding_window": 4096})"));
    EXPECT_EQ(sound(R"({"model_type": "mistral", "sliding_window": 4096})").maxContext, 4096);
}

TEST(ModelConfig, RotaryEmbeddingsInOldAndNewSpelling)
{
    const std::string members
        = R"("factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 1024)";
    const std::vector<std::string> spellings = {
        R"({"rope_theta": 5e5, "rope_scaling": {"type": "llama3", )" + members + "}}",
        R"({"rope_theta": 5e5, "rope_scaling": {"rope_type": "llama3", )" + members + "}}",
        R"({"rope_parameters": {"rope_theta": 5e5, "rope_type": "llama3", )" + members + "}}",
        R"({"rope_theta": 1e4, "rope_parameters": {"rope_theta": 5e5, "rope_type": "llama3", )" + members + "}}",
    };
    for (const std::string &spelling : spellings) {
        const RopeConfig rope = sound(spelling).rope;
        EXPECT_EQ(rope.type, RopeType::Llama3);
        EXPECT_EQ(rope.theta, 5e5);
        EXPECT_EQ(rope.factor, 8.0);
        EXPECT_EQ(rope.lowFrequencyFactor, 1.0);
        EXPECT_EQ(rope.highFrequencyFactor, 4.0);
        EXPECT_EQ(rope.originalContext, 1024.0);
    }
    EXPECT_EQ(sound(R"({"rope_scaling": {"type": "linear", "factor": 2}})").rope.factor, 2.0);
    EXPECT_EQ(sound(R"({"rope_scaling": {"rope_type": "default"}})").rope.type, RopeType::Default);
}

TEST(ModelConfig, YarnFactorsAreAsInTransformers)
{
    const RopeConfig plain = sound(R"({"rope_scaling": {"type": "yarn", "factor": 4.0}})").rope;
    EXPECT_EQ(plain.originalContext, 4096.0); // the config's own context where the file names no other
    EXPECT_EQ(plain.attentionFactor, 0.0);
    EXPECT_EQ(plain.betaFast, 32.0);
    EXPECT_EQ(plain.betaSlow, 1.0);
    EXPECT_TRUE(plain.truncate);
    const RopeConfig scaled
        = sound(
              R"({"rope_scaling": {"type": "yarn", "factor": 4.0, "mscale": 0.7, "mscale_all_dim": 1.0, "beta_fast": 16, "truncate": false}})")
              .rope;
    EXPECT_DOUBLE_EQ(scaled.attentionFactor, (0.07 * std::log(4.0) + 1) / (0.1 * std::log(4.0) + 1));
    EXPECT_EQ(scaled.betaFast, 16.0);
    EXPECT_FALSE(scaled.truncate);
    EXPECT_EQ(sound(R"({"rope_scaling": {"type": "yarn", "factor": 4.0, "attention_factor": 1.5}})").rope.attentionFactor, 1.5);
    const auto implied
        = parseModelConfig(R"({"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
        "num_attention_heads": 8, "vocab_size": 100, "max_position_embeddings": 4096,
        "rope_scaling": {"type": "yarn", "factor": null, "original_max_position_embeddings": 1024}})",
                           "config.json");
    ASSERT_TRUE(implied) << implied.error().message;
    EXPECT_EQ(implied->rope.factor, 4.0);
}

TEST(ModelConfig, ParametersAreCounted)
{
    // By hand: embedding and head 6400 each; a layer 2·64 norms, 64·64·2 query and output, 64·16·2 key and value, 3·64·96.
    const std::int64_t layer = 128 + 8192 + 2048 + 18432;
    EXPECT_EQ(sound("{}").parameters(), 2 * 6400L + 2 * layer + 64);
    const ModelConfig tied = sound(R"({"tie_word_embeddings": true})"), untied = sound("{}");
    EXPECT_EQ(tied.parameters(), 6400 + 2 * layer + 64);
    EXPECT_EQ(tied.weightBytesReadPerToken(), untied.weightBytesReadPerToken());
    EXPECT_EQ(tied.weightBytesReadPerToken(), 4 * (6400 + 2 * layer + 64));
    EXPECT_EQ(sound(R"({"attention_bias": true})").parameters() - untied.parameters(), 2 * (64 + 16 + 16 + 64));
    EXPECT_EQ(sound(R"({"mlp_bias": true})").parameters() - untied.parameters(), 2 * (96 + 96 + 64));
    EXPECT_EQ(untied.kvBytesPerToken(), 2 * 2 * 2 * 8 * 4);
}

} // namespace
} // namespace zigzag
