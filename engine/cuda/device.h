// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/cuda/gpu/heuristics.h"
#include "engine/run/backend.h"

#include <cstddef>
#include <cuda_runtime.h>
#include <memory>
#include <string>
#include <vector>

namespace zigzag::gpu {

/// The GPU that a backend works on: its limits, its one stream, and the first thing that went wrong since it was last asked.
class Device
{
public:
    /// The nth GPU that this build can use, which becomes the calling thread's. Fails where there is none, with the reason.
    static Result<std::unique_ptr<Device>> open(int nth = 0);
    /// How many there are.
    static int count();
    ~Device();
    Device(const Device &) = delete;
    Device &operator=(const Device &) = delete;

    int index() const { return m_index; } ///< as CUDA counts devices
    cudaStream_t stream() const { return m_stream; }
    const GpuLimits &limits() const { return m_limits; }
    DeviceInfo info() const;

    Result<std::unique_ptr<Buffer>> allocate(std::size_t bytes);

    /// Notes a status that is not success; `what` says in which op. Later ones are consequences.
    void check(int status, const char *what);
    /// Waits for the stream, and notes a failure for `synchronize`.
    void wait();
    /// Waits for the stream. The first failure since the last call, as one line.
    Result<void> synchronize();

private:
    Device() = default;

    int m_index = 0;
    cudaStream_t m_stream = nullptr;
    GpuLimits m_limits;
    DeviceInfo m_info;
    int m_failed = 0;
    const char *m_failedIn = "";
};

/// A status as a person reads it.
std::string textOf(int status);

} // namespace zigzag::gpu
