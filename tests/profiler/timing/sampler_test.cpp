// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/device_model.h"
#include "profiler/timing/first_layers.h"
#include "profiler/timing/sampler.h"
#include "tests/profiler/loaded_model.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>
#include <vector>

namespace zigzag {
namespace {

using SamplerTest = test::LoadedModel;
using PaceMeterTest = test::LoadedModel;
using FirstLayersTest = test::LoadedModel;

TEST_F(SamplerTest, TakesOneOfItsTriesAndNotTheQuickest)
{
    Sampler sampler(device, 1, nullptr);
    std::vector<double> given;
    const auto sample = sampler.take(
        [&]() -> Result<double> {
            given.push_back(1.0 + static_cast<double>(given.size()));
            return given.back();
        },
        3);
    ASSERT_TRUE(sample) << sample.error().message;
    ASSERT_LE(given.size(), 3u);
    if (!sampler.isDisturbed(*sample))
        EXPECT_EQ(sample->ms, given.back()) << "the first that nothing disturbed ends it";
    else
        EXPECT_EQ(sample->ms, given[given.size() / 2]) << "else the median of the tries";
    EXPECT_GT(sample->paceMs, 0);
}

TEST_F(SamplerTest, WithoutPatienceThePaceIsNotLookedAt)
{
    Sampler sampler(device, 0, nullptr);
    const auto sample = sampler.take([]() -> Result<double> { return 2.5; });
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->ms, 2.5);
    EXPECT_EQ(sample->paceMs, 0);
    EXPECT_FALSE(sampler.isDisturbed({.ms = 1, .paceMs = 1e6}));
}

/// The patience of a whole job is one: where it is used up, a sample is taken as it comes.
TEST_F(SamplerTest, OnceTheJobsTimeIsOverNothingIsWaitedForOrTakenAgain)
{
    load({.layers = 7}); // whose pace no other test knows
    Sampler sampler(device, 1e6, nullptr, 1e-6, JobTime(1e-9)); // never seen that fast again
    int calls = 0;
    const auto begin = std::chrono::steady_clock::now();
    const auto sample = sampler.take([&]() -> Result<double> { return ++calls; });
    ASSERT_TRUE(sample) << sample.error().message;
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(sampler.isDisturbed(*sample));
    EXPECT_TRUE(std::isfinite(sample->paceMs)) << "the pace is still looked at: a machine that is left alone is known as one";
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

TEST_F(SamplerTest, AFailureEndsIt)
{
    Sampler sampler(device, 1, nullptr);
    int calls = 0;
    const auto sample = sampler.take([&]() -> Result<double> {
        ++calls;
        return failed("no device");
    });
    ASSERT_FALSE(sample);
    EXPECT_EQ(sample.error().message, "no device");
    EXPECT_EQ(calls, 1);
}

TEST_F(SamplerTest, ASlowPaceAndAnInterruptionDisturb)
{
    Sampler sampler(device, 1, nullptr);
    EXPECT_TRUE(sampler.isDisturbed({.ms = 1, .paceMs = 1e6}));
    EXPECT_FALSE(sampler.isDisturbed({.ms = 1, .paceMs = 1e-9}));
    EXPECT_TRUE(sampler.isDisturbed({.ms = 1, .paceMs = 1e-9, .interrupted = true}));
}

TEST_F(PaceMeterTest, TheFastestIsFullAndIsRemembered)
{
    const auto meter = PaceMeter::create(device);
    ASSERT_TRUE(meter);
    double fastest = meter->now();
    for (int i = 0; i < 20; ++i)
        fastest = std::min(fastest, meter->now());
    EXPECT_GT(fastest, 0);
    EXPECT_TRUE(std::isfinite(fastest));
    EXPECT_TRUE(meter->isFull(fastest));
    EXPECT_FALSE(meter->isFull(2 * fastest));
    const auto another = PaceMeter::create(device);
    EXPECT_FALSE(another->isFull(2 * fastest)) << "what one meter saw, all know";
}

TEST_F(PaceMeterTest, WaitingHasAnEnd)
{
    const auto meter = PaceMeter::create(device);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_GT(meter->wait(std::chrono::duration<double>(0), nullptr), 0);
    const std::atomic<bool> cancel{true};
    meter->learn(std::chrono::duration<double>(1e6), &cancel);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

TEST_F(FirstLayersTest, AreAsManyAsTheCacheAsksFor)
{
    MachineProfile machine;
    machine.lastLevelCacheBytes = std::int64_t{1} << 40;
    EXPECT_EQ(firstLayers(device, machine), device) << "no part of it would be read from memory";
    test::TinyModel deep;
    deep.layers = 12;
    load(deep);
    machine.lastLevelCacheBytes = 1;
    const auto part = firstLayers(device, machine);
    ASSERT_TRUE(part);
    EXPECT_EQ(part->config().layers, 3);
    EXPECT_EQ(part->layers.size(), 3u);
    auto session = Session::create(part, HeadMap(part->model->shape(), HeadKind::Retrieval, 0, 1), {.maxContext = 8});
    ASSERT_TRUE(session) << session.error().message;
    EXPECT_TRUE((*session)->run(std::vector<int>{1, 2, 3}));
}

} // namespace
} // namespace zigzag
