// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/session.h"
#include "profiler/evaluate/statistics.h"
#include "profiler/evaluate/told_run.h"

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace zigzag {

/// exp of the mean negative log-likelihood of a text's tokens. The text is cut into windows of `context` tokens; the first
/// token of each is given. The interval is that of the means of blocks of 64 tokens, whose errors hang together less than
/// those of neighbours.
struct Perplexity {
    double value = 0, low = 0, high = 0;
    std::int64_t tokens = 0; ///< predicted
    int blocks = 0; ///< that the interval is from; fewer than two make none, and low = high = value
    bool isComplete = true; ///< false: cancelled
};

/// Refuses a text of fewer than two tokens, and a context below two or beyond the model's. Cancelled, it returns what was done.
Result<Perplexity> measurePerplexity(const std::shared_ptr<DeviceModel> &model, const HeadMap &map, std::span<const int> tokens,
                                     std::int64_t context, const std::atomic<bool> *cancel = nullptr,
                                     const PromptProgress &progress = {});

} // namespace zigzag
