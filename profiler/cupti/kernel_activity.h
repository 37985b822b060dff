// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace zigzag {

/// One kernel as the GPU ran it.
struct KernelRecord {
    std::int64_t beginNs = 0, endNs = 0; ///< on the host's steady clock
    std::string name; ///< readable
    std::uint32_t stream = 0;
    std::int64_t launchedBy = -1; ///< the id that was pushed when the host launched it, or the recording it is in; −1: none
    std::int64_t recordedBy = -1; ///< of a recording's kernel: the id that was pushed when it was recorded; −1: none
    bool isReplayed = false; ///< it was launched as a part of a recording
};

/// What is kept of a run: memory is bounded, and what is beyond is counted.
struct KernelLimits {
    std::size_t bufferBytes = std::size_t{1} << 20; ///< of one of CUPTI's buffers
    int mostBuffers = 64; ///< that CUPTI has at a time
    std::size_t mostKernels = std::size_t{1} << 21;
};

/// Kernel records of this process, by CUPTI. Lives in a module (zigzag_cupti.so beside the program), so that the program starts
/// without CUPTI and without a driver. One at a time; pushes, pops and recordings happen on one thread.
class KernelActivity
{
public:
    virtual ~KernelActivity() = default;
    /// What is launched or recorded until `pop` belongs to this id. Nests.
    virtual void push(std::uint64_t id) = 0;
    virtual void pop() = 0;
    /// Ends the recording and returns its kernels in the order of their beginning; the device must have finished them.
    /// `dropped`: records that no longer fitted into the bounds, or that came without times.
    virtual std::vector<KernelRecord> stop(std::int64_t &dropped) = 0;
};

} // namespace zigzag

/// Null and a reason where records cannot be had: another profiler is attached, say.
extern "C" zigzag::KernelActivity *zigzagStartKernelActivity(const zigzag::KernelLimits *limits, std::string *reason);
