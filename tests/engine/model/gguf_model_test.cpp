// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/gguf/gguf_config.h"
#include "engine/model/model.h"
#include "tests/gguf_builder.h"
#include "tests/paths.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

namespace fs = std::filesystem;
using test::GgufBuilder;

const fs::path fixtures = fs::path(test::sourceDir()) / "tests/fixtures/gguf";

std::string fixture(const std::string &name)
{
    return (fixtures / (name + ".gguf")).string();
}

std::shared_ptr<const Model> load(const std::string &name)
{
    auto model = loadModel(name);
    EXPECT_TRUE(model) << (model ? "" : model.error().message);
    return model ? *model : std::make_shared<Model>();
}

/// Metadata of a llama of one layer, without the keys that `without` names.
GgufBuilder llama(const std::string &without = {})
{
    GgufBuilder builder;
    const auto add = [&](const std::string &key, std::uint32_t value) {
        if (key != without)
            builder.u32("llama." + key, value);
    };
    builder.text("general.architecture", "llama");
    add("block_count", 1);
    add("context_length", 4096);
    add("embedding_length", 64);
    add("feed_forward_length", 96);
    add("attention.head_count", 4);
    add("vocab_size", 10);
    if (without != "attention.layer_norm_rms_epsilon")
        builder.f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    return builder;
}

Result<ModelConfig> configOf(const GgufBuilder &builder)
{
    const test::TempFolder scratch;
    auto file = GgufFile::open(builder.write(scratch / "Tiny-Q4_K.gguf"));
    if (!file)
        return tl::unexpected(file.error());
    return readGgufConfig(*file);
}

std::string messageOf(const GgufBuilder &builder)
{
    const auto config = configOf(builder);
    return config ? "accepted" : config.error().message;
}

TEST(GgufConfig, MetadataIsAConfig)
{
    GgufBuilder builder = llama();
    builder.u32("llama.attention.head_count_kv", 2).f32("llama.rope.freq_base", 500000).u32("llama.rope.dimension_count", 16);
    builder.text("general.name", "whatever").u32("tokenizer.ggml.eos_token_id", 7);
    const auto config = configOf(builder);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->name, "Tiny-Q4_K");
    EXPECT_TRUE(config->is("llama"));
    EXPECT_EQ(config->layers, 1);
    EXPECT_EQ(config->kvHeads, 2);
    EXPECT_EQ(config->headDim, 16);
    EXPECT_EQ(config->vocabulary, 10);
    EXPECT_EQ(config->maxContext, 4096);
    EXPECT_EQ(config->normEpsilon, 1e-5);
    EXPECT_EQ(config->rope.theta, 500000);
    EXPECT_EQ(config->rope.type, RopeType::Default);
    EXPECT_TRUE(config->tiedEmbeddings);
    EXPECT_EQ(config->endTokens, std::vector<int>{7});
    EXPECT_TRUE(config->notes.empty()) << config->notes.front();
}

TEST(GgufConfig, WhatItCannotRunIsRefusedByName)
{
    const auto refused = [](const std::function<void(GgufBuilder &)> &spoil) {
        GgufBuilder builder = llama();
        spoil(builder);
        return messageOf(builder);
    };
    GgufBuilder other;
    other.text("general.architecture", "mamba");
    EXPECT_NE(messageOf(other).find("\"mamba\" is not supported; use a model of one of these: "), std::string::npos);
    EXPECT_NE(messageOf(GgufBuilder()).find("there is no general.architecture"), std::string::npos);
    for (const char *key : {"block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count",
                            "attention.layer_norm_rms_epsilon", "vocab_size"})
        EXPECT_NE(messageOf(llama(key)).find(std::string("there is no llama.") + key), std::string::npos) << key;
    EXPECT_NE(refused([](auto &b) { b.u32("llama.expert_count", 8); }).find("llama.expert_count is 8"), std::string::npos);
    EXPECT_NE(refused([](auto &b) { b.f32("llama.logit_scale", 0.5f); }).find("llama.logit_scale is 0.5"), std::string::npos);
    EXPECT_NE(refused([](auto &b) { b.flag("llama.attention.causal", false); }).find("causal is 0"), std::string::npos);
    EXPECT_NE(refused([](auto &b) { b.u32("llama.rope.dimension_count", 8); }).find("dimension_count is 8, but keys are 16"),
              std::string::npos);
    EXPECT_NE(refused([](auto &b) { b.u32("llama.attention.value_length", 8); }).find("value_length is 8"), std::string::npos);
    EXPECT_NE(refused([](auto &b) { b.text("llama.rope.scaling.type", "longrope"); }).find("\"longrope\" is not supported"),
              std::string::npos);
    EXPECT_NE(refused([](auto &b) { b.u32("llama.attention.head_count_kv", 3); }).find("does not divide"), std::string::npos);
    EXPECT_NE(refused([](auto &b) { b.text("llama.attention.key_length", "x"); }).find("must be an integer"), std::string::npos);
}

