// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/base/result.h"

#include <cstddef>
#include <cuda_runtime_api.h>
#include <span>
#include <string>

namespace zigzag::gpu {

/// NVIDIA's library of collectives (https://docs.nvidia.com/deeplearning/nccl, API of version 2.10 and newer), opened where it is
/// installed: nothing is linked with it. What is used of it is declared here.
class Nccl
{
public:
    using Communicator = void *;

    /// Of the process; opened once. Fails where there is no libnccl.so.2, with the packages that have it.
    static Result<const Nccl *> open();

    /// One communicator for each device, in this order.
    Result<void> join(std::span<const int> devices, std::span<Communicator> communicators) const;
    /// In place, on a stream. Returns a ncclResult_t, 0 when the call was taken.
    int sum(void *numbers, std::size_t count, DType type, Communicator communicator, cudaStream_t stream) const;
    void destroy(Communicator communicator) const { m_destroy(communicator); }
    /// What waits on the device as well stops waiting. The communicator is gone.
    void abort(Communicator communicator) const { m_abort(communicator); }
    std::string textOf(int result) const { return m_errorText(result); }

private:
    using Stream = cudaStream_t;
    int (*m_initAll)(Communicator *, int, const int *) = nullptr;
    int (*m_allReduce)(const void *, void *, std::size_t, int, int, Communicator, Stream) = nullptr;
    int (*m_destroy)(Communicator) = nullptr;
    int (*m_abort)(Communicator) = nullptr;
    const char *(*m_errorText)(int) = nullptr;
};

} // namespace zigzag::gpu
