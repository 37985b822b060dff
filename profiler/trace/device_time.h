// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/cupti/kernel_activity.h"
#include "profiler/trace/trace.h"

#include <cstdint>
#include <span>
#include <vector>

namespace zigzag {

/// Spans in the time of the device that ran their kernels.
struct DeviceSpans {
    std::vector<TraceSpan> spans; ///< row 0: from an op's first kernel to the end of its last
    std::vector<int> batches; ///< [spans]
    std::vector<std::string> rows; ///< row 0, then a stream each
    std::vector<std::string> kernelNames;
    std::vector<KernelSpan> kernels; ///< by rows in the order of their beginning; times begin at the first one
    std::int64_t unknown = 0; ///< kernels that belong to no span
};

inline constexpr const char *deviceRow = "GPU, by op";

/// The host returns from an op before its kernels have run, and of a replayed recording it sees one call: what it records says
/// which kernels belong together, and the kernels say when they ran. `host` are the spans as a recorder has them, with their
/// `batches`; a replayed pass gets the ops that the host saw while it was recorded. Passes whose outermost span comes before
/// `firstSpan` are left out: they warmed up. An op without kernels of its own is left out, since it ran inside another's.
///
/// A kernel that was started early waits for the one before it: its time counts from that one's end on. The CUDA backend puts
/// norms and gates off until it knows the op behind them (engine/cuda/cuda_backend.cu); their kernels go back to the op that
/// asked for them: a norm's kernel to the norm, a gated product to `gate_up`.
DeviceSpans inDeviceTime(std::span<const TraceSpan> host, std::span<const int> batches, const std::vector<KernelRecord> &records,
                         std::size_t firstSpan = 0);

/// From where on a kernel's time counts: the end of those before it in its row. Called in the order of `Trace::kernels`.
class OwnTime
{
public:
    std::int64_t beginNs(const KernelSpan &kernel);

private:
    std::vector<std::int64_t> m_end; ///< by row
};

} // namespace zigzag
