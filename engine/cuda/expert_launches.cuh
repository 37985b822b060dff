// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// The launches of the op `experts`, one after another.

#include "engine/cuda/block_layout.h"
#include "engine/cuda/experts.h"
#include "engine/cuda/kernels/expert_blocks.cuh"
#include "engine/cuda/kernels/expert_tiles.cuh"
#include "engine/cuda/kernels/experts.cuh"
#include "engine/run/backend.h"

#include <algorithm>

namespace zigzag::gpu {

/// One piece of tokens after the other. What each leaves in the scratch, the next one writes over: kernels follow one another.
template <class T> class ExpertLaunches
{
public:
    ExpertLaunches(const ExpertsArgs &args, const ExpertWeights &weights, const ExpertPlan &plan, ExpertMemory memory,
                   Stream stream, Start start)
        : m_args(args)
        , m_weights(weights)
        , m_plan(plan)
        , m_memory(memory)
        , m_scratch(static_cast<std::byte *>(memory.scratch))
        , m_stream(stream)
        , m_start(start)
        , m_experts(static_cast<int>(args.gates.size()))
        , m_hidden(static_cast<int>(args.gates[0]->columns))
        , m_intermediate(static_cast<int>(args.gates[0]->rows))
    { }

    int run()
    {
        int status = 0; // a cudaError_t
        for (std::int64_t first = 0; first < m_args.tokens && status == 0; first += m_plan.tokens) {
            const int tokens = static_cast<int>(std::min<std::int64_t>(m_plan.tokens, m_args.tokens - first));
            status = route(first, tokens);
            if (status == 0)
                status = m_plan.grouped ? runGrouped(first, tokens) : runPairs(first, tokens);
        }
        return status;
    }

private:
    template <class Kernel, class Args> int begin(Kernel kernel, Grid grid, int threads, std::size_t shared, const Args &args)
    {
        return launch(kernel, grid, threads, shared, m_stream, args, m_start);
    }
    template <class Value> Value *at(std::size_t offset) const { return reinterpret_cast<Value *>(m_scratch + offset); }
    const T *in(std::int64_t first) const { return static_cast<const T *>(m_args.in) + first * m_hidden; }
    float *out(std::int64_t first) const { return m_args.out + first * m_hidden; }
    unsigned pairs(int tokens) const { return static_cast<unsigned>(tokens * m_args.perToken); }

    int route(std::int64_t first, int tokens)
    {
        const RouteArgs args = {m_args.routes + first * m_experts,
                                at<std::int32_t>(0),
                                at<float>(m_plan.weights),
                                tokens,
                                m_experts,
                                m_args.perToken,
                                m_args.renormalises};
        constexpr int few = 128; // more would be registers that most models do not need
        const Grid grid = {expertWarpBlocks(tokens)};
        return m_experts <= few ? begin(routeExperts<few>, grid, expertWarpThreads, 0, args)
                                : begin(routeExperts<maxExperts>, grid, expertWarpThreads, 0, args);
    }

    int runPairs(std::int64_t first, int tokens)
    {
        const ExpertGateUpArgs wide = {in(first), at<std::int32_t>(0), at<void>(m_plan.middle), m_args.perToken,
                                       m_hidden,  m_intermediate,      m_weights.gates.all,     m_weights.ups.all};
        const auto heldWide = m_weights.gates.held[0], heldDown = m_weights.downs.held[0];
        const int status = heldWide
            ? withForm(*heldWide,
                       [&]<class Format>(Format) {
                           return begin(expertGateUpBlocks<T, Format>, {expertBlockTiles(m_intermediate), pairs(tokens)},
                                        expertWarpThreads, expertGateUpBlocksBytes, wide);
                       })
            : begin(expertGateUp<T>, {expertWarpBlocks(m_intermediate), pairs(tokens)}, expertWarpThreads, 0, wide);
        if (status != 0)
            return status;
        const ExpertDownArgs down
            = {at<void>(m_plan.middle), at<std::int32_t>(0), at<float>(m_plan.weights), out(first), m_args.perToken, m_hidden,
               m_intermediate,          m_weights.downs.all};
        if (heldDown)
            return withForm(*heldDown, [&]<class Format>(Format) {
                return begin(expertDownBlocks<T, Format>, {expertBlockTiles(m_hidden), static_cast<unsigned>(tokens)},
                             expertWarpThreads, expertDownBlocksBytes, down);
            });
        return begin(expertDown<T>, {expertWarpBlocks(m_hidden), static_cast<unsigned>(tokens)}, expertWarpThreads,
                     sizeof(BlockRoute), down);
    }

    int runGrouped(std::int64_t first, int tokens)
    {
        if constexpr (std::is_same_v<T, float>) {
            return 1; // cudaErrorInvalidValue: no plan says so
        } else {
            auto *begins = at<std::int32_t>(m_plan.first), *order = at<std::int32_t>(m_plan.order);
            const SortRoutesArgs sort = {at<std::int32_t>(0), begins, order, static_cast<int>(pairs(tokens)), m_experts};
            int status = begin(sortRoutes<>, {static_cast<unsigned>(m_experts)}, sortRoutesThreads, sortRoutesSharedBytes, sort);
            if (status == 0)
                status = multiplyAll<true>(
                    {in(first), at<void>(m_plan.middle), begins, order, m_experts, m_args.perToken, m_intermediate, m_hidden});
            if (status == 0)
                status = multiplyAll<false>({at<void>(m_plan.middle), at<void>(m_plan.parts), begins, order, m_experts,
                                             m_args.perToken, m_hidden, m_intermediate});
            if (status != 0)
                return status;
            const ExpertSumArgs sum
                = {at<void>(m_plan.parts), at<float>(m_plan.weights), out(first), tokens, m_args.perToken, m_hidden};
            return begin(expertSum<T>, {expertSumBlocks(tokens, m_hidden)}, expertSumThreads, 0, sum);
        }
    }

    /// All experts, in pieces of one form: of quantised matrices as many as there is room for as plain numbers, or some rows of
    /// one.
    template <bool gated> int multiplyAll(ExpertTilesArgs args)
    {
        const ExpertList &list = gated ? m_weights.gates : m_weights.downs, &other = gated ? m_weights.ups : m_weights.downs;
        const std::int64_t rowBytes = std::int64_t{args.columns} * sizeof(T) * (gated ? 2 : 1);
        const auto room = static_cast<std::int64_t>(m_memory.widenedBytes) / rowBytes; // rows
        for (int e = 0, end = 0; e < m_experts; e = end) {
            const bool isHeld = list.held[e] || other.held[e];
            const std::int64_t most = isHeld ? std::max<std::int64_t>(1, room / args.rows) : m_experts;
            for (end = e + 1;
                 end < m_experts && end - e < most && list.held[end] == list.held[e] && other.held[end] == other.held[e];)
                ++end;
            const auto rows = isHeld && room < args.rows ? static_cast<int>(room / vectorWidth * vectorWidth) : args.rows;
            if (rows == 0)
                return 1; // cudaErrorInvalidValue: a matrix wider than any
            for (int row = 0; row < args.rows; row += rows) {
                args.firstExpert = e;
                args.lastExpert = end;
                args.firstRow = row;
                args.lastRow = std::min(row + rows, args.rows);
                if (const int status = multiply<gated>(args, list, other); status != 0)
                    return status;
            }
        }
        return 0;
    }

    template <bool gated> int multiply(ExpertTilesArgs &args, const ExpertList &list, const ExpertList &other)
    {
        auto *widened = static_cast<T *>(m_memory.widened);
        int status = takeRows(args, list, args.matrices, widened);
        if (gated && status == 0)
            status = takeRows(args, other, args.ups, widened);
        if (status != 0)
            return status;
        constexpr int each = gated ? expertTileWeights / 2 : expertTileWeights;
        return begin(expertTiles<T, gated>,
                     {static_cast<unsigned>((args.lastRow - args.firstRow + each - 1) / each), m_plan.rowTiles},
                     expertTileThreads, m_plan.sharedBytes, args);
    }

    /// Where the piece's rows are as plain numbers, which are made of quantised ones behind `widened`.
    int takeRows(const ExpertTilesArgs &args, const ExpertList &list, ExpertMatrices &to, T *&widened)
    {
        const auto held = list.held[args.firstExpert];
        const std::int64_t rows = args.lastRow - args.firstRow, pitch = rows * args.columns;
        for (int e = args.firstExpert; e < args.lastExpert; ++e)
            to.at[e] = held ? widened + (e - args.firstExpert) * pitch
                            : static_cast<const T *>(list.all.at[e]) + std::int64_t{args.firstRow} * args.columns;
        if (!held)
            return 0;
        const int experts = args.lastExpert - args.firstExpert;
        const ExpertRowsArgs from
            = {args.first, widened, pitch, args.firstExpert, args.firstRow, args.columns, list.of(args.firstExpert)};
        widened += experts * pitch;
        return withForm(*held, [&]<class Format>(Format) {
            return begin(expertRows<T, Format>, {static_cast<unsigned>(rows), static_cast<unsigned>(experts)}, blockRowsThreads,
                         0, from);
        });
    }

    /// Quantised matrices beside floats are on no device.
    template <class Run> static int withForm(HeldBlocks held, Run &&run)
    {
        if constexpr (std::is_same_v<T, float>)
            return 1; // cudaErrorInvalidValue
        else
            return withBlocks(held, std::forward<Run>(run));
    }

    const ExpertsArgs &m_args;
    const ExpertWeights &m_weights;
    const ExpertPlan &m_plan;
    ExpertMemory m_memory;
    std::byte *m_scratch;
    Stream m_stream;
    Start m_start;
    int m_experts, m_hidden, m_intermediate;
};

} // namespace zigzag::gpu
