// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/evaluate/map_meter.h"

#include <string_view>

namespace zigzag {

/// By which of a prompt's measures maps are chosen: the lower, the better, and 0 for full attention.
enum class SearchLoss {
    Distillation, ///< of the last hidden states (PromptMeasure::loss)
    Kl, ///< of the next token's distribution, nats
    /// Rise of the right answer's negative log-likelihood over full attention's, nats a token (arXiv 2606.27791). Below 0 where
    /// the answer is likelier without what was left out.
    Answer,
};
/// "distill", "kl", "answer".
std::string_view nameOf(SearchLoss loss);
Result<SearchLoss> parseSearchLoss(std::string_view name);

double lossOf(const PromptMeasure &measure, SearchLoss loss);
/// The least that a mean of it can be, for what reads results back.
double leastLossOf(SearchLoss loss);

} // namespace zigzag
