// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace zigzag {

/// The ops of the forward pass, in its order, then those that run inside another. Spans, the cost model and the op table
/// share this list.
enum class Op : std::uint8_t {
    Embed,
    InputNorm,
    Qkv,
    RopeAppend,
    Attention,
    OutputProjection,
    PostNorm,
    GateUp,
    Activation,
    Down,
    FinalNorm,
    Logits,
    NextToken, ///< decode's greedy choice
    Commit, ///< inside attention: a chunk's staged keys move into the rings of streaming heads
    CopyHeads, ///< inside attention: the gathers and scatters of MixedMode::Reference
    Pass ///< around all others: one chunk of a prefill, or one decode step
};

inline constexpr std::array<std::string_view, 16> opNames
    = {"embed", "input_norm", "qkv",    "rope_append", "attention", "output_projection", "post_norm", "gate_up", "activation",
       "down",  "final_norm", "logits", "next_token",  "commit",    "copy_heads",        "pass"};
inline constexpr std::string_view nameOf(Op op)
{
    return opNames[static_cast<std::size_t>(op)];
}

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
