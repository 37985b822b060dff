// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"
#include "engine/model/op.h"

#include <cstdint>

namespace zigzag {

/// What a span is about.
struct SpanInfo {
    Op op = Op::Pass;
    int layer = -1; ///< −1 outside the layers
    LayerKind kind = LayerKind::Retrieval; ///< of the layer; says nothing outside the layers
    std::int64_t tokens = 0; ///< of each sequence that pass through
    std::int64_t firstPosition = 0; ///< of the first of them
    int batch = 1; ///< sequences
};

/// Hears of every span as it begins and ends. Spans nest, and the last one that began ends first. Called on the session's
/// thread; on a backend that returns before it has finished, a span is the time of the launch.
class TraceSink
{
public:
    virtual ~TraceSink() = default;
    virtual void begin(const SpanInfo &span) = 0;
    virtual void end() = 0;
};

/// One span, balanced whatever path leaves the scope; nothing but a test of the pointer without a sink.
class Span
{
public:
    Span(TraceSink *sink, const SpanInfo &info)
        : m_sink(sink)
    {
        if (m_sink)
            m_sink->begin(info);
    }
    ~Span()
    {
        if (m_sink)
            m_sink->end();
    }
    Span(const Span &) = delete;
    Span &operator=(const Span &) = delete;

private:
    TraceSink *m_sink;
};

} // namespace zigzag
