// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to the .cpp files that write the state of a search down: it includes nlohmann/json.

#include "engine/base/json_input.h"
#include "profiler/evaluate/map_meter.h"

namespace zigzag {

/// Above every loss, divergence, moment and sum that a search can meet, and far enough from the largest number that no mean or
/// variance of them overflows.
inline constexpr double largestLoss = 1e100;

/// [[[loss, kl, right, answer, answerRise], …] per map, …] per prompt; numbers read back as the same numbers. Files of before
/// have the first three.
json::Value measuresJson(const std::vector<std::vector<PromptMeasure>> &prompts);
/// At most `prompts` rows of exactly `maps` measures each. `withAnswers`: a measure without the loss of the answers is refused.
Result<std::vector<std::vector<PromptMeasure>>> readMeasures(const json::Value &list, std::size_t prompts, std::size_t maps,
                                                             bool withAnswers = false);
/// A measure or null for each map.
json::Value begunJson(const BegunPrompt &begun);
/// The "begun" of `root`: empty where it has none, as files of before.
Result<BegunPrompt> readBegun(const json::Value &root, std::size_t maps, bool withAnswers = false);
/// Numbers in [0, count), each once, at most `most`.
Result<std::vector<int>> readUnits(const json::Value &list, int count);

} // namespace zigzag
