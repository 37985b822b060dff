// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/kv_layout.h"
#include "engine/model/model.h"
#include "profiler/cost/tensor_parallel.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

constexpr double rate = 1e12;

TEST(TensorParallel, AnExclusiveMapStaysBalancedAndAMixedOneWaits)
{
    const auto config = loadModelConfig("preset:llama-3-8b");
    ASSERT_TRUE(config);
    constexpr std::int64_t context = 131072;
    HeadMap mixed(config->shape(), HeadKind::Retrieval, 64, 256), exclusive = mixed;
    for (int layer = 0; layer < 32; ++layer) {
        for (int head = 0; head < 4; ++head)
            mixed.set(layer, layer % 2 == 0 ? head : head + 4, HeadKind::Streaming); // one half of the heads, then the other
        if (layer % 2 == 0)
            exclusive.setLayer(layer, HeadKind::Streaming);
    }
    ASSERT_EQ(kvBytes(mixed, context, config->dtype), kvBytes(exclusive, context, config->dtype));
    for (const int gpus : {1, 2, 4, 8}) {
        const auto even = planTensorParallel(*config, exclusive, gpus, context, rate);
        const auto uneven = planTensorParallel(*config, mixed, gpus, context, rate);
        ASSERT_TRUE(even && uneven);
        EXPECT_DOUBLE_EQ(even->memoryImbalance, 1.0);
        EXPECT_DOUBLE_EQ(even->timeImbalance, 1.0);
        std::int64_t sum = 0;
        for (const RankLoad &rank : uneven->ranks)
            sum += rank.kvBytes;
        EXPECT_EQ(sum, kvBytes(mixed, context, config->dtype));
        // Over all layers every rank holds as much; in each layer half of them wait for the other half.
        EXPECT_DOUBLE_EQ(uneven->memoryImbalance, 1.0);
        if (gpus == 1) {
            EXPECT_DOUBLE_EQ(uneven->timeImbalance, 1.0);
            EXPECT_DOUBLE_EQ(uneven->decodeFloorMs, even->decodeFloorMs);
        } else {
            EXPECT_NEAR(uneven->timeImbalance, 2.0 * context / (context + 320), 1e-9);
            EXPECT_GT(uneven->decodeFloorMs, even->decodeFloorMs);
        }
    }
    // Heads of one rank alone stream: the others hold twice as much.
    HeadMap lopsided(config->shape(), HeadKind::Retrieval, 64, 256);
    for (int layer = 0; layer < 32; ++layer)
        lopsided.set(layer, 0, HeadKind::Streaming);
    const auto plan = planTensorParallel(*config, lopsided, 8, context, rate);
    ASSERT_TRUE(plan);
    EXPECT_NEAR(plan->memoryImbalance, 8.0 * context / (7.0 * context + 320), 1e-9);
    EXPECT_EQ(plan->largestKvBytes, 32LL * 2 * 128 * 2 * context);
    EXPECT_NEAR(plan->decodeFloorMs, 1e3 * static_cast<double>(plan->weightBytesPerRank + plan->largestKvBytes) / rate, 1e-9);
}

TEST(TensorParallel, MoreRanksThanHeadsShareThem)
{
    const auto config = loadModelConfig("preset:llama-3-8b"); // 8 KV heads
    ASSERT_TRUE(config);
    HeadMap map(config->shape(), HeadKind::Retrieval, 64, 256);
    map.set(0, 1, HeadKind::Streaming);
    const auto plan = planTensorParallel(*config, map, 16, 4096, rate);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->ranks[0].kvBytes, plan->ranks[1].kvBytes);
    EXPECT_EQ(plan->ranks[2].kvBytes, plan->ranks[3].kvBytes);
    EXPECT_LT(plan->ranks[2].kvBytes, plan->ranks[0].kvBytes);
    for (const int gpus : {0, -1, 3, 5, 100000})
        EXPECT_FALSE(planTensorParallel(*config, map, gpus, 4096, rate)) << gpus;
    EXPECT_FALSE(planTensorParallel(*config, map, 1, 0, rate));
    EXPECT_FALSE(planTensorParallel(*config, map, 1, 4096, 0));
}