TEST(GgufConfig, KeysThatNobodyKnowsAreNoted)
{
    GgufBuilder builder = llama();
    builder.u32("llama.wibble", 1).u32("llama.attention.sliding_window", 512).f32("llama.logit_scale", 1);
    const auto config = configOf(builder);
    ASSERT_TRUE(config) << config.error().message;
    ASSERT_EQ(config->notes.size(), 2u);
    EXPECT_NE(config->notes[0].find("not used: llama.wibble"), std::string::npos);
    EXPECT_NE(config->notes[1].find("llama.attention.sliding_window 512 is not used"), std::string::npos);
}

/// The factors that the converter of llama.cpp writes for Llama 3.1: their formula is found again.
TEST(GgufConfig, FactorsOfLlama3AreRead)
{
    struct Case {
        double factor, low, high, original, theta;
        int headDim;
    };
    for (const Case &each :
         {Case{8, 1, 4, 8192, 500000, 128}, Case{32, 1, 4, 8192, 500000, 64}, Case{4, 2, 6, 3000, 10000, 96}}) {
        std::string factors;
        std::vector<double> expected;
        for (int i = 0; i < each.headDim / 2; ++i) {
            const double wavelength = 2 * std::acos(-1.0) * std::pow(each.theta, 2.0 * i / each.headDim);
            const double smooth = (each.original / wavelength - each.low) / (each.high - each.low);
            expected.push_back(wavelength < each.original / each.high      ? 1
                                   : wavelength > each.original / each.low ? each.factor
                                                                           : 1 / ((1 - smooth) / each.factor + smooth));
            factors += GgufBuilder::bytes(static_cast<float>(expected.back()));
        }
        GgufBuilder builder = llama("attention.head_count");
        builder.u32("llama.attention.head_count", 1).u32("llama.attention.key_length", static_cast<std::uint32_t>(each.headDim));
        builder.f32("llama.rope.freq_base", static_cast<float>(each.theta));
        builder.tensor("rope_freqs.weight", {static_cast<std::uint64_t>(each.headDim / 2)}, 0, factors);
        const auto config = configOf(builder);
        ASSERT_TRUE(config) << config.error().message;
        EXPECT_EQ(config->rope.type, RopeType::Llama3);
        EXPECT_EQ(config->rope.factor, each.factor);
        EXPECT_NEAR(config->rope.highFrequencyFactor / config->rope.lowFrequencyFactor, each.high / each.low, 1e-3);
        EXPECT_NEAR(config->rope.originalContext / config->rope.lowFrequencyFactor, each.original / each.low, 1);
    }
    GgufBuilder other = llama();
    std::string factors;
    for (const float factor : {1.f, 3.f, 2.f, 4.f, 1.f, 4.f, 1.f, 2.f})
        factors += GgufBuilder::bytes(factor);
    other.tensor("rope_freqs.weight", {8}, 0, factors);
    EXPECT_NE(messageOf(other).find("factors that are not Llama 3's"), std::string::npos);
}

/// Metadata of a model of another architecture, as the converter of llama.cpp writes it.
GgufBuilder metadataOf(const std::string &architecture, std::uint32_t layers)
{
    GgufBuilder builder;
    const auto add = [&](const std::string &key, std::uint32_t value) { builder.u32(architecture + "." + key, value); };
    builder.text("general.architecture", architecture);
    add("block_count", layers);
    add("context_length", 4096);
    add("embedding_length", 64);
    add("feed_forward_length", 96);
    add("attention.head_count", 4);
    add("attention.head_count_kv", 2);
    add("vocab_size", 10);
    builder.f32(architecture + ".attention.layer_norm_rms_epsilon", 1e-6f);
    return builder;
}

