// SPDX-License-Identifier: GPL-3.0-or-later
// What was measured with keys and values in one type says nothing exact of another.
#include "engine/base/files.h"
#include "engine/map/kv_layout.h"
#include "profiler/cost/cost_model.h"
#include "profiler/cost/profile_file.h"
#include "tests/temp_folder.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

Calibration calibrationWith(DType kvType)
{
    ModelSamples samples;
    ModelConfig &config = samples.config;
    config.name = "small";
    config.layers = 2;
    config.hiddenSize = 64;
    config.queryHeads = 4;
    config.kvHeads = 2;
    config.headDim = 16;
    config.intermediateSize = 96;
    config.vocabulary = 100;
    config.maxContext = 4096;
    config.dtype = DType::BF16;
    config.kvType = kvType;
    samples.layers = 2;
    const PassPoint point{.phase = Phase::Decode, .pass = {.tokens = 1, .firstPosition = 63}};
    samples.ops = {{point, Op::Qkv, 3}, {point, Op::Attention, 2}};
    samples.passes = {{point, 0.01}};
    Calibration calibration;
    calibration.machine.device = "a processor";
    calibration.machine.threads = 2;
    calibration.machine.readBytesPerSecond = 1e10;
    calibration.models = {samples};
    return calibration;
}

TEST(KvTypeOfACalibration, IsKeptAndCountsAsAnotherModel)
{
    const test::TempFolder folder;
    const auto file = folder / "profile.json";
    const Calibration inF8 = calibrationWith(DType::F8), inBf16 = calibrationWith(DType::BF16);
    const ModelConfig &f8 = inF8.models[0].config, &bf16 = inBf16.models[0].config;
    EXPECT_FALSE(sameCosts(f8, bf16));
    ASSERT_TRUE(writeProfile(inF8, file));
    const auto back = readProfile(file);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->models[0].config.dtype, DType::BF16);
    EXPECT_EQ(back->models[0].config.kvType, DType::F8);
    EXPECT_TRUE(CostModel(*back, f8).isOwn());
    EXPECT_FALSE(CostModel(*back, bf16).isOwn());
    const HeadMap full(f8.shape(), HeadKind::Retrieval, 0, 1);
    EXPECT_EQ(CostModel(*back, f8).estimate(full, Phase::Decode, 3000).kvBytes, kvBytes(full, 3000, DType::F8));
    EXPECT_EQ(CostModel(*back, bf16).estimate(full, Phase::Decode, 3000).kvBytes, 2 * kvBytes(full, 3000, DType::F8));
}

TEST(KvTypeOfACalibration, IsTheWeightsOwnInFilesFromBeforeThereWasAChoice)
{
    const test::TempFolder folder;
    const auto file = folder / "profile.json";
    ASSERT_TRUE(writeProfile(calibrationWith(DType::BF16), file));
    std::string older = *readTextFile(file);
    const std::string member = ",\"kv_type\":\"bf16\"";
    const std::size_t at = older.find(member);
    ASSERT_NE(at, older.npos) << older;
    older.erase(at, member.size());
    ASSERT_TRUE(writeFileAtomically(file, older));
    const auto old = readProfile(file);
    ASSERT_TRUE(old) << old.error().message;
    EXPECT_TRUE(sameCosts(old->models[0].config, calibrationWith(DType::BF16).models[0].config));
}

} // namespace
} // namespace zigzag
