// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"

#include <cstddef>
#include <string>
#include <vector>

namespace zigzag {

/// A gate per KV head in [0, 1]: 1 = the head retrieves. A value type.
struct HeadScores {
    ModelShape model;
    std::string method; ///< "attention", "gates", "duo-attention", …
    std::vector<float> scores; // [layers, kv_heads]
    std::vector<float> spread; // [layers, kv_heads], or empty when not known
    /// Of scores by what heads give the right answer's logit (method "attention-logits"): that in logits, of either sign, and the
    /// part from keys that a streaming head would not see, which the scores are made of. [layers, kv_heads], or empty
    std::vector<float> logits, logitsBeyond;
    /// The model answered no prompt when these were made: they say nothing of its heads, and every reader is told.
    bool unanswered = false;
    std::string engine; ///< as which layers were measured (--as-engine); empty: ours, which keeps sinks
    std::vector<std::string> notes; ///< what an import changed (clipping, folding), for the user to read

    float at(int layer, int head) const { return scores[index(layer, head)]; }
    float spreadAt(int layer, int head) const { return spread.empty() ? 0.0f : spread[index(layer, head)]; }

private:
    std::size_t index(int layer, int head) const
    {
        return static_cast<std::size_t>(layer) * static_cast<std::size_t>(model.kvHeads) + static_cast<std::size_t>(head);
    }
};

} // namespace zigzag
