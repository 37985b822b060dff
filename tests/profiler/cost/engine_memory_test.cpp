// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/cost/engine_memory.h"

#include "engine/model/model.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

const EngineMemory &of(const std::vector<EngineMemory> &engines, std::string_view name)
{
    for (const EngineMemory &engine : engines)
        if (engine.engine == name)
            return engine;
    ADD_FAILURE() << name;
    return engines.front();
}

/// SmolLM2-135M in float32: what vLLM 0.32.0 logged on a processor for 1 GiB and sequences of 4,096 tokens.
ModelConfig smolLm2()
{
    auto config = loadModelConfig("preset:llama-3-8b");
    EXPECT_TRUE(config);
    config->layers = 30;
    config->queryHeads = 9;
    config->kvHeads = 3;
    config->headDim = 64;
    config->dtype = config->kvType = DType::F32;
    return *config;
}

TEST(EngineMemory, VllmsOwnLogIsMetToItsLastDigit)
{
    const EngineSettings onProcessor{.blockTokens = 128, .inFlightTokens = 2048};
    const auto sequences
        = [&](EngineLayers layers) { return of(engineMemory(smolLm2(), layers, 4096, onProcessor), "vLLM").sequencesPerGiB; };
    EXPECT_NEAR(sequences({15, 15, 256}), 7.14, 0.005); // "Maximum concurrency for 4,096 tokens per request: 7.14x"
    EXPECT_NEAR(sequences({30, 0, 0}), 5.69, 0.005);
    // resources/checked/engines.md: four maps, blocks of 32 and of 128, 512 tokens in flight.
    struct {
        EngineLayers layers;
        double ofBlocks32, ofBlocks128;
    } const logged[]
        = {{{15, 15, 256}, 9.52, 9.33}, {{20, 10, 512}, 7.56, 7.48}, {{10, 20, 128}, 12.85, 12.41}, {{6, 24, 256}, 15.96, 15.17}};
    for (const auto &each : logged)
        for (const auto &[block, reported] : {std::pair(32, each.ofBlocks32), std::pair(128, each.ofBlocks128)}) {
            const EngineSettings settings{.blockTokens = block, .inFlightTokens = 512};
            const EngineMemory memory = of(engineMemory(smolLm2(), each.layers, 4096, settings), "vLLM");
            EXPECT_NEAR(memory.sequencesPerGiB, reported, 0.005) << each.layers.sliding << " layers, blocks of " << block;
        }
}

TEST(EngineMemory, VllmGroupsLayersAndFillsThemUp)
{
    struct {
        int sliding, group, full, billedSliding;
    } const cases[] = {{0, 32, 32, 0},   {32, 32, 0, 32},  {16, 16, 16, 16},
                       {12, 12, 24, 12}, {13, 19, 19, 19}, // 19 < 1.5 · 13: one group of 19 for each kind
                       {10, 10, 30, 10}, {5, 5, 30, 5}};
    for (const auto &one : cases) {
        const EngineLayers layers{32 - one.sliding, one.sliding, 257};
        const VllmGroups groups = vllmGroups(layers);
        EXPECT_EQ(groups.layers, one.group) << one.sliding;
        EXPECT_EQ(groups.layers * groups.full, one.full) << one.sliding;
        EXPECT_EQ(groups.layers * groups.sliding, one.billedSliding) << one.sliding;
        EXPECT_EQ(groups.padding(layers), one.full + one.billedSliding - 32) << one.sliding;
        const std::int64_t token = 2 * 8 * 128 * 2;
        const auto config = loadModelConfig("preset:llama-3-8b");
        ASSERT_TRUE(config);
        const EngineMemory memory = of(engineMemory(*config, layers, 4096, {.inFlightTokens = 1024}), "vLLM");
        // 256 tokens before the newest are 16 blocks, and one that the window begins within; 1,024 more in flight.
        EXPECT_EQ(memory.decoding, token * (one.full * 4096 + one.billedSliding * 272)) << one.sliding;
        EXPECT_EQ(memory.admitted, token * (one.full * 4096 + one.billedSliding * (256 + 1024 + 16))) << one.sliding;
    }
}

TEST(EngineMemory, NumbersOfLayersThatAreNotFilledUpAreFound)
{
    // Of 32 layers: halves, a quarter and its like, none, all.
    const auto near = [](int sliding) {
        const UnpaddedCounts counts = vllmUnpadded({32 - sliding, sliding, 256});
        return std::pair(counts.below, counts.above);
    };
    EXPECT_EQ(near(16), std::pair(16, 24));
    EXPECT_EQ(near(13), std::pair(8, 16));
    EXPECT_EQ(near(3), std::pair(2, 4));
    EXPECT_EQ(near(32), std::pair(32, -1));
    for (int sliding = 0; sliding <= 32; ++sliding) {
        const UnpaddedCounts counts = vllmUnpadded({32 - sliding, sliding, 256});
        EXPECT_GE(counts.below, 0);
        EXPECT_LE(counts.below, sliding);
        EXPECT_EQ(vllmGroups({32 - counts.below, counts.below, 256}).padding({32 - counts.below, counts.below, 256}), 0);
    }
}

