// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/model_config.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

using Json = nlohmann::json;

Result<ModelConfig> parsed(const std::string &family, const std::string &key, const std::string &value)
{
    Json config = Json::parse(R"({"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 8,
        "num_key_value_heads": 2, "vocab_size": 100, "max_position_embeddings": 4096})");
    config["model_type"] = family;
    config[key] = Json::parse(value);
    return parseModelConfig(config.dump(), "config.json");
}

struct Key {
    std::string name;
    std::vector<std::string> on, off;
};

/// What changes the network is refused by name; the same key may say that it does nothing.
TEST(ConfigKeys, WhatChangesTheNetworkIsRefusedUnlessItIsOff)
{
    const std::vector<Key> keys = {
        {"is_causal", {"false", "0"}, {"true", "null"}},
        {"dual_chunk_attention_config", {R"({"chunk_size": 8192})"}, {"null", "{}"}},
        {"auto_map", {R"({"AutoModelForCausalLM": "modeling.Mine"})"}, {"null", "{}"}},
        {"per_layer_config", {R"({"1": {"num_attention_heads": 4}})"}, {"null", "{}"}},
        {"logits_scaling", {"16", "0", "false"}, {"1", "1.0", "null"}},
        {"attention_multiplier", {"0.015625"}, {"1.0", "null"}},
        {"residual_multiplier", {"0.22"}, {"1"}},
        {"embedding_multiplier", {"12"}, {"1.0"}},
        {"lm_head_multiplier", {"0.02"}, {"1"}},
        {"logit_scale", {"0.0625"}, {"1.0"}},
        {"scale_emb", {"12"}, {"1"}},
        {"scale_depth", {"1.4"}, {"1"}},
        {"query_pre_attn_scalar", {"256"}, {"null", "0"}},
        {"attn_logit_softcapping", {"50.0"}, {"null", "0", "0.0"}},
        {"final_logit_softcapping", {"30.0"}, {"null"}},
        {"logits_soft_cap", {"30"}, {"0", "null"}},
        {"attention_sinks", {"true", "4"}, {"false", "0", "null"}},
        {"attention_chunk_size", {"8192"}, {"null", "0"}},
        {"sliding_window_pattern", {"6", R"("LLLG")"}, {"null", "0"}},
        {"no_rope_layers", {"[1, 0]"}, {"[]", "null"}},
        {"no_rope_layer_interval", {"4"}, {"0", "null"}},
        {"rope_interleaved", {"true"}, {"false"}},
        {"clip_qkv", {"8.0"}, {"null"}},
        {"qk_norm", {"true"}, {"false"}},
        {"num_experts", {"128"}, {"0", "null"}},
        {"num_local_experts", {"8"}, {"0"}},
        {"kv_lora_rank", {"512"}, {"null"}},
        {"add_cross_attention", {"true"}, {"false"}},
        {"is_encoder_decoder", {"true"}, {"false"}},
        {"pruned_heads", {R"({"1": [2]})"}, {"{}"}},
        {"quantization", {R"({"bits": 4})"}, {"null"}},
        {"quantization_config", {R"({"bits": 4})"}, {"null"}},
        {"use_rope", {"false"}, {"true"}},
    };
    for (const Key &key : keys) {
        for (const std::string &value : key.on) {
            const auto config = parsed("llama", key.name, value);
            ASSERT_FALSE(config) << key.name << ": " << value;
            EXPECT_NE(config.error().message.find(key.name), std::string::npos) << config.error().message;
        }
        for (const std::string &value : key.off) {
            const auto config = parsed("llama", key.name, value);
            ASSERT_TRUE(config) << config.error().message;
            EXPECT_TRUE(config->notes.empty()) << key.name << ": " << config->notes.front();
        }
    }
}

TEST(ConfigKeys, BiasesThatAFamilyDoesNotHaveAreRefused)
{
    for (const char *family : {"mistral", "qwen2", "qwen3"}) {
        EXPECT_FALSE(parsed(family, "mlp_bias", "true")) << family;
        EXPECT_TRUE(parsed(family, "mlp_bias", "false")) << family;
    }
    EXPECT_FALSE(parsed("mistral", "attention_bias", "true"));
    EXPECT_TRUE(parsed("mistral", "attention_bias", "false"));
    EXPECT_TRUE(parsed("qwen2", "attention_bias", "true")); // it always has them
}

