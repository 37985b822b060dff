// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "tests/temp_folder.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace zigzag::test {

/// The shape of a random Llama that a test writes for itself.
struct TinyModel {
    int layers = 2;
    int hidden = 32;
    int queryHeads = 4;
    int kvHeads = 2;
    int headDim = 8;
    int intermediate = 48;
    int vocabulary = 258; ///< bytes, then beginning and end of text
    int maxContext = 512;
    DType dtype = DType::F32; ///< F32 or BF16
    bool tokenizer = true;
    std::uint64_t seed = 1;
};

/// A byte-level tokenizer: id = byte, 256 = beginning of text, 257 = end of text.
inline std::string byteTokenizerJson()
{
    nlohmann::ordered_json vocabulary;
    int next = 256;
    for (int byte = 0; byte < 256; ++byte) {
        // GPT-2's table: printable bytes stand for themselves, the others for U+0100 and up.
        const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
        const int code = printable ? byte : next++;
        std::string character;
        if (code < 0x80) {
            character += static_cast<char>(code);
        } else {
            character += static_cast<char>(0xc0 | (code >> 6));
            character += static_cast<char>(0x80 | (code & 0x3f));
        }
        vocabulary[character] = byte;
    }
    const auto special = [](int id, const char *content) {
        return nlohmann::ordered_json{{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
                                      {"rstrip", false}, {"normalized", false}, {"special", true}};
    };
    const nlohmann::ordered_json begin = {{"SpecialToken", {{"id", "<|begin|>"}, {"type_id", 0}}}};
    const nlohmann::ordered_json sequence = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
    const nlohmann::ordered_json json
        = {{"version", "1.0"},
           {"truncation", nullptr},
           {"padding", nullptr},
           {"added_tokens", nlohmann::ordered_json::array({special(256, "<|begin|>"), special(257, "<|end|>")})},
           {"normalizer", nullptr},
           {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}}},
           {"post_processor",
            {{"type", "TemplateProcessing"},
             {"single", nlohmann::ordered_json::array({begin, sequence})},
             {"pair", nlohmann::ordered_json::array({begin, sequence, sequence})},
             {"special_tokens", {{"<|begin|>", {{"id", "<|begin|>"}, {"ids", {256}}, {"tokens", {"<|begin|>"}}}}}}}},
           {"decoder", {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}}},
           {"model",
            {{"type", "BPE"},
             {"dropout", nullptr},
             {"unk_token", nullptr},
             {"continuing_subword_prefix", nullptr},
             {"end_of_word_suffix", nullptr},
             {"fuse_unk", false},
             {"byte_fallback", false},
             {"vocab", vocabulary},
             {"merges", nlohmann::ordered_json::array()}}}};
    return json.dump();
}

/// Writes `shape` as a Hugging Face folder: config.json, model.safetensors, tokenizer.json. Returns the folder.
inline std::filesystem::path writeTinyModel(const std::filesystem::path &folder, const TinyModel &shape = {})
{
    std::filesystem::create_directories(folder);
    const nlohmann::ordered_json config = {{"architectures", {"LlamaForCausalLM"}},
                                           {"model_type", "llama"},
                                           {"hidden_size", shape.hidden},
                                           {"intermediate_size", shape.intermediate},
                                           {"num_hidden_layers", shape.layers},
                                           {"num_attention_heads", shape.queryHeads},
                                           {"num_key_value_heads", shape.kvHeads},
                                           {"head_dim", shape.headDim},
                                           {"vocab_size", shape.vocabulary},
                                           {"max_position_embeddings", shape.maxContext},
                                           {"rms_norm_eps", 1e-5},
                                           {"rope_theta", 10000.0},
                                           {"hidden_act", "silu"},
                                           {"attention_bias", false},
                                           {"mlp_bias", false},
                                           {"tie_word_embeddings", false},
                                           {"bos_token_id", 256},
                                           {"eos_token_id", 257},
                                           {"torch_dtype", shape.dtype == DType::BF16 ? "bfloat16" : "float32"}};
    std::ofstream(folder / "config.json") << config.dump(2) << '\n';
    if (shape.tokenizer)
        std::ofstream(folder / "tokenizer.json") << byteTokenizerJson();

    std::vector<std::pair<std::string, std::vector<int>>> tensors;
    const int queryWidth = shape.queryHeads * shape.headDim, kvWidth = shape.kvHeads * shape.headDim;
    tensors.push_back({"model.embed_tokens.weight", {shape.vocabulary, shape.hidden}});
    for (int layer = 0; layer < shape.layers; ++layer) {
        const std::string prefix = "model.layers." + std::to_string(layer) + ".";
        tensors.push_back({prefix + "input_layernorm.weight", {shape.hidden}});
        tensors.push_back({prefix + "self_attn.q_proj.weight", {queryWidth, shape.hidden}});
        tensors.push_back({prefix + "self_attn.k_proj.weight", {kvWidth, shape.hidden}});
        tensors.push_back({prefix + "self_attn.v_proj.weight", {kvWidth, shape.hidden}});
        tensors.push_back({prefix + "self_attn.o_proj.weight", {shape.hidden, queryWidth}});
        tensors.push_back({prefix + "post_attention_layernorm.weight", {shape.hidden}});
        tensors.push_back({prefix + "mlp.gate_proj.weight", {shape.intermediate, shape.hidden}});
        tensors.push_back({prefix + "mlp.up_proj.weight", {shape.intermediate, shape.hidden}});
        tensors.push_back({prefix + "mlp.down_proj.weight", {shape.hidden, shape.intermediate}});
    }
    tensors.push_back({"model.norm.weight", {shape.hidden}});
    tensors.push_back({"lm_head.weight", {shape.vocabulary, shape.hidden}});

    std::mt19937_64 random(shape.seed);
    std::normal_distribution<float> normal;
    nlohmann::ordered_json header;
    std::string data;
    for (const auto &[name, dimensions] : tensors) {
        std::size_t count = 1;
        for (const int size : dimensions)
            count *= static_cast<std::size_t>(size);
        const bool norm = dimensions.size() == 1;
        const float scale = norm ? 0.1f : 1.0f / std::sqrt(static_cast<float>(dimensions.back()));
        const std::size_t begin = data.size();
        for (std::size_t i = 0; i < count; ++i) {
            const float value = (norm ? 1.0f : 0.0f) + scale * normal(random);
            if (shape.dtype == DType::BF16) {
                const std::uint16_t bits = floatToBf16(value);
                data.append(reinterpret_cast<const char *>(&bits), sizeof bits);
            } else {
                data.append(reinterpret_cast<const char *>(&value), sizeof value);
            }
        }
        header[name] = {{"dtype", shape.dtype == DType::BF16 ? "BF16" : "F32"},
                        {"shape", dimensions},
                        {"data_offsets", {begin, data.size()}}};
    }
    std::string text = header.dump();
    text.append((8 - text.size() % 8) % 8, ' ');
    const std::uint64_t size = text.size();
    std::ofstream file(folder / "model.safetensors", std::ios::binary);
    file.write(reinterpret_cast<const char *>(&size), sizeof size);
    file << text << data;
    if (!file.flush())
        throw std::runtime_error("could not write " + folder.string());
    return folder;
}

} // namespace zigzag::test