TEST(EngineMemory, ACountThatIsFilledUpSnapsToOneThatIsNot)
{
    for (int all : {8, 28, 30, 32})
        for (int sliding = 0; sliding <= all; ++sliding)
            for (const bool noFewer : {false, true}) {
                const EngineLayers layers{all - sliding, sliding, 256};
                const int snapped = vllmSnapped(layers, noFewer);
                const EngineLayers then{all - snapped, snapped, 256};
                ASSERT_GE(snapped, sliding > 0 ? 1 : 0) << "all layers of one kind are one group: there always is a count";
                EXPECT_EQ(vllmGroups(then).padding(then), 0) << all << " " << sliding;
                EXPECT_TRUE(!noFewer || snapped >= sliding);
                if (vllmGroups(layers).padding(layers) == 0) {
                    EXPECT_EQ(snapped, sliding) << "nothing to mend";
                }
                // No nearer one was passed over.
                for (int other = std::max(1, sliding - std::abs(snapped - sliding) + 1); !noFewer && other < sliding; ++other)
                    EXPECT_GT(vllmGroups({all - other, other, 256}).padding({all - other, other, 256}), 0);
            }
    const EngineLayers eleven{19, 11, 256}; // of 30: billed as 22 and 11
    EXPECT_GT(vllmGroups(eleven).padding(eleven), 0);
    EXPECT_EQ(vllmSnapped(eleven, false), 10);
    EXPECT_EQ(vllmSnapped(eleven, true), vllmUnpadded(eleven).above);
    EXPECT_EQ(vllmSnapped(eleven, false, 11), vllmUnpadded(eleven).above)
        << "layers of the model's own are no one's to leave out";
}

TEST(EngineMemory, TheOthersCountAsTheirSourcesDo)
{
    const auto config = loadModelConfig("preset:llama-3-8b"); // bfloat16
    ASSERT_TRUE(config);
    const std::int64_t token = 2 * 8 * 128 * 2;
    const EngineLayers layers{16, 16, 1000};
    const auto engines = engineMemory(*config, layers, 8192);

    // Two pools: 16 layers' worth of a token, and 0.8 of that; a GiB of them holds so many tokens of 8,192 a sequence.
    const EngineMemory &sglang = of(engines, "SGLang");
    EXPECT_NEAR(sglang.sequencesPerGiB, (1 << 30) / (static_cast<double>(token) * 16 * 1.8) / 8192, 1e-9);
    EXPECT_EQ(sglang.decoding, token * 16 * (8192 + 1000));
    EXPECT_NE(sglang.note.find("--swa-full-tokens-ratio 0.122"), std::string::npos) << sglang.note;
    // With that ratio both pools end together.
    EXPECT_NEAR(of(engineMemory(*config, layers, 8192, {.sglangRatio = 1000.0 / 8192}), "SGLang").sequencesPerGiB,
                (1 << 30) / static_cast<double>(token * 16 * (8192 + 1000)), 1e-6);

    EXPECT_EQ(of(engines, "llama.cpp").admitted, token * 16 * (8192 + 1536)); // 1,000 + 512, in steps of 256
    EXPECT_EQ(of(engines, "transformers").decoding, token * 16 * (8192 + 999));
    EXPECT_EQ(of(engines, "transformers").admitted, token * (16 * (8192 + 999) + 7193)); // one layer has it all
    EXPECT_EQ(of(engines, "mlx-lm").admitted, token * 16 * (8192 + 3047));
    EXPECT_EQ(of(engines, "mlx-lm").decoding, token * 16 * (8192 + 1000));

    // Nobody takes less for a window that covers everything, and nobody takes more than all of it.
    for (const EngineMemory &engine : engineMemory(*config, {0, 32, 100000}, 512)) {
        EXPECT_GE(engine.admitted, token * 32 * 512) << engine.engine;
        EXPECT_LE(engine.admitted, token * 32 * 528) << engine.engine;
    }
}

/// What the engines held of SmolLM2's keys and values in float32, every second layer sliding over 128 tokens (resources/checked).
TEST(EngineMemory, WhatTheyHeldIsWhatIsComputed)
{
    const EngineLayers layers{15, 15, 128};
    const EngineSettings settings{.blockTokens = 128, .inFlightTokens = 2048, .llamaCacheType = DType::F32};
    const auto at = [&](std::int64_t context) { return engineMemory(smolLm2(), layers, context, settings); };
    EXPECT_NEAR(of(at(2048), "vLLM").sequencesPerGiB, 11.03, 0.005);
    EXPECT_EQ(of(at(384), "transformers").decoding, 11'773'440);
    EXPECT_EQ(of(at(384), "mlx-lm").decoding, 14'745'600);
    EXPECT_NEAR(static_cast<double>(of(at(2048), "llama.cpp").decoding), 64'885'882, 1e-3 * 64'885'882);
}

TEST(EngineMemory, EnginesHaveOneWindow)
{
    const auto config = loadModelConfig("preset:llama-3-8b");
    ASSERT_TRUE(config);
    HeadMap mixed(config->shape(), HeadKind::Streaming, 64, 256);
    mixed.set(0, 0, HeadKind::Retrieval);
    EXPECT_EQ(engineLayers(mixed).value().full, 1);
    // Only windows of layers that slide there must be equal.
    mixed.setLayerWindow(0, 64, 1024);
    mixed.setLayerWindow(1, 4, 256);
    EXPECT_TRUE(engineLayers(mixed));
    mixed.setLayerWindow(1, 64, 255);
    EXPECT_FALSE(engineLayers(mixed));
}

} // namespace
} // namespace zigzag
