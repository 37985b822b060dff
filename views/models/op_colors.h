// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/trace/trace.h"

#include <QColor>
#include <array>

namespace zigzag {

/// Ops that are judged together: a colour family each.
enum class OpGroup { Attention, Projections, Mlp, Pointwise, Ends, Pass };
inline constexpr std::array barGroups
    = {OpGroup::Attention, OpGroup::Projections, OpGroup::Mlp, OpGroup::Pointwise}; ///< what a layer's bar is stacked of
OpGroup groupOf(Op op);

/// Fills that colour-blind eyes tell apart (after Okabe and Ito), the same on light and dark: text on them is inkOn.
QColor opColor(Op op);
QColor groupColor(OpGroup group);

/// Tones of a timeline's items: an op, a kind of layer, or none of these.
inline constexpr auto unknownTone = static_cast<std::uint8_t>(opNames.size() + 4);
/// Of a rank: waiting for the others, and exchanging with them.
inline constexpr std::uint8_t waitingTone = unknownTone + 1, exchangeTone = unknownTone + 2;
inline constexpr std::size_t toneCount = exchangeTone + std::size_t{1};
constexpr std::uint8_t toneOf(Op op)
{
    return static_cast<std::uint8_t>(op);
}
constexpr std::uint8_t toneOf(LayerKind kind)
{
    return static_cast<std::uint8_t>(opNames.size() + static_cast<std::size_t>(kind));
}

} // namespace zigzag
