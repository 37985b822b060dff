// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace zigzag {

/// The ops of the forward pass, in its order. Spans, the cost model and the op table share this list.
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
    Logits
};

inline constexpr std::array<std::string_view, 12> opNames
    = {"embed",     "input_norm", "qkv",        "rope_append", "attention",  "output_projection",
       "post_norm", "gate_up",    "activation", "down",        "final_norm", "logits"};
inline constexpr std::string_view nameOf(Op op)
{
    return opNames[static_cast<std::size_t>(op)];
}

/// Hears of every op as it begins and ends; layer is −1 outside the layers. Called on the session's thread.
class TraceSink
{
public:
    virtual ~TraceSink() = default;
    virtual void begin(Op op, int layer) = 0;
    virtual void end(Op op, int layer) = 0;
};

/// One span, balanced whatever path leaves the scope; nothing but a test of the pointer without a sink.
class Span
{
public:
    Span(TraceSink *sink, Op op, int layer)
        : m_sink(sink)
        , m_op(op)
        , m_layer(layer)
    {
        if (m_sink)
            m_sink->begin(m_op, m_layer);
    }
    ~Span()
    {
        if (m_sink)
            m_sink->end(m_op, m_layer);
    }
    Span(const Span &) = delete;
    Span &operator=(const Span &) = delete;

private:
    TraceSink *m_sink;
    Op m_op;
    int m_layer;
};

} // namespace zigzag
