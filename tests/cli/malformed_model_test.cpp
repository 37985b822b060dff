// SPDX-License-Identifier: GPL-3.0-or-later
// Hostile model folders: `info` and `logits` refuse each with exit code 2 and one line, and write nothing. What only text
// needs is refused by the commands that need text.
#include "tests/cli/run_program.h"
#include "tests/model_surgery.h"
#include "tests/tiny_model.h"

#include <gtest/gtest.h>
#include <set>

namespace zigzag {
namespace {

namespace fs = std::filesystem;
using test::Json;

struct Case {
    std::string name;
    std::function<void(const fs::path &folder)> spoil; ///< of a sound model folder
    std::string says; ///< a part of the error line
};

const std::string weights = "model.safetensors", query = "model.layers.0.self_attn.q_proj.weight",
                  gate = "model.layers.0.mlp.gate_proj.weight";

Case file(std::string name, const std::string &fileName, const std::string &content, std::string says)
{
    return {std::move(name), [=](const fs::path &folder) { test::writeText(folder / fileName, content); }, std::move(says)};
}

Case header(std::string name, const std::function<void(Json &)> &edit, std::string says)
{
    return {std::move(name), [=](const fs::path &folder) { test::editHeader(folder / weights, edit); }, std::move(says)};
}

Case config(std::string name, const std::string &patch, std::string says)
{
    return {std::move(name), [=](const fs::path &folder) { test::patchJson(folder / "config.json", patch); }, std::move(says)};
}

Case tokenizer(std::string name, const std::string &patch, std::string says)
{
    return {std::move(name), [=](const fs::path &folder) { test::patchJson(folder / "tokenizer.json", patch); }, std::move(says)};
}

/// `weight_map` sends the query projection to `shard`, given as JSON, and everything else to one sound file.
Case shards(std::string name, const std::string &shard, std::string says)
{
    return {std::move(name), [=](const fs::path &folder) { test::shardWith(folder, query, shard); }, std::move(says)};
}

Case folderInstead(const std::string &fileName)
{
    return {"a folder instead of " + fileName,
            [=](const fs::path &folder) {
                fs::remove(folder / fileName);
                fs::create_directory(folder / fileName);
            },
            "this is a folder"};
}

std::string headerOfLength(std::uint64_t length, const std::string &rest = "{}")
{
    return std::string(reinterpret_cast<const char *>(&length), sizeof length) + rest;
}

const std::string deep(100'000, '[');

std::vector<Case> weightCases()
{
    const auto set = [](const std::string &tensor, const char *key, const Json &value) {
        return [=](Json &json) { json[tensor][key] = value; };
    };
    const auto resized = [](std::int64_t change) {
        return [=](const fs::path &folder) {
            fs::resize_file(folder / weights,
                            static_cast<std::uintmax_t>(static_cast<std::int64_t>(fs::file_size(folder / weights)) + change));
        };
    };
    return {
        file("no bytes", weights, "", "empty"),
        file("shorter than the length of its header", weights, "1234", "header's length"),
        file("header length 2^60", weights, headerOfLength(1ull << 60), "1152921504606846976"),
        file("header length 2^64 - 1", weights, headerOfLength(~0ull), "18446744073709551615"),
        {"header above the format's limit",
         [](const fs::path &folder) {
             test::writeText(folder / weights, headerOfLength(150'000'000));
             fs::resize_file(folder / weights, 200'000'000); // sparse
         },
         "100000000"},
        file("header is no JSON", weights, headerOfLength(2, "{]"), "not valid JSON"),
        file("header is an array", weights, headerOfLength(2, "[]"), "must be a JSON object"),
        file("header nests deep", weights, headerOfLength(deep.size(), deep), "nest"),
        file("no tensors", weights, headerOfLength(2, "{}"), "is missing"),
        {"data cut by a byte", resized(-1), "truncated"},
        {"cut inside the header", [](const fs::path &folder) { fs::resize_file(folder / weights, 100); }, "truncated"},
        header(
            "two tensors overlap",
            [](Json &json) { json[query]["data_offsets"] = json["model.layers.0.self_attn.o_proj.weight"]["data_offsets"]; },
            "overlap"),
        header("negative offset", set(query, "data_offsets", {-4, 0}), "outside"),
        header("offsets reversed", set(query, "data_offsets", {4096, 0}), "outside"),
        header("offset 2^63", set(query, "data_offsets", {0, 9223372036854775808ull}), "outside"),
        header("three offsets", set(query, "data_offsets", {0, 1, 2}), "two numbers"),
        header("offsets are text", set(query, "data_offsets", "0, 4"), "array"),
        header("foreign type", set(query, "dtype", "F8_E5M2"), "F8_E5M2"),
        header("type is a number", set(query, "dtype", 32), "string"),
        header("another type than its bytes", set(query, "dtype", "BF16"), "does not fill"),
        header("transposed shape", set(gate, "shape", {32, 48}), "config.json implies [48, 32]"),
        header("flat shape", set(gate, "shape", {48 * 32}), "config.json implies"),
        header("shape overflows", set(query, "shape", {1ull << 40, 1ull << 40}), "more elements"),
        header("shape is negative", set(query, "shape", {-32, -32}), "outside"),
        header("shape is fractional", set(query, "shape", {32.5, 32}), "integer"),
        header(
            "tensor is no object", [](Json &json) { json[query] = 1; }, "is missing"),
        header(
            "tensor is missing", [](Json &json) { json.erase(query); }, query),
        {"one matrix of another type",
         [](const fs::path &folder) {
             test::editHeader(folder / weights, [](Json &json) {
                 // Half of the bytes hold the same shape in half precision.
                 const auto begin = json[query]["data_offsets"][0].get<std::int64_t>(),
                            end = json[query]["data_offsets"][1].get<std::int64_t>();
                 json[query] = {{"dtype", "BF16"}, {"shape", json[query]["shape"]}, {"data_offsets", {begin, (begin + end) / 2}}};
             });
         },
         "one type"},
        folderInstead(weights),
        {"a link to nothing",
         [](const fs::path &folder) {
             fs::remove(folder / weights);
             fs::create_symlink("nothing", folder / weights);
         },
         "cannot be read"},
        shards("missing shard", R"("model-00002-of-00002.safetensors")", "model-00002-of-00002.safetensors"),
        shards("shard in the folder above", R"("../other.safetensors")", "not a file name"),
        shards("shard is the folder above", R"("..")", "not a file name"),
        shards("shard with an absolute path", R"("/etc/passwd")", "not a file name"),
        shards("shard is a number", "7", "must be a string"),
        shards("shard without the tensor", R"("empty.safetensors")", "not in its shard"),
        {"empty index",
         [](const fs::path &folder) {
             fs::remove(folder / weights);
             test::writeText(folder / "model.safetensors.index.json", "");
         },
         "empty"},
        {"index without a map",
         [](const fs::path &folder) {
             fs::remove(folder / weights);
             test::writeText(folder / "model.safetensors.index.json", "{}");
         },
         "weight_map"},
    };
}

std::vector<Case> configCases()
{
    return {
        {"no config", [](const fs::path &folder) { fs::remove(folder / "config.json"); }, "config.json"},
        folderInstead("config.json"),
        file("empty config", "config.json", "", "empty"),
        file("config is no JSON", "config.json", "{\"model_type\": ", "not valid JSON"),
        file("config is an array", "config.json", "[1]", "must be a JSON object"),
        file("config nests deep", "config.json", deep, "nest"),
        file("config with invalid UTF-8", "config.json", "{\"model_type\": \"\xff\"}", "not valid JSON"),
        file("config of 2 MB", "config.json", std::string(2 << 20, ' '), "larger than"),
        file("NaN", "config.json", "{\"model_type\": \"llama\", \"hidden_size\": NaN}", "NaN at byte"),
        file("Infinity", "config.json", "{\"model_type\": \"llama\", \"hidden_size\": -Infinity}", "-Infinity at byte"),
        file("1e999", "config.json", "{\"model_type\": \"llama\", \"hidden_size\": 1e999}", "out of range"),
        config("negative layers", R"({"num_hidden_layers": -2})", "num_hidden_layers"),
        config("no layers", R"({"num_hidden_layers": 0})", "num_hidden_layers"),
        config("huge hidden size", R"({"hidden_size": 1000000000000})", "hidden_size"),
        config("vocabulary of 2^64 - 1", R"({"vocab_size": 18446744073709551615})", "vocab_size"),
        config("fractional heads", R"({"num_attention_heads": 4.5})", "integer"),
        config("heads are text", R"({"num_attention_heads": "4"})", "integer"),
        config("size is missing", R"({"intermediate_size": null})", "intermediate_size"),
        config("KV heads do not divide", R"({"num_key_value_heads": 3})", "does not divide"),
        config("odd head dimension", R"({"head_dim": 7})", "even"),
        config("heads do not divide the width", R"({"head_dim": null, "num_attention_heads": 6, "num_key_value_heads": 2})",
               "head_dim"),
        config("negative epsilon", R"({"rms_norm_eps": -1})", "rms_norm_eps"),
        config("theta is zero", R"({"rope_theta": 0})", "rope_theta"),
        config("unknown family", R"({"model_type": "mamba"})", "mamba"),
        config("no family", R"({"model_type": null})", "model_type"),
        config("another activation", R"({"hidden_act": "gelu"})", "gelu"),
        config("unknown rotary embedding", R"({"rope_scaling": {"rope_type": "spiral", "factor": 2}})", "spiral"),
        config("dynamic rotary embedding without a factor", R"({"rope_scaling": {"rope_type": "dynamic"}})", "factor"),
        config("text part that is no object", R"({"text_config": [1]})", "text_config"),
        config("text part of another kind", R"({"text_config": {"model_type": "qwen3"}})", "text_config"),
        config("rotary embedding without factor", R"({"rope_scaling": {"type": "linear"}})", "factor"),
        config("rotary embedding of text", R"({"rope_scaling": "linear"})", "rope_scaling"),
        config("rotary embedding per layer type", R"({"rope_parameters": {"full_attention": {"rope_type": "default"}}})",
               "full_attention"),
        config("negative factor", R"({"rope_scaling": {"type": "linear", "factor": -1}})", "factor"),
        config("a window of no length", R"({"model_type": "mistral", "sliding_window": 0})", "sliding_window"),
        config("layers of Qwen of another kind",
               R"({"model_type": "qwen3", "use_sliding_window": true, "layer_types": ["chunked_attention", "full_attention"]})",
               "chunked_attention"),
        config("attention both ways", R"({"is_causal": false})", "is_causal"),
        config("chunks of attention", R"({"dual_chunk_attention_config": {"chunk_size": 64}})", "dual_chunk_attention_config"),
        config("code of its own", R"({"auto_map": {"AutoModel": "modeling.Mine"}})", "auto_map"),
        config("scaled logits", R"({"logits_scaling": 8.0})", "logits_scaling"),
        config("windowed layers", R"({"layer_types": ["full_attention", "sliding_attention"]})", "sliding_attention"),
        config("quantized", R"({"quantization_config": {"bits": 4}})", "quantization_config"),
        config("quantized to FP8 without scales",
               R"({"quantization_config": {"quant_method": "fp8", "weight_block_size": [0, 1]}})", "a size of a block"),
        config("a cache of more bytes than can be counted",
               R"({"num_hidden_layers": 1024, "num_attention_heads": 4096, "num_key_value_heads": 4096, "head_dim": 1024})",
               "keys of 4294967296 numbers"),
        config("foreign type", R"({"torch_dtype": "int8"})", "int8"),
        config("end token is negative", R"({"eos_token_id": [2, -1]})", "eos_token_id"),
        config("end token is text", R"({"eos_token_id": "</s>"})", "eos_token_id"),
        config("more layers than weights", R"({"num_hidden_layers": 3})", "model.layers.2"),
        config("another width than the weights'", R"({"intermediate_size": 64})", "config.json implies"),
        config("another vocabulary than the weights'", R"({"vocab_size": 300})", "config.json implies"),
        config("another family than the weights'", R"({"model_type": "qwen3"})", "q_norm"),
        config("biases that the weights lack", R"({"attention_bias": true})", "q_proj.bias"),
    };
}

std::vector<Case> tokenizerCases()
{
    return {
        folderInstead("tokenizer.json"),
        file("empty tokenizer", "tokenizer.json", "", "empty"),
        file("tokenizer nests deep", "tokenizer.json", deep, "nest"),
        file("tokenizer is a number", "tokenizer.json", "1", "model"),
        tokenizer("another tokenizer model", R"({"model": {"type": "WordPiece"}})", "WordPiece"),
        tokenizer("vocabulary is an array", R"({"model": {"vocab": ["a"]}})", "vocab"),
        tokenizer("negative id", R"({"model": {"vocab": {"a": -1}}})", "id"),
        tokenizer("huge id", R"({"model": {"vocab": {"a": 4000000000}}})", "id"),
        tokenizer("merge of unknown tokens", R"({"model": {"merges": ["a b"]}})", "lacks"),
        tokenizer("merge of three", R"({"model": {"merges": [["a", "b", "c"]]}})", "pair"),
        tokenizer("merge of one", R"({"model": {"merges": ["ab"]}})", "pair"),
        tokenizer("random merges", R"({"model": {"dropout": 0.1}})", "dropout"),
        tokenizer("broken expression",
                  R"({"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(["}, "behavior": "Isolated"}})",
                  "regular expression"),
        tokenizer("unknown pre-tokenizer", R"({"pre_tokenizer": {"type": "BertPreTokenizer"}})", "BertPreTokenizer"),
        tokenizer("a space of many characters", R"({"pre_tokenizer": {"type": "Metaspace", "replacement": "____"}})",
                  "one character"),
        tokenizer("unknown normalizer", R"({"normalizer": {"type": "Lowercase"}})", "Lowercase"),
        tokenizer("endless replacement", R"({"normalizer": {"type": "Replace", "pattern": {"String": ""}, "content": "a"}})",
                  "no end"),
        tokenizer("template of an unknown token", R"({"post_processor": {"special_tokens": {"<|begin|>": null}}})", "<|begin|>"),
        tokenizer("added token without id", R"({"added_tokens": [{"content": "x"}]})", "id"),
        tokenizer("single words", R"({"added_tokens": [{"id": 1, "content": "x", "single_word": true}]})", "single_word"),
    };
}

std::set<std::string> everythingIn(const fs::path &folder)
{
    std::set<std::string> paths;
    for (const auto &entry : fs::recursive_directory_iterator(folder))
        paths.insert(entry.path().string());
    return paths;
}

void expectAllRefused(const std::vector<Case> &cases)
{
    const test::TempFolder scratch;
    test::writeText(scratch / "tokens", "1 2 3");
    for (const Case &spoiled : cases) {
        SCOPED_TRACE(spoiled.name);
        const fs::path folder = test::writeTinyModel(scratch / "model");
        spoiled.spoil(folder);
        const auto before = everythingIn(scratch.path());
        const auto info = test::runZigzag({"info", folder});
        EXPECT_EQ(test::refusalFault(info, 2), "");
        EXPECT_NE(info.errors.find(spoiled.says), std::string::npos) << info.errors;
        const auto logits = test::runZigzag({"logits", folder, "--tokens", scratch / "tokens", "--out", scratch / "out.npy"});
        EXPECT_EQ(test::refusalFault(logits, 2), "");
        EXPECT_EQ(everythingIn(scratch.path()), before);
        fs::remove_all(folder);
    }
}

TEST(MalformedModel, SpoiledWeightsAreRefused)
{
    expectAllRefused(weightCases());
}

TEST(MalformedModel, SpoiledConfigsAreRefused)
{
    expectAllRefused(configCases());
}

/// A command that needs no text does without, and says why; one that needs it names the reason as its error.
TEST(MalformedModel, SpoiledTokenizersAreMissedOnlyByText)
{
    const test::TempFolder scratch;
    test::writeText(scratch / "tokens", "1 2 3");
    for (const Case &spoiled : tokenizerCases()) {
        SCOPED_TRACE(spoiled.name);
        const fs::path folder = test::writeTinyModel(scratch / "model");
        spoiled.spoil(folder);
        const auto logits = test::runZigzag({"logits", folder, "--tokens", scratch / "tokens", "--out", scratch / "out.npy"});
        EXPECT_EQ(logits.code, 0) << logits.errors;
        const auto info = test::runZigzag({"info", folder});
        EXPECT_EQ(info.code, 0) << info.errors;
        for (const auto &result : {logits, info}) {
            const std::size_t note = result.errors.find("note: ");
            ASSERT_NE(note, std::string::npos) << result.errors;
            EXPECT_NE(result.errors.find(spoiled.says, note), std::string::npos) << result.errors;
            EXPECT_EQ(result.errors.find("note: ", note + 1), std::string::npos) << "said twice: " << result.errors;
        }
        for (const std::vector<std::string> &command :
             {std::vector<std::string>{"generate", folder, "--prompt", "a"},
              {"eval", folder, "--map", "full", "--task", "needle", "--contexts", "256"},
              {"eval", folder, "--map", "full", "--task", "distill", "--contexts", "256"}}) {
            const auto text = test::runZigzag(command);
            EXPECT_EQ(text.code, 2) << text.errors;
            const std::size_t error = text.errors.find("error: ");
            ASSERT_NE(error, std::string::npos) << text.errors;
            EXPECT_NE(text.errors.find(spoiled.says, error), std::string::npos) << text.errors;
        }
        fs::remove_all(folder);
    }
}

/// What needs weights says that they are missing; what needs a shape has it.
TEST(MalformedModel, AFolderWithOnlyItsConfigIsAShapeAndNoModel)
{
    const test::TempFolder scratch;
    const fs::path folder = test::writeTinyModel(scratch / "model");
    fs::remove(folder / weights);
    test::writeText(scratch / "tokens", "1 2 3");
    for (const std::vector<std::string> &command :
         {std::vector<std::string>{"logits", folder, "--tokens", scratch / "tokens", "--out", scratch / "out.npy"},
          {"generate", folder, "--prompt", "a"},
          {"bench", folder, "--map", "full", "--contexts", "16"},
          {"predict", folder, "--map", "full", "--contexts", "16"}}) {
        const auto result = test::runZigzag(command);
        EXPECT_EQ(test::refusalFault(result, 2), "") << command.front();
        EXPECT_NE(result.errors.find("download"), std::string::npos) << result.errors;
    }
}

TEST(MalformedModel, FilesWithoutPermissionAreRefused)
{
    const test::TempFolder scratch;
    const fs::path folder = test::writeTinyModel(scratch / "model");
    fs::permissions(scratch.path(), fs::perms(0755));
    for (const char *name : {"config.json", "model.safetensors", "tokenizer.json"}) {
        const fs::path target = folder / name;
        fs::permissions(target, fs::perms::none);
        const auto result = test::runZigzag({"info", folder}, {.asNobody = true});
        if (target.filename() == "tokenizer.json")
            EXPECT_EQ(result.code, 0) << result.errors; // a note: info reads no text
        else
            EXPECT_EQ(test::refusalFault(result, 2), "") << name;
        EXPECT_NE(result.errors.find(target.string()), std::string::npos) << result.errors;
        EXPECT_NE(result.errors.find("ermission"), std::string::npos) << result.errors;
        fs::permissions(target, fs::perms(0644));
    }
    EXPECT_EQ(test::runZigzag({"info", folder}, {.asNobody = true}).code, 0);
}

} // namespace
} // namespace zigzag