TEST(GgufConfig, Gemma3SaysLittleOfItsLayers)
{
    using Windows = std::vector<std::int64_t>;
    GgufBuilder usual = metadataOf("gemma3", 7);
    usual.u32("gemma3.attention.key_length", 32)
        .u32("gemma3.attention.value_length", 32)
        .u32("gemma3.attention.sliding_window", 512);
    usual.f32("gemma3.rope.freq_base", 1e6f).text("gemma3.rope.scaling.type", "linear").f32("gemma3.rope.scaling.factor", 8);
    const auto config = configOf(usual);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->fileWindows, Windows({512, 512, 512, 512, 512, 0, 512}));
    EXPECT_EQ(config->rope.factor, 8);
    EXPECT_EQ(config->localRope.type, RopeType::Default);
    EXPECT_EQ(config->localRope.theta, 10000);
    EXPECT_EQ(config->activation, GatedActivation::GeluTanh);
    EXPECT_NEAR(config->scoreScale, 1 / std::sqrt(32.0), 1e-12);
    EXPECT_FALSE(config->normAddsOne) << "its files hold the weights of norms whole";
    EXPECT_EQ(config->embeddingFactor(), 8.0f);
    // Of the one with 62 layers the scores are scaled by hidden size / heads.
    GgufBuilder largest = metadataOf("gemma3", 62);
    largest.u32("gemma3.attention.key_length", 32).u32("gemma3.attention.sliding_window", 512);
    EXPECT_NEAR(configOf(largest)->scoreScale, 0.25, 1e-12);
    // A pattern of its own, as a number; and no window at all.
    GgufBuilder other = metadataOf("gemma3", 4);
    other.u32("gemma3.attention.sliding_window", 64).u32("gemma3.attention.sliding_window_pattern", 2);
    other.f32("gemma3.rope.freq_base_swa", 500).f32("gemma3.final_logit_softcapping", 30);
    const auto second = configOf(other);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(second->fileWindows, Windows({64, 0, 64, 0}));
    EXPECT_EQ(second->localRope.theta, 500);
    EXPECT_EQ(second->logitCap, 30);
    const auto plain = configOf(metadataOf("gemma3", 3));
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_TRUE(plain->fileWindows.empty());
    EXPECT_EQ(plain->layerRopes, std::vector<LayerRope>(3, LayerRope::Main));
    GgufBuilder wrong = metadataOf("gemma3", 3);
    wrong.text("gemma3.attention.sliding_window_pattern", "all");
    EXPECT_NE(messageOf(wrong).find("sliding_window_pattern in its metadata must be an integer"), std::string::npos);
}

TEST(GgufConfig, Phi3KeepsItsFactorsInTensors)
{
    const auto phi3 = [](std::uint64_t shorter, std::uint64_t longer, float first = 1) {
        GgufBuilder builder = metadataOf("phi3", 2);
        builder.u32("phi3.rope.dimension_count", 12).u32("phi3.rope.scaling.original_context_length", 1024);
        builder.u32("phi3.attention.sliding_window", 0).f32("phi3.rope.scaling.attn_factor", 1.19f);
        for (const auto &[name, count] : {std::pair("short", shorter), std::pair("long", longer)}) {
            std::string factors;
            for (std::uint64_t i = 0; i < count; ++i)
                factors += GgufBuilder::bytes(first + static_cast<float>(i));
            if (count > 0)
                builder.tensor(std::string("rope_factors_") + name + ".weight", {count}, 0, factors);
        }
        return builder;
    };
    const auto config = configOf(phi3(6, 6));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->rotated(), 12);
    EXPECT_EQ(config->rope.type, RopeType::LongRope);
    EXPECT_EQ(config->rope.longFactors, (std::vector<double>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(config->rope.originalContext, 1024);
    EXPECT_EQ(config->rope.attentionFactor, 1.19);
    EXPECT_TRUE(config->fileWindows.empty());
    EXPECT_NE(messageOf(phi3(6, 5)).find("should be 6 numbers of type F32"), std::string::npos);
    EXPECT_NE(messageOf(phi3(6, 0)).find("go together"), std::string::npos);
    EXPECT_NE(messageOf(phi3(6, 6, -1)).find("numbers above 0"), std::string::npos);
    EXPECT_NE(messageOf(phi3(6, 6, NAN)).find("numbers above 0"), std::string::npos);
    // A window of the file's own is the model's, in all layers.
    GgufBuilder windowed = metadataOf("phi3", 2);
    windowed.u32("phi3.attention.sliding_window", 2047);
    EXPECT_EQ(configOf(windowed)->fileWindows, (std::vector<std::int64_t>{2047, 2047}));
    // A third of a head is no round part of it, and its numbers are as many as the file says.
    for (const std::uint32_t rotated : {2u, 4u, 6u, 10u, 14u}) {
        GgufBuilder part = metadataOf("phi3", 2);
        part.u32("phi3.rope.dimension_count", rotated);
        EXPECT_EQ(configOf(part)->rotated(), static_cast<int>(rotated));
    }
}

/// Whether an address lies in a mapping of the file.
bool isMapped(const std::byte *address, const std::string &file)
{
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        const auto place = reinterpret_cast<std::uintptr_t>(address);
        std::size_t end = 0;
        const std::uintptr_t first = std::stoull(line, &end, 16), last = std::stoull(line.substr(end + 1), nullptr, 16);
        if (place >= first && place < last)
            return line.ends_with(fs::path(file).filename().string());
    }
    return false;
}

