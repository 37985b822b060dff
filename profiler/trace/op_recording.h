// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/device_model.h"
#include "profiler/trace/kernel_collector.h"
#include "profiler/trace/trace_recorder.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace zigzag {

/// Of each op of a layer the median of its own time over layers and passes, in microseconds; Op::Pass: the time between ops.
using OpTimes = std::vector<std::pair<Op, double>>;

/// Records what the ops of a few passes take. On the CPU by the host's clock. On a GPU in the time of their kernels; where
/// these cannot be had, the host waits for the device after each op, which adds a launch to each.
class OpRecording
{
public:
    /// `mostPasses`: that are recorded, with those that `restart` forgets.
    OpRecording(const DeviceModel &model, int mostPasses);

    /// For Session::setTraceSink, until `finish`.
    TraceSink *sink() { return &*m_sinks; }
    /// Whether spans are of kernels: then a decode step can be recorded as it is replayed.
    bool seesKernels() const { return m_kernels != nullptr; }
    /// Passes so far do not count.
    void restart();
    /// Once the device has finished. Empty where kernels were recorded and none belongs to a pass.
    OpTimes finish();

private:
    class WaitingSink : public TraceSink
    {
    public:
        explicit WaitingSink(Backend &backend)
            : m_backend(backend)
        { }
        void begin(const SpanInfo &) override { }
        void end() override { m_backend.wait(); } // a failure comes back from the pass itself

    private:
        Backend &m_backend;
    };

    TraceRecorder m_recorder;
    std::unique_ptr<KernelCollector> m_kernels; ///< on a GPU, where there are some
    std::optional<WaitingSink> m_waiting; ///< on a GPU, where there are none
    std::optional<FanOutSink> m_sinks;
    std::size_t m_first = 0; ///< span that counts
};

} // namespace zigzag
