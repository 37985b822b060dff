// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/blocks.h"

#include "engine/cuda/kernels/matvec_blocks.cuh"
#include "engine/cuda/kernels/matvec_codes.cuh"

namespace zigzag::gpu {

int multiplyBlocks(HeldBlocks held, const BlockMatvecArgs &args, const MatvecPlan &plan, cudaStream_t stream, bool early)
{
    const Start start = startOf(early);
    return withBlocks(held, [&]<class Format>(Format) {
        if constexpr (!Format::f8)
            return launchMatvecCodes<Format>(args, plan, stream, start);
        else
            return args.isBf16 ? launchMatvecBlocks<Bf16, Format>(args, plan, stream, start)
                               : launchMatvecBlocks<F16, Format>(args, plan, stream, start);
    });
}

int launchBlockRows(HeldBlocks held, DType type, const BlockRowsArgs &args, std::int64_t count, cudaStream_t stream, bool early)
{
    return withBlocks(held, [&]<class Format>(Format) {
        const auto run = [&](auto kernel) {
            return launch(kernel, {static_cast<unsigned>(count), 1, 1}, blockRowsThreads, 0, stream, args, startOf(early));
        };
        return type == DType::F32 ? run(blockRows<float, Format>)
            : type == DType::BF16 ? run(blockRows<Bf16, Format>)
                                  : run(blockRows<F16, Format>);
    });
}

} // namespace zigzag::gpu
