// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/device.h"
#include "engine/run/backend.h"

#include <cuda_runtime.h>

namespace zigzag::gpu {

/// A recorded step: one graph, so that the host starts hundreds of kernels with one call.
class CudaRecording : public Recording
{
public:
    CudaRecording(Device &device, cudaGraphExec_t graph)
        : m_device(device)
        , m_graph(graph)
    { }
    ~CudaRecording() override { cudaGraphExecDestroy(m_graph); }
    void replay() override { m_device.check(cudaGraphLaunch(m_graph, m_device.stream()), "a recorded step"); }

private:
    Device &m_device;
    cudaGraphExec_t m_graph;
};

} // namespace zigzag::gpu
