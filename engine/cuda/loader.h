// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/device.h"

#include <array>

namespace zigzag::gpu {

/// Copies from ordinary memory (a memory map, say) to the device through two page-locked buffers: one is filled while the
/// other is on its way. The buffers are made for the first large copy and kept.
class Loader
{
public:
    explicit Loader(Device &device)
        : m_device(device)
    { }
    ~Loader();
    Loader(const Loader &) = delete;
    Loader &operator=(const Loader &) = delete;

    /// Returns when `from` may change; the copy itself is in the device's stream.
    void copy(void *to, const void *from, std::size_t bytes);

private:
    static constexpr std::size_t stageBytes = 32u << 20;
    struct Stage {
        void *memory = nullptr;
        cudaEvent_t sent = nullptr;
    };
    bool haveStages();

    Device &m_device;
    std::array<Stage, 2> m_stages;
    std::size_t m_next = 0;
    bool m_ready = false;
};

} // namespace zigzag::gpu
