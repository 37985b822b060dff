// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/kernels/matvec_blocks.cuh"
#include "engine/cuda/kernels/matvec_codes.cuh"
#include "tests/engine/cuda/blocks_matrix.h"

namespace zigzag::test {
namespace {

using gpu::Bf16, gpu::F16, gpu::HeldBlocks;

struct Case {
    std::vector<int> rows;
    int columns, batch;
    bool more, gated, norm;
    int sharedPerBlock = gpu::GpuLimits{}.sharedPerBlock;
};

/// Against a plain loop over the numbers that the file's bytes stand for, in float64.
template <class T> void checkProducts(WeightType type, const Case &c, double tolerance)
{
    const auto width = static_cast<std::size_t>(c.columns), count = static_cast<std::size_t>(c.batch);
    const DeviceArray<T> in(randomFloats(count * width, 1));
    const DeviceArray<float> floats(randomFloats(count * width, 2)), weight(randomFloats(width, 3));
    std::vector<double> x;
    for (std::size_t b = 0; b < count; ++b) {
        double square = 0;
        for (std::size_t i = 0; i < width; ++i)
            square += double{floats[b * width + i]} * double{floats[b * width + i]};
        const double factor = 1 / std::sqrt(square / static_cast<double>(width) + 1e-5);
        for (std::size_t i = 0; i < width; ++i)
            x.push_back(c.norm ? double{floats[b * width + i]} * factor * double{weight[i]}
                               : double{gpu::toFloat(in[b * width + i])});
    }
    gpu::BlockMatvecArgs args = {};
    args.base.in = c.norm ? static_cast<const void *>(floats.data()) : in.data();
    args.base.normWeight = c.norm ? weight.data() : nullptr;
    args.base.epsilon = 1e-5f;
    args.base.batch = c.batch;
    args.base.columns = c.columns;
    args.isBf16 = std::is_same_v<T, Bf16>;
    std::vector<std::unique_ptr<BlocksMatrix>> matrices;
    std::vector<std::vector<float>> biases, residuals;
    std::vector<std::unique_ptr<DeviceArray<T>>> outs;
    std::vector<std::unique_ptr<DeviceArray<float>>> floatOuts;
    for (std::size_t i = 0; i < c.rows.size(); ++i) {
        const auto outputs = static_cast<std::size_t>(c.rows[i]);
        matrices.push_back(std::make_unique<BlocksMatrix>(type, c.rows[i], c.columns, static_cast<unsigned>(i + 5)));
        biases.push_back(randomFloats(outputs, 20 + i));
        residuals.push_back(randomFloats(count * outputs, 30 + i));
        outs.push_back(std::make_unique<DeviceArray<T>>(count * outputs));
        floatOuts.push_back(std::make_unique<DeviceArray<float>>(residuals[i]));
        args.matrices[i] = matrices[i]->blocks();
        args.base.products[i] = {nullptr,
                                 c.more ? biases[i].data() : nullptr,
                                 c.more && !c.gated ? floatOuts[i]->data() : nullptr,
                                 c.more && !c.gated ? static_cast<void *>(floatOuts[i]->data()) : outs[i]->data(),
                                 c.rows[i],
                                 c.more && !c.gated,
                                 c.more && !c.gated ? 0.5f : 1.0f};
    }
    const gpu::MatvecPlan plan = gpu::planBlocks(
        {c.rows.data(), c.gated ? 1 : c.rows.size()}, gpu::blockPaddedColumns(matrices[0]->layout.held, c.columns), c.batch,
        c.gated, gpu::codesRing(matrices[0]->layout.held), {.multiprocessors = 1, .sharedPerBlock = c.sharedPerBlock});
    const int status = gpu::withBlocks(matrices[0]->layout.held, [&]<class Format>(Format) {
        if constexpr (Format::f8)
            return gpu::launchMatvecBlocks<T, Format>(args, plan, {}, gpu::Start::Early);
        else
            return gpu::launchMatvecCodes<Format>(args, plan, {}, gpu::Start::Early);
    });
    ASSERT_EQ(status, 0);
    const auto dot = [&](std::size_t i, std::size_t b, std::size_t r) {
        double sum = c.more ? double{biases[i][r]} : 0.0;
        for (std::size_t k = 0; k < width; ++k)
            sum += double{matrices[i]->values[r * width + k]} * x[b * width + k];
        return sum;
    };
    for (std::size_t i = 0; i < (c.gated ? 1 : c.rows.size()); ++i) {
        std::vector<double> expected;
        for (std::size_t b = 0; b < count; ++b)
            for (std::size_t r = 0; r < static_cast<std::size_t>(c.rows[i]); ++r) {
                const double sum = dot(i, b, r);
                expected.push_back(c.gated      ? sum / (1 + std::exp(-sum)) * dot(1, b, r)
                                       : c.more ? 0.5 * sum + double{residuals[i][b * static_cast<std::size_t>(c.rows[i]) + r]}
                                                : sum);
            }
        const auto got = c.more && !c.gated ? floatOuts[i]->floats() : outs[i]->floats();
        EXPECT_LT(relativeError(got.data(), expected), tolerance) << nameOf(type) << " " << i << " of " << c.columns;
        EXPECT_TRUE(outs[i]->intact() && floatOuts[i]->intact() && matrices[i]->memory.intact());
    }
}

TEST(MatvecBlocksKernel, MatchesFloat64)
{
    for (const WeightType type : heldTypes) {
        const bool isLong = type.blockLength() > 128;
        checkProducts<Bf16>(type, {{17}, isLong ? 256 : 128, 1, false, false, false}, 6e-3);
        checkProducts<F16>(type, {{40, 7, 1}, 256, 3, true, false, false}, 2e-3);
        checkProducts<Bf16>(type, {{21, 21}, isLong ? 512 : 384, 8, true, true, true}, 1.5e-2);
        checkProducts<F16>(type, {{5, 16}, 256, 2, false, false, true}, 4e-3);
    }
    // Two tiles of a block at once, the last of which may be alone.
    checkProducts<Bf16>(BlockType::Q4K, {{150, 9}, 768, 1, true, false, true}, 6e-3);
    checkProducts<F16>(BlockType::Q80, {{75, 75}, 384, 8, true, true, true}, 4e-3);
    checkProducts<Bf16>(BlockType::Q6K, {{131, 20}, 256, 5, false, false, false}, 6e-3);
    // Where there is less shared memory, less is on its way.
    for (const auto &[type, columns] : {std::pair{BlockType::Q4K, 3072}, {BlockType::Q80, 2048}})
        for (const int shared : {99 << 10, 56 << 10})
            checkProducts<Bf16>(type, {{35}, columns, 1, false, false, false, shared}, 6e-3);
    checkProducts<Bf16>(BlockType::Q80, {{18}, 96, 2, true, false, true}, 1e-2); // a group that is short
    checkProducts<F16>(BlockType::Q41, {{18}, 4096 + 160, 1, true, false, false}, 2e-3); // and more than a round
}

TEST(MatvecBlocksKernel, WhatIsNoNumberShows)
{
    const BlocksMatrix matrix(BlockType::Q80, 3, 128, 7);
    for (const float wrong : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        std::vector<float> values = randomFloats(128, 1);
        values[77] = wrong;
        const DeviceArray<Bf16> in(values), out(3);
        gpu::BlockMatvecArgs args = {};
        args.base.in = in.data();
        args.base.batch = 1;
        args.base.columns = 128;
        args.base.products[0] = {nullptr, nullptr, nullptr, out.data(), 3, false, 1.0f};
        args.matrices[0] = matrix.blocks();
        args.isBf16 = true;
        const std::array rows = {3};
        const auto plan = gpu::planBlocks(rows, 128, 1, false, gpu::codesRing(HeldBlocks::Symmetric8), {});
        ASSERT_EQ((gpu::launchMatvecCodes<gpu::BlockFormat<8, true, gpu::BlockParams::Scale>>(args, plan, {}, gpu::Start::Early)),
                  0);
        for (const float value : out.floats())
            EXPECT_FALSE(std::isfinite(value));
    }
}

TEST(BlocksPlan, TwoTilesAtOnceWhereABlockHasTwo)
{
    const auto warps = [](int rows, std::int64_t columns, bool gated) {
        return gpu::planBlocks(std::array{rows}, columns, 1, gated, gpu::codesRing(HeldBlocks::Packed4), {}).teamWarps;
    };
    EXPECT_EQ(warps(14336, 4096, true), gpu::codesWarps / 2); // fourteen tiles a block
    EXPECT_EQ(warps(4096, 4096, false), gpu::codesWarps / 2); // two
    EXPECT_EQ(warps(2048, 4096, false), gpu::codesWarps); // one
}

TEST(BlocksPlan, ASmallerGpuHasFewerGroupsOnTheirWay)
{
    for (const HeldBlocks form :
         {HeldBlocks::Symmetric4, HeldBlocks::Symmetric8, HeldBlocks::Affine4, HeldBlocks::Affine8, HeldBlocks::Packed4,
          HeldBlocks::Packed8, HeldBlocks::Halves6, HeldBlocks::Zero4, HeldBlocks::F8}) {
        const gpu::CodesRing ring = gpu::codesRing(form);
        for (const int shared : {227 << 10, 163 << 10, 99 << 10})
            for (const std::int64_t columns : {2048, 4096, 14336}) {
                const gpu::GpuLimits gpu = {.sharedPerMultiprocessor = shared + 1024, .sharedPerBlock = shared};
                const int most = gpu::mostBlockVectors(columns, ring, gpu);
                ASSERT_GE(most, 1) << static_cast<int>(form) << " " << shared << " " << columns;
                for (int batch = 1; batch <= std::min(most, gpu::blockMaxBatch); ++batch) {
                    const auto plan = gpu::planBlocks(std::array{64}, columns, batch, false, ring, gpu);
                    EXPECT_TRUE(plan.whole && plan.sharedBytes <= static_cast<std::size_t>(shared));
                    EXPECT_EQ(plan.slots == 0, form == HeldBlocks::F8);
                }
            }
    }
    EXPECT_EQ(gpu::codesRing(HeldBlocks::Packed4).slotsFor(14336, {}), 4);
    EXPECT_EQ(gpu::codesRing(HeldBlocks::Symmetric8).slotsFor(14336, {.sharedPerBlock = 99 << 10}), 1);
}

TEST(BlockRowsKernel, DecodesAsTheFileSays)
{
    for (const WeightType type : heldTypes) {
        const int columns = type.blockLength() > 128 ? 256 : 384, rows = 19;
        const BlocksMatrix matrix(type, rows, columns, 9);
        const std::vector<std::int32_t> tokens = {18, 0, 7};
        for (const bool picks : {false, true}) {
            const std::size_t count = picks ? tokens.size() : 11;
            const DeviceArray<float> out(count * static_cast<std::size_t>(columns));
            const gpu::BlockRowsArgs args
                = {matrix.blocks(), picks ? tokens.data() : nullptr, out.data(), picks ? 0 : 8, columns, picks ? 2.0f : 1.0f};
            const int status = gpu::withBlocks(matrix.layout.held, [&]<class Format>(Format) {
                return gpu::launch(gpu::blockRows<float, Format>, {static_cast<unsigned>(count), 1, 1}, gpu::blockRowsThreads, 0,
                                   {}, args, gpu::Start::Early);
            });
            ASSERT_EQ(status, 0);
            std::vector<float> expected;
            for (std::size_t i = 0; i < count; ++i)
                for (int c = 0; c < columns; ++c)
                    expected.push_back(
                        args.scale
                        * matrix.values[static_cast<std::size_t>((picks ? tokens[i] : 8 + static_cast<int>(i)) * columns + c)]);
            expectClose(out.floats(), expected, 1e-3, 1e-3);
            EXPECT_TRUE(out.intact());
        }
    }
}

} // namespace
} // namespace zigzag::test
