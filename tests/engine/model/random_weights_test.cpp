// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/memory_limit.h"
#include "engine/model/random_weights.h"
#include "engine/model/tensor_values.h"
#include "engine/model/weights.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

ModelConfig shape(DType type)
{
    ModelConfig config;
    config.name = "test";
    config.layers = 2;
    config.hiddenSize = 256;
    config.queryHeads = 4;
    config.kvHeads = 2;
    config.headDim = 64;
    config.intermediateSize = 500; // not a multiple of anything
    config.vocabulary = 1001;
    config.maxContext = 128;
    config.dtype = type;
    config.qkvBias = true;
    return config;
}

std::vector<float> valuesOf(const TensorView &view)
{
    std::vector<float> values;
    for (std::int64_t i = 0; i < view.rows * view.columns; ++i) {
        const std::byte *data = view.data + i * view.type.blockBytes();
        std::uint16_t half = 0;
        float value = 0;
        std::memcpy(&half, data, sizeof half);
        if (view.type == DType::F32)
            std::memcpy(&value, data, sizeof value);
        else
            value = view.type == DType::F16 ? f16ToFloat(half) : bf16ToFloat(half);
        values.push_back(value);
    }
    return values;
}

class RandomWeights : public testing::TestWithParam<DType>
{ };

TEST_P(RandomWeights, KeepTheSizeOfActivationsAndAreNeverZero)
{
    const auto weights = randomWeights(shape(GetParam()), 1);
    ASSERT_TRUE(weights) << weights.error().message;
    EXPECT_TRUE(weights->fingerprint.empty());
    for (const TensorView &view :
         {weights->embedding, weights->layers[0][WeightId::Gate], weights->layers[1][WeightId::Down], weights->head}) {
        EXPECT_EQ(view.type, GetParam());
        double sum = 0, squares = 0;
        for (const float value : valuesOf(view)) {
            ASSERT_NE(value, 0.0f);
            sum += value;
            squares += double{value} * value;
        }
        const auto count = static_cast<double>(view.rows * view.columns);
        const double deviation = 1 / std::sqrt(static_cast<double>(view.columns));
        EXPECT_NEAR(std::sqrt(squares / count), deviation, 0.02 * deviation);
        EXPECT_NEAR(sum / count, 0, 0.02 * deviation);
    }
    for (const float value : valuesOf(weights->layers[1][WeightId::PostNorm]))
        EXPECT_EQ(value, 1.0f);
    EXPECT_TRUE(weights->layers[0][WeightId::ValueBias]);
}

TEST_P(RandomWeights, FollowTheirSeed)
{
    const auto first = randomWeights(shape(GetParam()), 1), same = randomWeights(shape(GetParam()), 1),
               other = randomWeights(shape(GetParam()), 2);
    ASSERT_TRUE(first && same && other);
    const auto equal = [](const TensorView &a, const TensorView &b) {
        return std::memcmp(a.data, b.data, static_cast<std::size_t>(a.bytes())) == 0;
    };
    EXPECT_TRUE(equal(first->head, same->head));
    EXPECT_TRUE(equal(first->layers[1][WeightId::Up], same->layers[1][WeightId::Up]));
    EXPECT_FALSE(equal(first->layers[1][WeightId::Up], other->layers[1][WeightId::Up]));
    EXPECT_FALSE(equal(first->layers[0][WeightId::Up], first->layers[1][WeightId::Up]));
    EXPECT_FALSE(equal(first->layers[0][WeightId::Up], first->layers[0][WeightId::Gate]));
}

INSTANTIATE_TEST_SUITE_P(Types, RandomWeights, testing::Values(DType::F32, DType::F16, DType::BF16),
                         [](const auto &type) { return std::string(nameOf(type.param)); });

/// By scales beside its numbers, one for each 128 × 128 of them, as files have them.
TEST(RandomWeights, InF8AreAsLargeAsInOtherTypes)
{
    ModelConfig config = shape(DType::BF16);
    config.storedTypes.layers.resize(2);
    for (const WeightId id : {WeightId::Gate, WeightId::Down})
        config.storedTypes.layers[1][static_cast<std::size_t>(id)] = DType::F8;
    const auto weights = randomWeights(config, 1);
    ASSERT_TRUE(weights) << weights.error().message;
    EXPECT_FALSE(weights->layers[0][WeightId::Gate].scales);
    for (const WeightId id : {WeightId::Gate, WeightId::Down}) {
        const TensorView &view = weights->layers[1][id];
        EXPECT_EQ(view.type, DType::F8);
        ASSERT_TRUE(view.scales);
        EXPECT_EQ(view.scales.count(view.rows, view.columns), 8); // of 500 × 256 and of 256 × 500
        double squares = 0;
        for (const float value : floatsOf(view)) {
            ASSERT_NE(value, 0.0f);
            squares += double{value} * value;
        }
        const auto count = static_cast<double>(view.rows * view.columns);
        EXPECT_NEAR(std::sqrt(squares / count * static_cast<double>(view.columns)), 1, 0.01);
    }
}

TEST(MemoryLimit, WhatDoesNotFitIsRefusedWithWhatWould)
{
    EXPECT_GT(availableMemory(), 0);
    EXPECT_TRUE(checkFitsMemory("m", 10, 10));
    const auto refused = checkFitsMemory("m", 100'000'000'000, 5'000'000'000);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::BadInput);
    EXPECT_NE(refused.error().message.find("100000000000 bytes"), std::string::npos) << refused.error().message;
    EXPECT_NE(refused.error().message.find("5000000000 are available"), std::string::npos) << refused.error().message;
    EXPECT_NE(refused.error().message.find("preset:qwen2.5-1.5b would fit"), std::string::npos) << refused.error().message;
    const auto nothing = checkFitsMemory("m", 100, 1);
    ASSERT_FALSE(nothing);
    EXPECT_NE(nothing.error().message.find("no preset would fit"), std::string::npos) << nothing.error().message;
}

TEST(RandomWeights, ACancelledFillEndsAtOnceAndSaysHowFarItWas)
{
    ModelConfig large = shape(DType::BF16);
    large.hiddenSize = 2048;
    large.intermediateSize = 8192;
    large.layers = 4;
    std::atomic<bool> cancel = false;
    std::vector<double> fractions;
    const auto watch = [&](double fraction) {
        fractions.push_back(fraction);
        cancel = fraction > 0.1;
    };
    const auto stopped = randomWeights(large, 1, {&cancel, watch});
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().kind, ErrorKind::Cancelled);
    ASSERT_FALSE(fractions.empty());
    EXPECT_LT(fractions.back(), 0.9);
    EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
    cancel = true;
    EXPECT_FALSE(randomWeights(large, 1, {&cancel, {}}));
    cancel = false;
    EXPECT_TRUE(randomWeights(large, 1, {&cancel, {}}));
}

} // namespace
} // namespace zigzag