TEST(ConfigKeys, AKeyOfNoListIsNamedOnceAndNotUsed)
{
    const auto one = parsed("llama", "sparkle\n_factor", "3");
    ASSERT_TRUE(one) << one.error().message;
    ASSERT_EQ(one->notes.size(), 1u);
    EXPECT_NE(one->notes.front().find("sparkle _factor"), std::string::npos) << one->notes.front();
    EXPECT_TRUE(parsed("llama", "sparkle_factor", "null")->notes.empty());

    Json many = Json::parse(R"({"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
        "num_attention_heads": 8, "vocab_size": 100, "max_position_embeddings": 4096})");
    for (int i = 0; i < 100; ++i)
        many["unheard_of_" + std::to_string(i)] = i;
    const auto config = parseModelConfig(many.dump(), "config.json");
    ASSERT_TRUE(config);
    ASSERT_EQ(config->notes.size(), 1u);
    EXPECT_LT(config->notes.front().size(), 300u);
    EXPECT_NE(config->notes.front().find("and 92 more"), std::string::npos) << config->notes.front();
}

/// Keys of published files of the four families, and of older versions of transformers, which say nothing of the network.
TEST(ConfigKeys, WhatPublishedFilesSayBesidesIsSilent)
{
    const Json published
        = Json::parse(R"({"_name_or_path": "a/b", "add_cross_attention": false, "architectures": ["LlamaForCausalLM"],
        "attention_dropout": 0.0, "bos_token_id": 1, "context_window_size": 2048, "hidden_act": "silu",
        "id2label": {"0": "LABEL_0", "1": "LABEL_1"}, "initializer_range": 0.02, "is_decoder": false, "is_llama_config": true,
        "max_window_layers": 28, "mlp_bias": false, "pad_token_id": 0, "prefill_chunk_size": 128, "pretraining_tp": 2,
        "return_dict": true, "rope_interleaved": false, "rope_scaling": null, "tokenizer_class": null, "torchscript": false,
        "transformers.js_config": {"kv_cache_dtype": {"q4f16": "float16"}}, "transformers_version": "4.42.3", "use_bfloat16": false,
        "use_cache": true, "use_sliding_window": false, "temperature": 1.0, "problem_type": null, "pruned_heads": {},
        "output_attentions": false, "chunk_size_feed_forward": 0, "tie_encoder_decoder": false})");
    for (const char *family : {"llama", "mistral", "qwen2", "qwen3"})
        for (const auto &[key, value] : published.items()) {
            const auto config = parsed(family, key, value.dump());
            ASSERT_TRUE(config) << config.error().message;
            EXPECT_TRUE(config->notes.empty()) << family << ": " << config->notes.front();
        }
}

TEST(ConfigKeys, AWindowThatAFamilyDoesNotHaveIsNamed)
{
    const auto config = parsed("llama", "sliding_window", "1024");
    ASSERT_TRUE(config) << config.error().message;
    ASSERT_EQ(config->notes.size(), 1u);
    EXPECT_NE(config->notes.front().find("sliding_window"), std::string::npos);
    EXPECT_TRUE(parsed("llama", "sliding_window", "null")->notes.empty());
}

TEST(ConfigKeys, KeysOfTheRotaryEmbeddingAreKnownToo)
{
    const auto config = parsed("llama", "rope_scaling", R"({"type": "linear", "factor": 2, "sparkle": 1})");
    ASSERT_TRUE(config) << config.error().message;
    ASSERT_EQ(config->notes.size(), 1u);
    EXPECT_NE(config->notes.front().find("sparkle"), std::string::npos) << config->notes.front();
    EXPECT_FALSE(parsed("mistral", "rope_parameters", R"({"rope_type": "default", "llama_4_scaling_beta": 0.1})"));
}

TEST(ConfigKeys, NumbersThatOnlyPythonWritesAreNamed)
{
    for (const char *number : {"Infinity", "-Infinity", "NaN"}) {
        const auto config
            = parseModelConfig(std::string(R"({"model_type": "nemotron_h", "time_step_limit": [0.0, )") + number + "]}", "c");
        ASSERT_FALSE(config);
        EXPECT_NE(config.error().message.find(std::string("not valid JSON: ") + number + " at byte"), std::string::npos)
            << config.error().message;
    }
    const auto other = parseModelConfig(R"({"note": "Infinity", "model_type": nothing})", "c");
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().message.find("Python"), std::string::npos) << other.error().message;
}

} // namespace
} // namespace zigzag
