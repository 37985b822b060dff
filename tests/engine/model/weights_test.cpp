// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/weights.h"

#include "engine/base/files.h"
#include "tests/model_surgery.h"
#include "tests/tiny_model.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

namespace fs = std::filesystem;
using test::Json;

const std::string file = "model.safetensors", query = "model.layers.1.self_attn.q_proj.weight";

ModelConfig configOf(const fs::path &folder)
{
    return parseModelConfig(test::readText(folder / "config.json"), "config.json").value();
}

Weights load(const fs::path &folder)
{
    auto weights = loadWeights(folder, configOf(folder));
    EXPECT_TRUE(weights) << (weights ? "" : weights.error().message);
    return std::move(*weights);
}

bool isAligned(const TensorView &view)
{
    return reinterpret_cast<std::uintptr_t>(view.data) % static_cast<std::uintptr_t>(view.type.blockBytes()) == 0;
}

TEST(Weights, ViewsHoldWhatTheFileHolds)
{
    const test::TempFolder scratch;
    const fs::path folder = test::writeTinyModel(scratch / "model");
    const Weights weights = load(folder);
    ASSERT_EQ(weights.layers.size(), 2u);
    const TensorView &view = weights.layers[1][WeightId::Query];
    EXPECT_EQ(view.rows, 32);
    EXPECT_EQ(view.columns, 32);
    const std::string content = test::readText(folder / file);
    std::uint64_t length = 0;
    std::memcpy(&length, content.data(), sizeof length);
    const Json header = Json::parse(content.substr(8, length));
    const auto begin = header[query]["data_offsets"][0].get<std::size_t>();
    EXPECT_EQ(std::memcmp(view.data, content.data() + 8 + length + begin, static_cast<std::size_t>(view.bytes())), 0);
    EXPECT_EQ(weights.layers[0][WeightId::InputNorm].columns, 1);
    EXPECT_FALSE(weights.layers[0][WeightId::QueryBias]);
    EXPECT_FALSE(weights.layers[0][WeightId::QueryNorm]);
}

TEST(Weights, TheFingerprintSpeaksOfTheTensorsAndNotOfTheirFiles)
{
    const test::TempFolder scratch;
    const std::string original = load(test::writeTinyModel(scratch / "a")).fingerprint;
    EXPECT_EQ(original.rfind("sha256:", 0), 0u);
    EXPECT_EQ(original.size(), 7u + 64u);

    // A header of another length leaves the data unaligned, which costs a copy and nothing else.
    for (int extra = 1; extra < 4; ++extra) {
        const fs::path shifted = test::writeTinyModel(scratch / "b");
        test::editHeader(shifted / file, [&](Json &header) {
            header["__metadata__"] = {{"format", "pt"}, {"note", ""}};
            const std::size_t length = header.dump().size();
            header["__metadata__"]["note"] = std::string(8 - length % 8 + static_cast<std::size_t>(extra), 'x');
        });
        const Weights weights = load(shifted);
        EXPECT_EQ(weights.fingerprint, original);
        EXPECT_TRUE(isAligned(weights.embedding));
        EXPECT_TRUE(isAligned(weights.layers[1][WeightId::Down]));
    }

    const fs::path sharded = test::writeTinyModel(scratch / "c");
    test::shardWith(sharded, query, R"("model-00002-of-00002.safetensors")");
    fs::copy_file(sharded / "model-00001-of-00002.safetensors", sharded / "model-00002-of-00002.safetensors");
    EXPECT_EQ(load(sharded).fingerprint, original);

    const fs::path changed = test::writeTinyModel(scratch / "d");
    std::string content = test::readText(changed / file);
    content.back() = static_cast<char>(content.back() ^ 1); // the end of the last tensor
    test::writeText(changed / file, content);
    EXPECT_NE(load(changed).fingerprint, original);
}

TEST(Weights, NormsMayHaveAnotherTypeThanMatrices)
{
    const test::TempFolder scratch;
    test::TinyModel bf16;
    bf16.dtype = DType::BF16;
    const fs::path folder = test::writeTinyModel(scratch / "model", bf16);
    std::string norms(32 * sizeof(float), '\0');
    test::editHeader(folder / file, [&](Json &header) {
        std::size_t end = 0;
        for (const auto &[name, entry] : header.items())
            end = std::max(end, entry["data_offsets"][1].get<std::size_t>());
        header["model.norm.weight"] = {{"dtype", "F32"}, {"shape", {32}}, {"data_offsets", {end, end + norms.size()}}};
    });
    test::writeText(folder / file, test::readText(folder / file) + norms);
    const Weights weights = load(folder);
    EXPECT_EQ(weights.finalNorm.type, DType::F32);
    EXPECT_EQ(weights.embedding.type, DType::BF16);
}

