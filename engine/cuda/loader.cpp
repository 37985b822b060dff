// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/loader.h"

#include <algorithm>
#include <cstring>

namespace zigzag::gpu {

Loader::~Loader()
{
    for (const Stage &stage : m_stages) {
        if (stage.sent)
            cudaEventDestroy(stage.sent);
        if (stage.memory)
            cudaFreeHost(stage.memory);
    }
}

bool Loader::haveStages()
{
    if (m_ready)
        return true;
    for (Stage &stage : m_stages) {
        int status = stage.memory ? cudaSuccess : cudaMallocHost(&stage.memory, stageBytes);
        if (status == cudaSuccess && !stage.sent)
            status = cudaEventCreateWithFlags(&stage.sent, cudaEventDisableTiming);
        m_device.check(status, "page-locked memory");
        if (status != cudaSuccess)
            return false;
    }
    return m_ready = true;
}

void Loader::copy(void *to, const void *from, std::size_t bytes)
{
    constexpr std::size_t small = 64u << 10; // the driver keeps a copy of what is smaller
    if (bytes <= small) {
        m_device.check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, m_device.stream()), "an upload");
        return;
    }
    if (!haveStages())
        return;
    for (std::size_t done = 0; done < bytes; done += stageBytes) {
        const std::size_t part = std::min(stageBytes, bytes - done);
        Stage &stage = m_stages[m_next];
        m_next = 1 - m_next;
        m_device.check(cudaEventSynchronize(stage.sent), "an upload");
        std::memcpy(stage.memory, static_cast<const std::byte *>(from) + done, part);
        m_device.check(
            cudaMemcpyAsync(static_cast<std::byte *>(to) + done, stage.memory, part, cudaMemcpyHostToDevice, m_device.stream()),
            "an upload");
        m_device.check(cudaEventRecord(stage.sent, m_device.stream()), "an upload");
    }
}

} // namespace zigzag::gpu