TEST(VllmBill, LayersAreBilledInGroups)
{
    const auto config = loadModelConfig("preset:llama-3-8b");
    ASSERT_TRUE(config);
    const auto billed = [&](int sliding) {
        HeadMap map(config->shape(), HeadKind::Retrieval, 64, 257);
        for (int layer = 0; layer < sliding; ++layer)
            map.setLayer(layer, HeadKind::Streaming);
        return vllmBill(*config, map, 4096).value();
    };
    struct {
        int sliding, group, full, billedSliding;
    } const cases[] = {{0, 32, 32, 0},   {32, 32, 0, 32},  {16, 16, 16, 16},
                       {12, 12, 24, 12}, {13, 19, 19, 19}, // 19 < 1.5 · 13: one group of 19 for each kind
                       {10, 10, 30, 10}, {5, 5, 30, 5}};
    for (const auto &one : cases) {
        const VllmBill bill = billed(one.sliding);
        EXPECT_EQ(bill.groupSize, one.group) << one.sliding;
        EXPECT_EQ(bill.billedFull, one.full) << one.sliding;
        EXPECT_EQ(bill.billedSliding, one.billedSliding) << one.sliding;
        const std::int64_t token = 2 * 8 * 128 * 2;
        EXPECT_EQ(bill.bytes, token * (one.full * 4096 + one.billedSliding * 272)) << one.sliding;
    }
    HeadMap mixed(config->shape(), HeadKind::Streaming, 64, 256);
    mixed.set(0, 0, HeadKind::Retrieval);
    EXPECT_EQ(vllmBill(*config, mixed, 4096).value().fullLayers, 1);
    // It has one window and no sinks: only windows of layers that slide there must be equal.
    mixed.setLayerWindow(0, 64, 1024);
    mixed.setLayerWindow(1, 4, 256);
    EXPECT_TRUE(vllmBill(*config, mixed, 4096));
    mixed.setLayerWindow(1, 64, 255);
    EXPECT_FALSE(vllmBill(*config, mixed, 4096));
}

TEST(VllmBill, AdmissionIsWhatItsLogSays)
{
    // SmolLM2-135M in float32 at a window of 256: vLLM 0.32 on a CPU logs 5.7 sequences of 4,096 tokens in a GiB for full
    // attention, and 7.14 where 15 of 30 layers slide.
    ModelConfig config;
    config.layers = 30;
    config.queryHeads = 9;
    config.kvHeads = 3;
    config.headDim = 64;
    config.dtype = DType::F32;
    HeadMap map({"m", 30, 9, 3, 64, {}}, HeadKind::Retrieval, 4, 256);
    const auto sequences = [&] {
        return static_cast<double>(1 << 30)
            / static_cast<double>(
                   vllmBill(config, map, 4096, {.blockTokens = 128, .batchedTokens = 2048}).value().admissionBytes);
    };
    EXPECT_NEAR(sequences(), 5.7, 0.05);
    for (int layer = 1; layer < 30; layer += 2)
        map.setLayer(layer, HeadKind::Streaming);
    EXPECT_NEAR(sequences(), 7.14, 0.01);
    const std::int64_t decoding = vllmBill(config, map, 4096, {.blockTokens = 128}).value().bytes;
    // The same windows, given by the model's own file.
    config.fileWindows.assign(30, 0);
    for (std::size_t layer = 1; layer < 30; layer += 2)
        config.fileWindows[layer] = 256;
    EXPECT_EQ(vllmBill(config, map.withEvery(HeadKind::Retrieval), 4096, {.blockTokens = 128}).value().bytes, decoding);
}

} // namespace
} // namespace zigzag
