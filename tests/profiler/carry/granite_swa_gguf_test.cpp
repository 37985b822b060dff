// SPDX-License-Identifier: GPL-3.0-or-later
// GGUF files of a llama and a granite as granite_swa: read back, they are the model that was carried.
#include "profiler/carry/carried_target.h"
#include "profiler/carry/granite_swa_gguf.h"

#include "engine/model/gguf/gguf_file.h"
#include "engine/run/session.h"
#include "tests/paths.h"
#include "tests/temp_folder.h"

#include <gtest/gtest.h>
#include <random>

namespace zigzag {
namespace {

namespace fs = std::filesystem;

const fs::path fixtures = fs::path(test::sourceDir()) / "tests/fixtures/gguf";

/// Random stand-ins in the second layer, biases of queries, keys and values among them.
SinkCarrier randomCarrier(const ModelConfig &config)
{
    std::mt19937_64 random(4);
    std::normal_distribution<float> normal;
    const auto numbers = [&](std::int64_t count) {
        std::vector<float> values(static_cast<std::size_t>(count));
        for (float &value : values)
            value = normal(random);
        return values;
    };
    SinkCarrier carrier;
    carrier.layers.resize(static_cast<std::size_t>(config.layers));
    carrier.layers[1] = {numbers(config.queryHeads), numbers(config.hiddenSize), numbers(config.queryWidth()),
                         numbers(config.kvWidth()), numbers(config.kvWidth())};
    return carrier;
}

std::vector<float> logits(const std::shared_ptr<const Model> &model)
{
    auto device = uploadModel(model, *createBackend("cpu"));
    EXPECT_TRUE(device) << device.error().message;
    std::vector<int> tokens;
    for (int i = 0; i < 40; ++i)
        tokens.push_back((i * 7 + 3) % 40);
    auto session = Session::create(*device, HeadMap(model->shape(), HeadKind::Retrieval, 0, 1), {.maxContext = 40});
    EXPECT_TRUE(session) << session.error().message;
    return *(*session)->run(tokens, Session::Logits::All);
}

class GraniteSwaGguf : public testing::TestWithParam<const char *>
{ };

TEST_P(GraniteSwaGguf, ReadBackItIsTheModelThatWasCarried)
{
    const std::string from = (fixtures / GetParam()).string();
    const test::TempFolder folder;
    const auto model = loadModel(from);
    ASSERT_TRUE(model) << model.error().message;
    HeadMap map((*model)->shape(), HeadKind::Retrieval, 2, 9);
    map.setLayer(1, HeadKind::Streaming);
    const auto exported = loadExportModel(from);
    ASSERT_TRUE(exported) << exported.error().message;
    EXPECT_EQ(graniteSwaGgufVerdict(map, &*exported).refusal, "");
    EXPECT_NE(findCarriedTarget(carriedFormat)->verdict(map, &*exported).refusal, "") << "a folder is made of a folder";
    const auto carried = carriedModel(**model, map, randomCarrier((*model)->config));
    ASSERT_TRUE(carried) << carried.error().message;
    const fs::path out = folder.path() / "out.gguf";
    const auto written = writeGraniteSwaGguf(*exported, **carried, out);
    ASSERT_TRUE(written) << written.error().message;

    const auto read = loadModel(out.string());
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE((*read)->config.is("granite_swa"));
    EXPECT_EQ((*read)->config.fileWindows, (std::vector<std::int64_t>{0, 9}));
    EXPECT_EQ((*read)->config.dtype, (*model)->config.dtype);
    const std::vector<float> there = logits(*read), here = logits(*carried);
    EXPECT_EQ(there, here);
    EXPECT_NE(there, logits(*model));

    const GgufFile before = *GgufFile::open(from), after = *GgufFile::open(out);
    for (const auto &[name, tensor] : before.tensors()) {
        const GgufTensor *copy = after.findTensor(name);
        ASSERT_TRUE(copy) << name;
        EXPECT_EQ(copy->typeNumber, tensor.typeNumber) << name;
        EXPECT_EQ(copy->shape, tensor.shape) << name;
        EXPECT_EQ(std::string(reinterpret_cast<const char *>(copy->data), copy->bytes),
                  std::string(reinterpret_cast<const char *>(tensor.data), tensor.bytes))
            << name;
    }
    EXPECT_EQ(after.tensors().size(), before.tensors().size() + 2 * 5);
    EXPECT_FALSE(after.find("split.count"));
    EXPECT_FALSE(after.find("llama.block_count"));
    // A file may be rewritten no more: its layers have windows of their own.
    const auto again = loadExportModel(out.string());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_NE(graniteSwaGgufVerdict(map, &*again).refusal, "");
}

INSTANTIATE_TEST_SUITE_P(Files, GraniteSwaGguf,
                         testing::Values("llama-f32.gguf", "llama-f16.gguf", "llama-bf16.gguf", "llama-q8_0.gguf",
                                         "granite-f32.gguf", "granite-q5_0.gguf", "split-00001-of-00003.gguf"));

TEST(GraniteSwaGgufRefusals, SayWhatToDo)
{
    const test::TempFolder folder;
    const auto refusal = [&](const char *name) {
        const auto model = loadExportModel((fixtures / name).string());
        EXPECT_TRUE(model) << model.error().message;
        HeadMap map(model->config.shape(), HeadKind::Retrieval, 2, 9);
        map.setLayer(1, HeadKind::Streaming);
        return graniteSwaGgufVerdict(map, &*model).refusal;
    };
    EXPECT_NE(refusal("qwen2-f32.gguf").find("only files of a llama or a granite"), std::string::npos);
    EXPECT_NE(refusal("qwen3-f32.gguf"), "");
    const auto model = loadExportModel((fixtures / "llama-f32.gguf").string());
    const auto whole = loadModel(model->name);
    HeadMap map((*whole)->shape(), HeadKind::Retrieval, 2, 9);
    map.setLayer(1, HeadKind::Streaming);
    EXPECT_NE(graniteSwaGgufVerdict(map, nullptr).refusal, "");
    const auto carried = carriedModel(**whole, map, blankCarrier((*whole)->config, map));
    ASSERT_TRUE(carried);
    EXPECT_FALSE(writeGraniteSwaGguf(*model, **carried, model->name)) << "onto itself";
    EXPECT_FALSE(writeGraniteSwaGguf(*model, **carried, folder.path() / "missing" / "out.gguf"));
}

} // namespace
} // namespace zigzag
