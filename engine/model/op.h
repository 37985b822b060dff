// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace zigzag {

/// The ops of the forward pass, in its order, then those that run inside another. A layer's plan, spans, the cost model and the
/// op table share this list; a layer has those that its plan names (layer_plan.h).
enum class Op : std::uint8_t {
    Embed,
    InputNorm,
    Qkv,
    RopeAppend,
    Attention,
    OutputProjection,
    AttentionNorm, ///< of what attention adds, where a layer norms behind it
    PostNorm,
    GateUp,
    Activation,
    Down,
    Router, ///< scores of the experts, for each token
    Experts, ///< the chosen experts' products, activation and sum
    FeedForwardNorm, ///< of what the feed-forward adds, where a layer norms behind it
    FinalNorm,
    Logits,
    NextToken, ///< decode's greedy choice
    Commit, ///< inside attention: a chunk's staged keys move into the rings of streaming heads
    CopyHeads, ///< inside attention: the gathers and scatters of MixedMode::Reference
    Pass ///< around all others: one chunk of a prefill, or one decode step
};

inline constexpr std::array<std::string_view, 20> opNames
    = {"embed",      "input_norm", "qkv",        "rope_append", "attention", "output_projection", "attention_norm", "post_norm",
       "gate_up",    "activation", "down",       "router",      "experts",   "feed_forward_norm", "final_norm",     "logits",
       "next_token", "commit",     "copy_heads", "pass"};
inline constexpr std::string_view nameOf(Op op)
{
    return opNames[static_cast<std::size_t>(op)];
}

/// The ops between these are a layer's.
inline constexpr Op firstLayerOp = Op::InputNorm, lastLayerOp = Op::FeedForwardNorm;

/// Whether layers run the op; the others run once in a pass.
constexpr bool isInLayer(Op op)
{
    return op != Op::Embed && op != Op::FinalNorm && op != Op::Logits && op != Op::NextToken && op != Op::Pass;
}

/// Products with weights; everything else passes over its data once.
constexpr bool isProduct(Op op)
{
    return op == Op::Qkv || op == Op::OutputProjection || op == Op::GateUp || op == Op::Down || op == Op::Router
        || op == Op::Experts || op == Op::Logits;
}

} // namespace zigzag
