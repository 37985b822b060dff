// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace zigzag {

/// One kernel as the GPU ran it.
struct KernelRecord {
    std::int64_t beginNs = 0, endNs = 0; ///< on the host's steady clock
    std::string name; ///< readable
    std::uint32_t stream = 0;
    std::int64_t launchedBy = -1; ///< the id that was pushed when it was launched; −1: none
};

/// Kernel records of this process, by CUPTI. Lives in a module (zigzag_cupti.so beside the program), so that the program starts
/// without CUPTI and without a driver.
class KernelActivity
{
public:
    virtual ~KernelActivity() = default;
    /// What is launched until `pop` belongs to this id. Nests.
    virtual void push(std::uint64_t id) = 0;
    virtual void pop() = 0;
    /// Waits for outstanding records, ends the recording and returns them in the order of their beginning. `dropped`: those that
    /// no longer fitted into the bounded buffers.
    virtual std::vector<KernelRecord> stop(std::int64_t &dropped) = 0;
};

} // namespace zigzag

/// Null and a reason where records cannot be had: another profiler is attached, say.
extern "C" zigzag::KernelActivity *zigzagStartKernelActivity(std::string *reason);
