// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu.h"

#include <cstddef>
#include <type_traits>

namespace zigzag::gpu {

/// Blocks in each direction.
struct Grid {
    unsigned x = 1, y = 1, z = 1;
};

/// When a kernel starts: after the one before it has ended, or early, as far as that one allows (allowNext in
/// gpu_device.h), which needs compute capability 9.0 and a kernel that calls waitForPrevious.
enum class Start { AfterPrevious, Early };

} // namespace zigzag::gpu

#if defined(__CUDACC__)
#include <cuda_runtime.h>

namespace zigzag::gpu {

using Stream = cudaStream_t;

/// Starts a kernel: the only place that does. Returns a cudaError_t, 0 when the launch was taken. More than 48 KiB of shared
/// memory is asked for by itself. An empty grid is no work, not an error.
template <class Args>
int launch(void (*kernel)(Args), Grid grid, int threads, std::size_t sharedBytes, Stream stream,
           const std::type_identity_t<Args> &args, Start start = Start::AfterPrevious)
{
    if (grid.x == 0 || grid.y == 0 || grid.z == 0)
        return cudaSuccess;
    if (sharedBytes > 48u << 10) {
        int raised = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(sharedBytes));
        if (raised == cudaSuccess) // as many blocks side by side as fit, at the first-level cache's cost
            raised = cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout, cudaSharedmemCarveoutMaxShared);
        if (raised != cudaSuccess)
            return raised;
    }
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(grid.x, grid.y, grid.z);
    config.blockDim = dim3(static_cast<unsigned>(threads));
    config.dynamicSmemBytes = sharedBytes;
    config.stream = stream;
    cudaLaunchAttribute early = {};
    early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    early.val.programmaticStreamSerializationAllowed = 1;
    config.attrs = &early;
    config.numAttrs = start == Start::Early ? 1 : 0;
    return cudaLaunchKernelEx(&config, kernel, args);
}

} // namespace zigzag::gpu
#else
#include "gpu_host_launch.h"
#endif
