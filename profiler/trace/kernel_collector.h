// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/cupti/kernel_activity.h"
#include "profiler/trace/trace_recorder.h"

#include <memory>

namespace zigzag {

/// The kernels that a run starts on a GPU, each under the span that launched or recorded it. Stands behind a recorder in a
/// fan-out, whose innermost open span gives the id.
class KernelCollector : public TraceSink
{
public:
    /// Fails with the reason where there is no zigzag_cupti.so beside the program, or another profiler is attached.
    static Result<std::unique_ptr<KernelCollector>> start(const TraceRecorder &recorder, const KernelLimits &limits = {});
    KernelCollector(const TraceRecorder &recorder, std::unique_ptr<KernelActivity> activity)
        : m_recorder(recorder)
        , m_activity(std::move(activity))
    { }

    void begin(const SpanInfo &) override;
    void end() override { m_activity->pop(); }

    /// Ends the recording, once the device has finished: the kernels in the order of their beginning.
    std::vector<KernelRecord> stop(std::int64_t &dropped) { return m_activity->stop(dropped); }

private:
    const TraceRecorder &m_recorder;
    std::unique_ptr<KernelActivity> m_activity;
};

} // namespace zigzag
