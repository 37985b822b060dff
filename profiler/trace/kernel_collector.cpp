// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/kernel_collector.h"

#include "engine/base/installation.h"

#include <cstdlib>
#include <dlfcn.h>
#include <fmt/format.h>

namespace zigzag {
namespace {

/// What the environment says of a profiler that came with the process; "" when it says nothing.
std::string injected()
{
    for (const char *name : {"CUDA_INJECTION64_PATH", "NSYS_PROFILING_SESSION_ID", "NV_COMPUTE_PROFILER_PERFWORKS_DIR"})
        if (const char *value = std::getenv(name); value && *value)
            return fmt::format(" ({} is set)", name);
    return {};
}

} // namespace

Result<std::unique_ptr<KernelCollector>> KernelCollector::start(const TraceRecorder &recorder, const KernelLimits &limits)
{
    const auto file = moduleFile("zigzag_cupti.so");
    if (file.empty())
        return failed("there is no zigzag_cupti.so beside the program or in lib/zigzag of its installation: configure with "
                      "-DZIGZAG_CUDA=ON to record kernels");
    void *module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!module)
        return failed(
            fmt::format("{}: install the CUDA toolkit's CUPTI (package cuda-cupti), or add its folder extras/CUPTI/lib64 "
                        "to LD_LIBRARY_PATH, to record kernels",
                        dlerror()));
    using Start = KernelActivity *(const KernelLimits *, std::string *);
    const auto start = reinterpret_cast<Start *>(dlsym(module, "zigzagStartKernelActivity"));
    if (!start)
        return failed(fmt::format("{} is not of this version: build it again", file.string()));
    std::string reason;
    std::unique_ptr<KernelActivity> activity(start(&limits, &reason));
    if (!activity)
        return failed(reason + injected());
    return std::make_unique<KernelCollector>(recorder, std::move(activity));
}

void KernelCollector::begin(const SpanInfo &)
{
    // A span that the recorder dropped has no index: its kernels belong to none.
    m_activity->push(static_cast<std::uint64_t>(static_cast<std::int64_t>(m_recorder.current())));
}

} // namespace zigzag