TEST(GgufModel, MatricesLieInTheFileAsTheyAreStored)
{
    const auto plain = load(fixture("qwen2-f32")), rounded = load(fixture("qwen2-q4_0"));
    EXPECT_EQ(plain->config.dtype, DType::F32);
    EXPECT_TRUE(plain->config.notes.size() == 1 && plain->config.notes[0].find("no tokenizer") != std::string::npos);
    EXPECT_EQ(rounded->config.dtype, DType::BF16);
    EXPECT_EQ(rounded->weights.layers.at(1)[WeightId::QueryBias].type, DType::F32);
    EXPECT_EQ(rounded->config.rope.type, RopeType::Yarn);
    const std::vector<WeightType> types = rounded->config.matrixTypes();
    for (const WeightType type : {WeightType(BlockType::Q40), WeightType(BlockType::Q50), WeightType(DType::F16)})
        EXPECT_NE(std::find(types.begin(), types.end(), type), types.end()) << nameOf(type);
    for (const WeightId id : {WeightId::Query, WeightId::Key, WeightId::Output, WeightId::Gate, WeightId::Down}) {
        const TensorView &view = rounded->weights.layers.at(1)[id];
        EXPECT_EQ(view.type, rounded->config.weightType(1, id));
        EXPECT_TRUE(isMapped(view.data, fixture("qwen2-q4_0")));
    }
    EXPECT_EQ(rounded->config.notes.size(), 1u) << "that it has no tokenizer, and nothing else";
}

/// Rows of queries and keys that turn together are neighbours in these files: they stay where they are, and so turn.
TEST(GgufModel, QueriesAndKeysOfLlamaAndGraniteLieInTheFileToo)
{
    for (const char *name : {"llama-f32", "llama-f16", "llama-bf16", "llama-q8_0", "granite-f32", "granite-q5_0"}) {
        SCOPED_TRACE(name);
        const auto model = load(fixture(name));
        EXPECT_TRUE(model->config.interleavedRope);
        for (const LayerWeights &layer : model->weights.layers)
            for (const WeightId id : {WeightId::Query, WeightId::Key, WeightId::Value, WeightId::Output, WeightId::Down})
                EXPECT_TRUE(isMapped(layer[id].data, fixture(name)));
    }
    const auto model = load(fixture("llama-q8_0"));
    const auto file = GgufFile::open(fixture("llama-q8_0"));
    ASSERT_TRUE(file);
    const TensorView &queries = model->weights.layers.at(0)[WeightId::Query];
    const GgufTensor *stored = file->findTensor("blk.0.attn_q.weight");
    ASSERT_TRUE(stored);
    EXPECT_EQ(queries.type, BlockType::Q80);
    EXPECT_EQ(std::memcmp(queries.data, stored->data, static_cast<std::size_t>(queries.bytes())), 0);
    EXPECT_FALSE(load(fixture("qwen2-f32"))->config.interleavedRope);
}

TEST(GgufModel, BytesAreThoseOfTheFile)
{
    int files = 0;
    for (const fs::directory_entry &entry : fs::directory_iterator(fixtures)) {
        const std::string name = entry.path().filename().string();
        if (entry.path().extension() != ".gguf" || name == "blocks.gguf")
            continue;
        SCOPED_TRACE(name);
        const auto file = GgufFile::open(entry.path());
        ASSERT_TRUE(file) << file.error().message;
        std::int64_t bytes = file->tensorBytes();
        for (const char *factors : {"rope_freqs.weight", "rope_factors_short.weight", "rope_factors_long.weight"})
            if (const GgufTensor *tensor = file->findTensor(factors)) // of the rotation, not weights
                bytes -= static_cast<std::int64_t>(tensor->bytes);
        EXPECT_EQ(load(entry.path())->config.weightBytes(), bytes);
        const auto described = loadModelConfig(entry.path());
        EXPECT_EQ(described->weightBytes(), bytes);
        ++files;
    }
    EXPECT_GE(files, 15);
}

