// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/kv_layout.h"
#include "profiler/compare/prediction_error.h"
#include "profiler/cost/op_cost.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <tuple>

namespace zigzag {
namespace {

ModelConfig smallConfig()
{
    ModelConfig config;
    config.layers = 3;
    config.hiddenSize = 40;
    config.queryHeads = 6;
    config.kvHeads = 2;
    config.headDim = 8;
    config.intermediateSize = 56;
    config.vocabulary = 100;
    config.maxContext = 4096;
    config.dtype = config.kvType = DType::BF16;
    return config;
}

HeadMap smallMap(const ModelConfig &config)
{
    HeadMap map(config.shape(), HeadKind::Retrieval, 3, 7);
    map.set(0, 1, HeadKind::Streaming);
    map.setLayer(2, HeadKind::Streaming);
    map.setLayerWindow(2, 1, 20);
    return map;
}

double total(const ModelConfig &config, const HeadMap &map, Phase phase, std::int64_t context, double OpCost::*what)
{
    double sum = 0;
    for (std::size_t i = 0; i < opNames.size(); ++i)
        for (int layer = 0; layer < (isInLayer(static_cast<Op>(i)) ? config.layers : 1); ++layer)
            sum += opCost(config, map, static_cast<Op>(i), layer, phase, context).*what;
    return sum;
}

TEST(OpCost, AttentionCountsEveryPairAndReadsEveryKeptKey)
{
    const ModelConfig config = smallConfig();
    const HeadMap map = smallMap(config);
    for (const std::int64_t context : {1, 5, 10, 11, 64})
        for (int layer = 0; layer < config.layers; ++layer) {
            double prefill = 0, decode = 0, kept = 0;
            for (int head = 0; head < config.kvHeads; ++head)
                for (std::int64_t query = 0; query < context; ++query) {
                    const auto keys = static_cast<double>(map.pattern(layer, head).visibleKeys(query).count());
                    prefill += keys * 3 * 4 * 8; // 3 query heads share a KV head; a pair costs 2 · 8 twice
                    decode += query == context - 1 ? keys * 3 * 4 * 8 : 0;
                    kept += query == context - 1 ? keys * 2 * 8 * 2 : 0; // key and value of 8 numbers of 2 bytes
                }
            EXPECT_EQ(opCost(config, map, Op::Attention, layer, Phase::Prefill, context).flops, prefill);
            EXPECT_EQ(opCost(config, map, Op::Attention, layer, Phase::Decode, context).flops, decode);
            EXPECT_EQ(opCost(config, map, Op::Attention, layer, Phase::Decode, context).bytes, kept);
        }
}

TEST(OpCost, MatrixProductsAreCountedOutByHand)
{
    const ModelConfig config = smallConfig();
    const HeadMap map = smallMap(config);
    const OpCost qkv = opCost(config, map, Op::Qkv, 0, Phase::Prefill, 32);
    EXPECT_EQ(qkv.flops, 2.0 * 32 * (48 + 16 + 16) * 40);
    EXPECT_EQ(qkv.bytes, 2.0 * (48 + 16 + 16) * 40);
    EXPECT_EQ(qkv.tokens, 32);
    EXPECT_EQ(opCost(config, map, Op::GateUp, 0, Phase::Decode, 32).flops, 2.0 * 2 * 56 * 40);
    EXPECT_EQ(opCost(config, map, Op::Down, 0, Phase::Decode, 32).bytes, 2.0 * 56 * 40);
    // A prefill wants the logits of one token.
    EXPECT_EQ(opCost(config, map, Op::Logits, -1, Phase::Prefill, 32).flops, 2.0 * 100 * 40);
}

/// Each weight by its own type, with its blocks; keys and values by the config's.
TEST(OpCost, WeightsInBlocksAreReadAsTheyAreStored)
{
    ModelConfig config = smallConfig();
    config.hiddenSize = 256;
    config.intermediateSize = 512;
    config.queryHeads = 8;
    config.headDim = 32;
    const HeadMap map = smallMap(config);
    const double keys
        = total(config, map, Phase::Decode, 64, &OpCost::bytes) - static_cast<double>(config.weightBytesReadPerToken());
    config.storedTypes.embedding = BlockType::Q80;
    config.storedTypes.head = BlockType::Q6K;
    config.storedTypes.finalNorm = DType::F32;
    config.storedTypes.layers.resize(1);
    config.storedTypes.layers[0][static_cast<std::size_t>(WeightId::Query)] = BlockType::Q4K;
    config.storedTypes.layers[0][static_cast<std::size_t>(WeightId::Value)] = BlockType::Q51;
    const auto bytesOfOp = [&](Op op, int layer) { return opCost(config, map, op, layer, Phase::Decode, 64).bytes; };
    EXPECT_EQ(bytesOfOp(Op::Qkv, 0), 256 * 144 + 64 * 512 + 64 * 8 * 24); // q4_k, bf16, q5_1
    EXPECT_EQ(bytesOfOp(Op::Qkv, 1), (256 + 64 + 64) * 512);
    EXPECT_EQ(bytesOfOp(Op::Logits, -1), 100 * 210);
    EXPECT_EQ(bytesOfOp(Op::FinalNorm, -1), 256 * 4);
    EXPECT_EQ(bytesOfOp(Op::Embed, -1), 8 * 34);
    // Two norms, output projection and feed-forward of a layer in bf16.
    const std::int64_t rest = 2 * (2 * 256 + 256 * 256 + 3 * 512 * 256), outside = 100 * (8 * 34 + 210) + 4 * 256;
    EXPECT_EQ(config.weightBytes(), outside + 3 * rest + 256 * 144 + 64 * 512 + 64 * 8 * 24 + 2 * (256 + 64 + 64) * 512);
    EXPECT_EQ(config.weightBytesReadPerToken(), config.weightBytes() - 100 * 8 * 34);
    EXPECT_NEAR(total(config, map, Phase::Decode, 64, &OpCost::bytes) - static_cast<double>(config.weightBytesReadPerToken()),
                keys, 512.0);
    config.tiedEmbeddings = true;
    EXPECT_EQ(bytesOfOp(Op::Logits, -1), 100 * 8 * 34) << "the embedding's type, which is the head";
}

TEST(OpCost, DecodeReadsTheWeightsOnceAndTheCache)
{
    for (const bool tied : {false, true}) {
        ModelConfig config = smallConfig();
        config.tiedEmbeddings = tied;
        const HeadMap map = smallMap(config);
        const double bytes = total(config, map, Phase::Decode, 64, &OpCost::bytes);
        const double cache = static_cast<double>(kvBytes(map, 64, config.dtype));
        const double embeddingRow = 2.0 * config.hiddenSize;
        EXPECT_NEAR(bytes - cache, static_cast<double>(config.weightBytesReadPerToken()), embeddingRow);
    }
}

TEST(OpCost, KeysAndValuesCountInTheirOwnType)
{
    ModelConfig config = smallConfig();
    const HeadMap map = smallMap(config);
    const auto bytesOfOps = [&](DType kvType) {
        config.kvType = kvType;
        return std::pair(total(config, map, Phase::Decode, 64, &OpCost::bytes),
                         passCost(config, map, Op::Commit, 2, {.tokens = 64}).bytes);
    };
    const auto half = bytesOfOps(DType::BF16), eighth = bytesOfOps(DType::F8), whole = bytesOfOps(DType::F32);
    const auto cache = static_cast<double>(kvBytes(map, 64, DType::F8));
    EXPECT_DOUBLE_EQ(half.first - eighth.first, cache);
    EXPECT_DOUBLE_EQ(whole.first - eighth.first, 3 * cache);
    EXPECT_GT(eighth.second, 0);
    EXPECT_DOUBLE_EQ(half.second, 2 * eighth.second);
    EXPECT_DOUBLE_EQ(whole.second, 4 * eighth.second);
}

TEST(Floor, ComesFromTheCeilingThatApplies)
{
    const ModelConfig config = smallConfig();
    const HeadMap map = smallMap(config);
    MachineProfile machine;
    machine.readBytesPerSecond = 1e9;
    machine.cachedReadBytesPerSecond = 8e9;
    machine.matrixFlopsF32 = 1e12;
    machine.matrixFlopsBf16 = 4e12;
    const double bytes = total(config, map, Phase::Decode, 64, &OpCost::bytes);
    const double flops = total(config, map, Phase::Prefill, 64, &OpCost::flops);

    machine.lastLevelCacheBytes = 1;
    EXPECT_EQ(computeFloor(config, map, machine, Phase::Decode, 64).ceiling, "memory read bandwidth");
    EXPECT_DOUBLE_EQ(floorMs(config, map, machine, Phase::Decode, 64), 1e3 * bytes / 1e9);
    machine.lastLevelCacheBytes = 1 << 30;
    EXPECT_EQ(computeFloor(config, map, machine, Phase::Decode, 64).ceiling, "cache read bandwidth");
    EXPECT_DOUBLE_EQ(floorMs(config, map, machine, Phase::Decode, 64), 1e3 * bytes / 8e9);

    EXPECT_EQ(computeFloor(config, map, machine, Phase::Prefill, 64).ceiling, "matrix rate bf16");
    EXPECT_DOUBLE_EQ(floorMs(config, map, machine, Phase::Prefill, 64), 1e3 * flops / 4e12);
    machine.matrixFlopsBf16 = 0; // a processor without bf16 units
    EXPECT_EQ(computeFloor(config, map, machine, Phase::Prefill, 64).ceiling, "matrix rate f32");
}

/// One rule for the ceiling of products, whoever asks: a whole prefill, one op, or a fit.
TEST(Floor, EveryTypeHasOneMatrixCeilingOnEachKindOfMachine)
{
    MachineProfile machine;
    machine.readBytesPerSecond = machine.cachedReadBytesPerSecond = 1e18; // operations decide
    for (const auto &[onProcessor, bf16, type, perSecond, name] : {std::tuple(false, 9e14, DType::F16, 9e14, "matrix rate f16"),
                                                                   std::tuple(false, 9e14, DType::BF16, 9e14, "matrix rate bf16"),
                                                                   std::tuple(false, 9e14, DType::F32, 1e14, "matrix rate f32"),
                                                                   std::tuple(true, 9e14, DType::F16, 1e14, "matrix rate f32"),
                                                                   std::tuple(true, 9e14, DType::BF16, 9e14, "matrix rate bf16"),
                                                                   std::tuple(true, 2e13, DType::BF16, 1e14, "matrix rate f32"),
                                                                   std::tuple(false, 0.0, DType::F16, 1e14, "matrix rate f32")}) {
        machine.onProcessor = onProcessor;
        machine.matrixFlopsF32 = 1e14;
        machine.matrixFlopsBf16 = bf16;
        ModelConfig config = smallConfig();
        config.dtype = config.kvType = type;
        const HeadMap map = smallMap(config);
        const auto what = fmt::format("{} {} {}", onProcessor ? "processor" : "GPU", nameOf(type), bf16);
        EXPECT_EQ(machine.matrixCeiling(type).perSecond, perSecond) << what;
        const Floor whole = computeFloor(config, map, machine, Phase::Prefill, 64);
        EXPECT_EQ(whole.rate, perSecond) << what;
        EXPECT_EQ(whole.ceiling, name) << what;
        const OpCost qkv = opCost(config, map, Op::Qkv, 0, Phase::Prefill, 64);
        EXPECT_DOUBLE_EQ(opFloorNs(qkv, config, machine, true), 1e9 * qkv.flops / perSecond) << what;
    }
}

TEST(UsualContexts, AreAQuarterHalfAndAll)
{
    EXPECT_EQ(usualContexts(2048), (std::vector<std::int64_t>{512, 1024, 2048}));
    EXPECT_EQ(usualContexts(2), (std::vector<std::int64_t>{1, 2}));
    EXPECT_EQ(usualContexts(1), (std::vector<std::int64_t>{1}));
}

TEST(Phases, AreFoundByTheirNames)
{
    EXPECT_EQ(findPhase("prefill"), Phase::Prefill);
    EXPECT_EQ(findPhase("decode"), Phase::Decode);
    EXPECT_EQ(findPhase("Decode"), std::nullopt);
    EXPECT_EQ(findPhase(""), std::nullopt);
}

/// What both programs say of the same points: with an even number of them, two quantiles once differed.
TEST(PredictionError, IsTheMedianOverWhatNothingDisturbed)
{
    const PredictionError error
        = predictionError({{110, 100, false}, {80, 100, false}, {105, 100, false}, {85, 100, false}, {500, 100, true}});
    EXPECT_EQ(error.count, 4);
    EXPECT_EQ(error.disturbed, 1);
    EXPECT_NEAR(error.median, 0.125, 1e-12) << "between 10 and 15 %";
    EXPECT_NEAR(error.worst, 0.2, 1e-12);
    EXPECT_EQ(predictionError({{2, 1, true}}).count, 0);
}

TEST(Quantile, InterpolatesAndTakesAnyOrder)
{
    EXPECT_EQ(quantile({}, 0.5), 0);
    EXPECT_EQ(quantile({7}, 0.25), 7);
    EXPECT_EQ(quantile({4, 1, 3, 2}, 0.5), 2.5);
    EXPECT_EQ(quantile({5, 1, 3, 2, 4}, 0.75), 4);
}

} // namespace
} // namespace zigzag
