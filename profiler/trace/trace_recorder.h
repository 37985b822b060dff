// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/model_config.h"
#include "profiler/trace/trace.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

namespace zigzag {

/// The wall clock at the beginning and end of every span. Memory is taken once, so that a span costs two readings of the
/// clock; spans beyond the bound are counted and dropped. On a backend that returns before it has finished, a span's time is
/// that of the launch; the CPU finishes each op before it returns.
class TraceRecorder : public TraceSink
{
public:
    using Clock = std::chrono::steady_clock;

    explicit TraceRecorder(std::size_t mostSpans = 1 << 20);

    void begin(const SpanInfo &span) override;
    void end() override;

    /// Forgets all spans; the next one begins at 0.
    void clear();
    /// As recorded: without bytes, operations and floors.
    const std::vector<TraceSpan> &spans() const { return m_spans; }
    /// Of each span, the sequences that ran at once. [spans]
    const std::vector<int> &batches() const { return m_batch; }
    std::int64_t dropped() const { return m_dropped; }
    /// The index of the innermost open span; −1: none is open, or it was dropped. What a kernel that is launched now belongs to.
    std::int32_t current() const { return m_open.empty() ? -1 : m_open.back(); }
    Clock::time_point origin() const { return m_origin; }

    /// The spans in the host's time, by `makeTrace`.
    Trace trace(TraceInfo info, const ModelConfig &config, const HeadMap &map) const;

private:
    std::size_t m_most;
    Clock::time_point m_origin;
    std::vector<TraceSpan> m_spans;
    std::vector<int> m_batch; ///< [spans]
    std::vector<std::int32_t> m_open; ///< −1 for a span that was dropped
    std::int64_t m_dropped = 0;
};

/// Spans as a trace, with bytes, operations and floors by `config`, `map` and the ceilings of `info.machine`; `batches` as long
/// as `spans`. `info.layerKinds` is filled in from the map.
Trace makeTrace(TraceInfo info, std::vector<TraceSpan> spans, std::span<const int> batches, const ModelConfig &config,
                const HeadMap &map);

/// Passes every span on to several sinks, the last one innermost.
class FanOutSink : public TraceSink
{
public:
    explicit FanOutSink(std::vector<TraceSink *> sinks)
        : m_sinks(std::move(sinks))
    { }
    void begin(const SpanInfo &span) override
    {
        for (TraceSink *sink : m_sinks)
            sink->begin(span);
    }
    void end() override
    {
        std::for_each(m_sinks.rbegin(), m_sinks.rend(), [](TraceSink *sink) { sink->end(); });
    }

private:
    std::vector<TraceSink *> m_sinks;
};

} // namespace zigzag
