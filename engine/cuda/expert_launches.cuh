// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// The launches of the op `experts`, one after another.

#include "engine/cuda/kernels/expert_tiles.cuh"
#include "engine/cuda/kernels/experts.cuh"
#include "engine/run/backend.h"

#include <algorithm>

namespace zigzag::gpu {

/// One piece of tokens after the other. What each leaves in the scratch, the next one writes over: kernels follow one another.
template <class T> class ExpertLaunches
{
public:
    ExpertLaunches(const ExpertsArgs &args, const ExpertMatrices (&matrices)[3], const ExpertPlan &plan, void *scratch,
                   Stream stream, Start start)
        : m_args(args)
        , m_matrices(matrices)
        , m_plan(plan)
        , m_scratch(static_cast<std::byte *>(scratch))
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
        return begin(routeExperts<>, {expertWarpBlocks(tokens)}, expertWarpThreads, 0, args);
    }

    int runPairs(std::int64_t first, int tokens)
    {
        const ExpertGateUpArgs wide = {in(first), at<std::int32_t>(0), at<void>(m_plan.middle), m_args.perToken,
                                       m_hidden,  m_intermediate,      m_matrices[0],           m_matrices[1]};
        const int status = begin(expertGateUp<T>, {expertWarpBlocks(m_intermediate), pairs(tokens)}, expertWarpThreads, 0, wide);
        if (status != 0)
            return status;
        const ExpertDownArgs down
            = {at<void>(m_plan.middle), at<std::int32_t>(0), at<float>(m_plan.weights), out(first), m_args.perToken, m_hidden,
               m_intermediate,          m_matrices[2]};
        return begin(expertDown<T>, {expertWarpBlocks(m_hidden), static_cast<unsigned>(tokens)}, expertWarpThreads,
                     expertDownSharedBytes, down);
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
                status = multiply<true>({in(first), at<void>(m_plan.middle), begins, order, m_experts, m_args.perToken,
                                         m_intermediate, m_hidden, m_matrices[0], m_matrices[1]});
            if (status == 0)
                status = multiply<false>({at<void>(m_plan.middle), at<void>(m_plan.parts), begins, order, m_experts,
                                          m_args.perToken, m_hidden, m_intermediate, m_matrices[2], m_matrices[2]});
            if (status != 0)
                return status;
            const ExpertSumArgs sum
                = {at<void>(m_plan.parts), at<float>(m_plan.weights), out(first), tokens, m_args.perToken, m_hidden};
            return begin(expertSum<T>, {expertSumBlocks(tokens, m_hidden)}, expertSumThreads, 0, sum);
        }
    }

    template <bool gated> int multiply(const ExpertTilesArgs &args)
    {
        constexpr int each = gated ? expertTileWeights / 2 : expertTileWeights;
        return begin(expertTiles<T, gated>, {static_cast<unsigned>((args.rows + each - 1) / each), m_plan.rowTiles},
                     expertTileThreads, m_plan.sharedBytes, args);
    }

    const ExpertsArgs &m_args;
    const ExpertMatrices (&m_matrices)[3];
    const ExpertPlan &m_plan;
    std::byte *m_scratch;
    Stream m_stream;
    Start m_start;
    int m_experts, m_hidden, m_intermediate;
};

} // namespace zigzag::gpu
