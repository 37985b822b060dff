// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/gpu.h"

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

constexpr Start startOf(bool early)
{
    return early ? Start::Early : Start::AfterPrevious;
}

} // namespace zigzag::gpu

#if defined(__CUDACC__)
#include <algorithm>
#include <cuda_runtime.h>

namespace zigzag::gpu {

using Stream = cudaStream_t;

inline constexpr std::size_t mostSharedUnasked = 48u << 10; ///< bytes that every kernel may use

/// The share of a multiprocessor's memory, in per cent, that its blocks need as shared memory; the rest is first-level cache.
/// The next kernel may start beside this one and finds the memory divided as it is: matrix-vector products keep their loads
/// in flight in that cache, and lose a third of their speed where none is left. A kernel that needs another division waits
/// until the multiprocessor is empty, so kernels that start early all ask for the same one, which leaves room for both (92 KiB
/// of 256 on compute capability 9.0): a step of streaming layers is 2 % faster than with what each kernel needs.
inline int sharedCarveout(std::int64_t blocks, std::size_t sharedBytes, Start start)
{
    static const auto limit = [](cudaDeviceAttr which) {
        int device = 0, value = 0;
        return cudaGetDevice(&device) == cudaSuccess && cudaDeviceGetAttribute(&value, which, device) == cudaSuccess ? value : 1;
    };
    static const int multiprocessors = limit(cudaDevAttrMultiProcessorCount);
    static const int all = limit(cudaDevAttrMaxSharedMemoryPerMultiprocessor);
    constexpr std::int64_t reserved = 1 << 10; // of each block, by the system
    constexpr int common = 160 << 10;
    const int least = start == Start::Early && all > common ? 100 * common / all : cudaSharedmemCarveoutDefault;
    if (sharedBytes <= mostSharedUnasked)
        return least;
    const std::int64_t each = static_cast<std::int64_t>(sharedBytes) + reserved;
    const std::int64_t beside
        = std::clamp<std::int64_t>((blocks + multiprocessors - 1) / multiprocessors, 1, std::max<std::int64_t>(1, all / each));
    return std::max(least, static_cast<int>(std::min<std::int64_t>(100, (100 * beside * each + all - 1) / all)));
}

/// Starts a kernel: the only place that does. Returns a cudaError_t, 0 when the launch was taken. More than 48 KiB of shared
/// memory is asked for by itself. An empty grid is no work, not an error.
template <class Args>
int launch(void (*kernel)(Args), Grid grid, int threads, std::size_t sharedBytes, Stream stream,
           const std::type_identity_t<Args> &args, Start start = Start::AfterPrevious)
{
    if (grid.x == 0 || grid.y == 0 || grid.z == 0)
        return cudaSuccess;
    int ready = cudaSuccess;
    if (sharedBytes > mostSharedUnasked)
        ready = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(sharedBytes));
    const int carveout = sharedCarveout(std::int64_t{grid.x} * grid.y * grid.z, sharedBytes, start);
    if (ready == cudaSuccess && carveout != cudaSharedmemCarveoutDefault)
        ready = cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout, carveout);
    if (ready != cudaSuccess)
        return ready;
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
