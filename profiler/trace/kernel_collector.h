// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/cupti/kernel_activity.h"
#include "profiler/trace/trace_recorder.h"

#include <memory>

namespace zigzag {

/// The kernels that a run starts on a GPU, each under the span that launched it. Stands behind a recorder in a fan-out, whose
/// innermost open span gives the id. Only launches that the host makes are tied to spans, so a traced decode runs without
/// its recording (the session sees to that).
class KernelCollector : public TraceSink
{
public:
    /// Fails with the reason where there is no zigzag_cupti.so beside the program, or another profiler is attached.
    static Result<std::unique_ptr<KernelCollector>> start(const TraceRecorder &recorder);

    void begin(const SpanInfo &) override;
    void end() override { m_activity->pop(); }

    /// Ends the recording and adds its kernels, a row for each stream.
    void addTo(Trace &trace);

private:
    KernelCollector(const TraceRecorder &recorder, std::unique_ptr<KernelActivity> activity)
        : m_recorder(recorder)
        , m_activity(std::move(activity))
    { }

    const TraceRecorder &m_recorder;
    std::unique_ptr<KernelActivity> m_activity;
};

/// Adds records of kernels to a trace whose times begin at `originNs` of the same clock.
void addKernels(Trace &trace, const std::vector<KernelRecord> &records, std::int64_t originNs);

} // namespace zigzag
