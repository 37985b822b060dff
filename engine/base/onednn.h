// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.hpp>

/// What differs between oneDNN 2 (Debian 12) and oneDNN 3 (Debian 13), and how both are called from our threads.
namespace zigzag::onednn {

/// Threads of the products that the calling thread makes or runs from now on. Debian's oneDNN has OpenMP's threads, which wait
/// for each other by spinning; ours share the work instead (thread_pool.h). OpenMP comes with oneDNN or not at all, so nothing
/// is linked for it.
inline void setThreads(int threads)
{
    static const auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
    if (set)
        set(threads);
}

/// What a part calls before it calls oneDNN.
inline void stayOnThisThread()
{
    setThreads(1);
}

/// out = in · weights (+ bias, where it is not an empty descriptor). The scratchpad is the caller's
/// (DNNL_ARG_SCRATCHPAD), so that threads can run one primitive at the same time.
inline dnnl::matmul::primitive_desc describeMatmul(const dnnl::engine &engine, const dnnl::memory::desc &in,
                                                   const dnnl::memory::desc &weights, const dnnl::memory::desc &bias,
                                                   const dnnl::memory::desc &out, dnnl::primitive_attr attributes = {})
{
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const bool hasBias = bias != dnnl::memory::desc();
#if DNNL_VERSION_MAJOR >= 3
    return hasBias ? dnnl::matmul::primitive_desc(engine, in, weights, bias, out, attributes)
                   : dnnl::matmul::primitive_desc(engine, in, weights, out, attributes);
#else
    return {hasBias ? dnnl::matmul::desc(in, weights, bias, out) : dnnl::matmul::desc(in, weights, out), attributes, engine};
#endif
}

/// Multiplies the result by `scale`, before what is appended later.
inline void appendScale(dnnl::post_ops &ops, float scale)
{
#if DNNL_VERSION_MAJOR >= 3
    ops.append_eltwise(dnnl::algorithm::eltwise_linear, scale, 0.0f);
#else
    ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_linear, scale, 0.0f);
#endif
}

} // namespace zigzag::onednn
