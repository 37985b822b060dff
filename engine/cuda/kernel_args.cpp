// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/kernel_args.h"

#include "engine/cuda/cache_views.h"
#include "engine/cuda/cuda_matrix.h"

#include <algorithm>

namespace zigzag::gpu {

MatvecArgs matvecOf(const MatmulArgs &args)
{
    MatvecArgs matvec = {};
    matvec.in = args.in;
    matvec.batch = static_cast<int>(args.tokens);
    matvec.columns = static_cast<int>(args.products[0].matrix->columns);
    for (std::size_t i = 0; i < args.products.size(); ++i) {
        const Product &product = args.products[i];
        matvec.products[i] = {.weights = static_cast<const CudaMatrix *>(product.matrix)->data(),
                              .bias = product.bias,
                              .residual = product.residual,
                              .out = product.out,
                              .rows = static_cast<int>(product.matrix->rows),
                              .floatOut = product.residual || product.floatOut,
                              .scale = product.scale};
    }
    return matvec;
}

bool mayBeGated(std::span<const Product> products)
{
    return products.size() == 2 && products[0].matrix->rows == products[1].matrix->rows
        && std::ranges::none_of(products, [](const Product &p) { return p.residual || p.floatOut || p.scale != 1; });
}

AttentionKernelArgs attentionOf(const AttentionArgs &args)
{
    AttentionKernelArgs kernel = {
        .queries = args.queries,
        .out = args.out,
        .rows = {0, args.rows.count, args.rows.positions, args.firstPosition}, // the caches begin at the first sequence
        .tokens = static_cast<int>(args.tokens / args.rows.count),
        .queryHeads = args.queryHeads,
        .kvHeads = args.kvHeads,
        .headDim = args.headDim,
        .scoreScale = 0, // both by setScores
        .capScale = 0,
        .sinkLogits = args.sinkLogits,
        .valueScale = args.scales.value,
        .caches = viewOf(args.heads, args.selected, args.rows),
    };
    setScores(kernel, args.scales.key * zigzag::scoreScale(args.scale, args.headDim), args.softCap);
    return kernel;
}

DecodeTurn turnOf(const RopeAppendArgs &args)
{
    return {.keys = args.keys,
            .values = args.values,
            .queryNorm = args.queryNorm,
            .keyNorm = args.keyNorm,
            .cosSin = args.cosSin,
            .queryScales = args.queryScales,
            .epsilon = args.epsilon,
            .keyScale = args.scales.key,
            .valueScale = args.scales.value,
            .rotaryDim = args.rotaryDim,
            .interleaved = args.interleaved};
}

} // namespace zigzag::gpu