TEST(GgufModel, MatricesAreDecodedWhereThatIsAskedFor)
{
    const test::Environment asked("ZIGZAG_GGUF_TYPE", "f32");
    const auto model = load(fixture("qwen2-q4_0"));
    EXPECT_EQ(model->config.dtype, DType::F32);
    EXPECT_EQ(model->config.matrixTypes(), std::vector<WeightType>{DType::F32});
    EXPECT_EQ(model->weights.layers.at(1)[WeightId::Query].type, DType::F32);
    ASSERT_FALSE(model->config.notes.empty());
    EXPECT_NE(model->config.notes[0].find("matrices of type F16, Q4_0, Q5_0 are decoded to f32"), std::string::npos)
        << model->config.notes[0];
}

TEST(GgufModel, ItsConfigNeedsNoWeights)
{
    const auto described = describeModel(fixture("llama-q8_0"));
    ASSERT_TRUE(described) << described.error().message;
    EXPECT_FALSE((*described)->weights.embedding);
    EXPECT_EQ((*described)->weights.fingerprint, load(fixture("llama-q8_0"))->weights.fingerprint);
    EXPECT_EQ((*described)->weights.fingerprint.size(), 7u + 64u);
    EXPECT_NE((*described)->weights.fingerprint, load(fixture("llama-f32"))->weights.fingerprint);
    EXPECT_EQ(loadModelConfig(fixture("llama-q8_0"))->rope.type, RopeType::Llama3);
    const auto text = readModelConfigText(fixture("llama-q8_0"));
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_EQ(parseModelConfig(*text, "config.json")->rope.factor, 8);
}

TEST(GgufModel, AsksForAGgufFileWhereAFolderHasOnlyThose)
{
    const test::TempFolder scratch;
    fs::copy_file(fixture("llama-f32"), scratch / "b.gguf");
    const auto refused = loadModel(scratch.path().string());
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("give one of them as the model: b.gguf"), std::string::npos);
    test::writeText(scratch / "map.json", "{}");
    const auto other = loadModel((scratch / "map.json").string());
    ASSERT_FALSE(other);
    EXPECT_NE(other.error().message.find("or a GGUF file, and this is"), std::string::npos) << other.error().message;
}

TEST(GgufModel, AFileThatEndsBeforeItsTensorsIsDescribedAndNotRun)
{
    const test::TempFolder scratch;
    const auto cut = scratch / "cut.gguf";
    const auto whole = loadModelConfig(fixture("llama-q8_0"));
    ASSERT_TRUE(whole) << whole.error().message;
    ASSERT_TRUE(*hasWeights(fixture("llama-q8_0")));
    fs::copy_file(fixture("llama-q8_0"), cut);
    fs::resize_file(cut, fs::file_size(cut) - 1000);
    const auto described = loadModelConfig(cut.string());
    ASSERT_TRUE(described) << described.error().message;
    EXPECT_EQ(described->layers, whole->layers);
    EXPECT_EQ(described->weightBytes(), whole->weightBytes()) << "the types of what is missing are in front of it";
    ASSERT_FALSE(described->notes.empty());
    EXPECT_NE(described->notes.back().find("ends before the data of"), std::string::npos) << described->notes.back();
    EXPECT_FALSE(*hasWeights(cut.string()));
    EXPECT_TRUE(readModelConfigText(cut.string()));
    const auto run = loadModel(cut.string());
    ASSERT_FALSE(run);
    EXPECT_NE(run.error().message.find("truncated"), std::string::npos) << run.error().message;
    fs::resize_file(cut, 200); // within the metadata: nothing is known then
    EXPECT_FALSE(loadModelConfig(cut.string()));
    EXPECT_FALSE(hasWeights(cut.string()));
}

TEST(GgufModel, TensorsThatDoNotFitAreNamed)
{
    const test::TempFolder scratch;
    const auto messageFor = [&](const GgufBuilder &builder) {
        const auto model = loadModelConfig(builder.write(scratch / "a.gguf").string());
        return model ? std::string("loaded") : model.error().message;
    };
    EXPECT_NE(messageFor(llama()).find("tensor \"token_embd.weight\" is missing"), std::string::npos);
    GgufBuilder shape = llama();
    shape.tensor("token_embd.weight", {64, 9}, 0, std::string(64 * 9 * 4, '\0'));
    EXPECT_NE(messageFor(shape).find("has shape [9, 64], but the metadata implies [10, 64]"), std::string::npos);
    GgufBuilder type = llama();
    type.tensor("token_embd.weight", {64, 10}, 18, "");
    EXPECT_NE(messageFor(type).find("has type IQ3_XXS, which is not read"), std::string::npos);
}

} // namespace
} // namespace zigzag