TEST(Weights, ATiedHeadIsTheEmbedding)
{
    const test::TempFolder scratch;
    const fs::path folder = test::writeTinyModel(scratch / "model");
    test::editHeader(folder / file, [](Json &header) { header.erase("lm_head.weight"); });
    EXPECT_FALSE(loadWeights(folder, configOf(folder)));
    test::patchJson(folder / "config.json", R"({"tie_word_embeddings": true})");
    const Weights weights = load(folder);
    EXPECT_EQ(weights.head.data, weights.embedding.data);
    EXPECT_EQ(weights.head.rows, 258);
}

TEST(Weights, TensorsThatAreNotNeededMayHaveAnyType)
{
    const test::TempFolder scratch;
    const fs::path folder = test::writeTinyModel(scratch / "model");
    test::editHeader(folder / file, [](Json &header) {
        header["extra"] = {{"dtype", "I64"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
    });
    EXPECT_TRUE(loadWeights(folder, configOf(folder)));
}

/// An empty tensor, so that no data has to move.
void addTensor(const fs::path &folder, const std::string &name)
{
    test::editHeader(folder / file, [&](Json &header) {
        header[name] = {{"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
    });
}

TEST(Weights, TensorsThatNobodyUsesAreNamed)
{
    const test::TempFolder scratch;
    const auto notesWith = [&](const std::vector<std::string> &names) {
        const fs::path folder = test::writeTinyModel(scratch / "model");
        for (const std::string &name : names)
            addTensor(folder, name);
        return load(folder).notes;
    };
    EXPECT_TRUE(notesWith({}).empty());
    EXPECT_TRUE(notesWith({"model.layers.0.self_attn.rotary_emb.inv_freq"}).empty());
    for (const std::string part : {"self_attn.q_proj.bias", "self_attn.q_norm.weight"}) {
        const auto notes = notesWith({"model.layers.0." + part});
        ASSERT_EQ(notes.size(), 1u) << part;
        EXPECT_NE(notes.front().find("1 tensor is not used"), std::string::npos) << notes.front();
        EXPECT_NE(notes.front().find("model.layers.*." + part), std::string::npos) << notes.front();
    }
    const auto both = notesWith({"model.layers.0.self_attn.k_proj.bias", "model.layers.1.self_attn.k_proj.bias"});
    ASSERT_EQ(both.size(), 1u);
    EXPECT_NE(both.front().find("model.layers.*.self_attn.k_proj.bias (2 times)"), std::string::npos) << both.front();
    std::vector<std::string> many;
    for (int i = 0; i < 200; ++i)
        many.push_back("tensor" + std::to_string(i));
    const auto bounded = notesWith(many);
    ASSERT_EQ(bounded.size(), 1u);
    EXPECT_LT(bounded.front().size(), 400u);

    const fs::path deeper = test::writeTinyModel(scratch / "deeper", {.layers = 4});
    test::patchJson(deeper / "config.json", R"({"num_hidden_layers": 2})");
    const auto notes = load(deeper).notes;
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_NE(notes.front().find("model.layers.2 to 3, beyond num_hidden_layers 2"), std::string::npos) << notes.front();
}

/// As in transformers 5, which ties what is the same and keeps what differs.
TEST(Weights, AStoredHeadIsTiedOnlyWhereItIsTheEmbedding)
{
    const test::TempFolder scratch;
    const fs::path folder = test::writeTinyModel(scratch / "model");
    const Weights untied = load(folder); // its files are mapped as long as it lives
    const std::vector<std::byte> head(untied.head.data, untied.head.data + untied.head.bytes());
    test::patchJson(folder / "config.json", R"({"tie_word_embeddings": true})");
    const Weights differs = load(folder);
    EXPECT_TRUE(differs.ownHead);
    EXPECT_EQ(std::memcmp(differs.head.data, head.data(), head.size()), 0);
    ASSERT_EQ(differs.notes.size(), 1u);
    EXPECT_NE(differs.notes.front().find("lm_head.weight"), std::string::npos) << differs.notes.front();

    // The same values in both places are one table, whoever wrote it twice.
    std::string content = test::readText(folder / file);
    std::uint64_t length = 0;
    std::memcpy(&length, content.data(), sizeof length);
    const Json header = Json::parse(content.substr(8, length));
    const auto dataOf
        = [&](const char *name) { return content.data() + 8 + length + header[name]["data_offsets"][0].get<std::size_t>(); };
    std::memcpy(dataOf("lm_head.weight"), dataOf("model.embed_tokens.weight"), head.size());
    test::writeText(folder / file, content);
    const Weights same = load(folder);
    EXPECT_FALSE(same.ownHead);
    EXPECT_EQ(same.head.data, same.embedding.data);
    EXPECT_TRUE(same.notes.empty());
}

} // namespace
} // namespace zigzag
