// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/model.h"

#include "engine/map/kv_layout.h"
#include "engine/model/resources.h"
#include "tests/model_surgery.h"
#include "tests/tiny_model.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>

namespace zigzag {
namespace {

namespace fs = std::filesystem;

/// $ZIGZAG_RESOURCES for the time of a test.
class Resources
{
public:
    explicit Resources(const fs::path &folder) { ::setenv("ZIGZAG_RESOURCES", folder.c_str(), 1); }
    ~Resources() { ::unsetenv("ZIGZAG_RESOURCES"); }
};

TEST(Model, PresetsHaveTheirPublishedParameters)
{
    const std::map<std::string, std::int64_t> published = {
        {"llama-2-7b", 6'738'415'616},   {"llama-3-8b", 8'030'261'248},     {"llama-3.2-1b", 1'235'814'400},
        {"llama-3-70b", 70'553'706'496}, {"qwen2.5-1.5b", 1'543'714'304},   {"mistral-7b", 7'241'732'096},
        {"qwen3-8b", 8'190'735'360},     {"tinyllama-1.1b", 1'100'048'384}, {"qwen3-30b-a3b", 30'532'122'624},
    };
    const std::vector<std::string> names = presetNames();
    ASSERT_EQ(names.size(), published.size());
    for (const std::string &name : names) {
        const auto config = loadModelConfig("preset:" + name);
        ASSERT_TRUE(config) << config.error().message;
        EXPECT_EQ(config->name, name);
        EXPECT_EQ(config->parameters(), published.at(name)) << name;
        EXPECT_EQ(config->dtype, DType::BF16) << name;
        EXPECT_TRUE(config->notes.empty()) << name << ": " << config->notes.front();
    }
}

TEST(Model, APresetCanHaveItsMatricesInAnotherType)
{
    const auto plain = loadModelConfig("preset:llama-3.2-1b"), four = loadModelConfig("preset:llama-3.2-1b:q4_k"),
               full = loadModelConfig("preset:llama-3.2-1b:f32");
    ASSERT_TRUE(plain && four && full) << four.error().message;
    EXPECT_EQ(four->name, "llama-3.2-1b-q4_k");
    EXPECT_EQ(four->matrixTypes(), std::vector<WeightType>{BlockType::Q4K});
    EXPECT_EQ(four->dtype, DType::BF16);
    EXPECT_EQ(four->kvBytesPerToken(), plain->kvBytesPerToken());
    const std::int64_t vectors = (2 * 16 + 1) * 2048;
    EXPECT_EQ(four->weightBytes(), (four->parameters() - vectors) / 256 * 144 + 2 * vectors);
    EXPECT_EQ(full->weightBytes(), 4 * full->parameters());
    EXPECT_TRUE(readModelConfigText("preset:llama-3.2-1b:q4_k"));
    const auto eight = loadModelConfig("preset:llama-3.2-1b:fp8");
    ASSERT_TRUE(eight) << eight.error().message;
    EXPECT_EQ(eight->dtype, DType::BF16);
    EXPECT_EQ(eight->matrixTypes(), (std::vector<WeightType>{DType::F8, DType::BF16})) << "its embedding is none of a layer's";
    EXPECT_EQ(eight->weightBytes(), eight->parameters() + vectors + std::int64_t{128256} * 2048);
    const auto unknown = loadModelConfig("preset:llama-3.2-1b:q9");
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().message.find("there is no such type of weights; choose from: f32, f16, bf16, fp8, q4_0"),
              std::string::npos)
        << unknown.error().message;

    const test::TempFolder scratch;
    fs::create_directories(scratch / "presets");
    fs::copy_file(resourceFolder() / "presets/llama-3.2-1b.json", scratch / "presets/odd.json");
    test::patchJson(scratch / "presets/odd.json", R"({"intermediate_size": 8224})");
    const Resources resources(scratch.path());
    EXPECT_TRUE(loadModelConfig("preset:odd:q4_0"));
    const auto odd = loadModelConfig("preset:odd:q4_k");
    ASSERT_FALSE(odd);
    EXPECT_NE(odd.error().message.find("a row of 8224 numbers is no whole number of blocks of 256"), std::string::npos)
        << odd.error().message;
}

TEST(Model, KvBytesOfTheContractsExample)
{
    const auto config = loadModelConfig("preset:llama-3-8b");
    ASSERT_TRUE(config);
    const HeadMap full(config->shape(), HeadKind::Retrieval, 64, 256);
    EXPECT_EQ(kvBytes(full, 1'048'576, config->dtype), 137'438'953'472);
    EXPECT_EQ(config->kvBytesPerToken() * 1'048'576, 137'438'953'472);
}

TEST(Model, AFolderIsNamedAfterItselfAndTypedAfterItsWeights)
{
    const test::TempFolder scratch;
    test::TinyModel bf16;
    bf16.dtype = DType::BF16;
    const fs::path folder = test::writeTinyModel(scratch / "tiny", bf16);
    test::patchJson(folder / "config.json", R"({"torch_dtype": "float32"})");
    const auto model = loadModel(folder.string() + "/");
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ((*model)->config.name, "tiny");
    EXPECT_EQ((*model)->config.dtype, DType::BF16);
    EXPECT_EQ((*model)->shape().fingerprint, (*model)->weights.fingerprint);
    ASSERT_TRUE((*model)->tokenizer);
    EXPECT_EQ((*model)->tokenizer->encode("a", true), (std::vector<int>{256, 97}));
    const auto config = loadModelConfig(folder);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->dtype, DType::BF16);
    fs::remove(folder / "tokenizer.json");
    EXPECT_FALSE(loadModel(folder).value()->tokenizer);
}

TEST(Model, BundledModelsAndPresetsComeFromTheResources)
{
    const test::TempFolder scratch;
    test::writeTinyModel(scratch / "models/one");
    fs::create_directories(scratch / "models/no-config");
    fs::create_directories(scratch / "presets");
    fs::copy_file(scratch / "models/one/config.json", scratch / "presets/shape.json");
    const Resources resources(scratch.path());
    EXPECT_EQ(resourceFolder(), scratch.path());
    EXPECT_EQ(bundledNames(), std::vector<std::string>{"one"});
    EXPECT_EQ(presetNames(), std::vector<std::string>{"shape"});
    EXPECT_EQ(loadModel("bundled:one").value()->config.name, "one");
    const auto random = loadModel("preset:shape");
    ASSERT_TRUE(random) << random.error().message;
    EXPECT_TRUE((*random)->weights.fingerprint.empty());
    EXPECT_FALSE((*random)->tokenizer);
    for (const char *name : {"bundled:no-config", "bundled:../models/one", "preset:../models/one/config", "preset:"})
        EXPECT_FALSE(loadModel(name)) << name;
}

/// What plans and predictions need is in config.json; only who runs the model needs its weights.
TEST(Model, AFolderWithOnlyItsConfigHasAShape)
{
    const test::TempFolder scratch;
    const fs::path folder = test::writeTinyModel(scratch / "tiny");
    test::patchJson(folder / "config.json", R"({"torch_dtype": "bfloat16"})");
    fs::remove(folder / "model.safetensors");
    const auto config = loadModelConfig(folder);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->dtype, DType::BF16);
    const auto model = describeModel(folder);
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_TRUE((*model)->weights.fingerprint.empty());
    EXPECT_TRUE((*model)->tokenizer);
    const auto loaded = loadModel(folder);
    ASSERT_FALSE(loaded);
    EXPECT_NE(loaded.error().message.find("model.safetensors"), std::string::npos) << loaded.error().message;

    // The small files of a sharded model, its index among them, are a shape as well; with one shard it is an interrupted
    // download.
    test::writeText(folder / "model.safetensors.index.json",
                    R"({"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}})");
    EXPECT_TRUE(loadModelConfig(folder));
    test::writeText(folder / "model-00002-of-00002.safetensors", "");
    EXPECT_FALSE(loadModelConfig(folder));
}

TEST(Model, ATokenizerThatCannotBeReadIsMissedOnlyByText)
{
    const test::TempFolder scratch;
    const fs::path folder = test::writeTinyModel(scratch / "tiny");
    test::patchJson(folder / "tokenizer.json", R"({"model": {"type": "WordPiece"}})");
    const auto model = loadModel(folder);
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_FALSE((*model)->tokenizer);
    ASSERT_EQ((*model)->config.notes.size(), 1u);
    EXPECT_NE((*model)->config.notes.front().find("WordPiece"), std::string::npos);
    const auto tokenizer = tokenizerOf(**model);
    ASSERT_FALSE(tokenizer);
    EXPECT_NE(tokenizer.error().message.find("WordPiece"), std::string::npos) << tokenizer.error().message;
    fs::remove(folder / "tokenizer.json");
    const auto none = tokenizerOf(**loadModel(folder));
    ASSERT_FALSE(none);
    EXPECT_NE(none.error().message.find("no tokenizer.json"), std::string::npos) << none.error().message;
    EXPECT_TRUE((*loadModel(folder))->config.notes.empty());
}

TEST(Model, AHeadOfItsOwnUntiesTheConfigToo)
{
    const test::TempFolder scratch;
    const fs::path folder = test::writeTinyModel(scratch / "tiny");
    test::patchJson(folder / "config.json", R"({"tie_word_embeddings": true})");
    const auto model = loadModel(folder);
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_FALSE((*model)->config.tiedEmbeddings);
    EXPECT_EQ((*model)->config.notes.size(), 1u);
    EXPECT_FALSE(loadModelConfig(folder)->tiedEmbeddings);
}

} // namespace
} // namespace zigzag
