// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/op_recording.h"

#include "profiler/base/run_types.h"
#include "profiler/trace/device_time.h"

#include <algorithm>
#include <array>
#include <span>

namespace zigzag {
namespace {

OpTimes timesOf(std::span<const TraceSpan> spans)
{
    std::vector<double> self;
    for (const TraceSpan &span : spans)
        self.push_back(static_cast<double>(span.durationNs) / 1e3);
    for (const TraceSpan &span : spans)
        if (span.parent >= 0)
            self[static_cast<std::size_t>(span.parent)] -= static_cast<double>(span.durationNs) / 1e3;
    std::array<std::vector<double>, opNames.size()> byOp;
    for (std::size_t i = 0; i < self.size(); ++i)
        byOp[static_cast<std::size_t>(spans[i].op)].push_back(std::max(0.0, self[i]));
    OpTimes times;
    for (std::size_t i = 0; i < byOp.size(); ++i)
        if (!byOp[i].empty())
            times.emplace_back(static_cast<Op>(i), quantile(std::move(byOp[i]), 0.5));
    return times;
}

} // namespace

OpRecording::OpRecording(const DeviceModel &model, int mostPasses)
    : m_recorder(static_cast<std::size_t>(model.config().layers + 1) * opNames.size() * static_cast<std::size_t>(mostPasses))
{
    std::vector<TraceSink *> sinks = {&m_recorder};
    if (const Capabilities can = model.backend->capabilities(); !can.onProcessor) {
        if (can.showsKernels)
            if (auto started = KernelCollector::start(m_recorder))
                m_kernels = std::move(*started);
        if (m_kernels)
            sinks.push_back(m_kernels.get());
        else
            sinks.push_back(&m_waiting.emplace(*model.backend));
    }
    m_sinks.emplace(std::move(sinks));
}

void OpRecording::restart()
{
    if (m_kernels)
        m_first = m_recorder.spans().size(); // kernels still name the spans before
    else
        m_recorder.clear();
}

OpTimes OpRecording::finish()
{
    if (!m_kernels)
        return timesOf(m_recorder.spans());
    std::int64_t dropped = 0;
    const std::vector<KernelRecord> records = m_kernels->stop(dropped);
    return timesOf(inDeviceTime(m_recorder.spans(), m_recorder.batches(), records, m_first).spans);
}

} // namespace zigzag
