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

} // namespace
} // namespace zigzag
