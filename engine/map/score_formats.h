// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/json_input.h"
#include "engine/map/head_scores_io.h"

namespace zigzag {

/// What every reader is told: how the file is called in errors, and the model, where it is known.
struct ScoreSource {
    std::string where;
    std::string name; ///< of the model, where the file does not say
    std::optional<ModelShape> model;
    Fold fold = Fold::Max;
};

/// Whichever of the formats below the text is.
Result<HeadScores> parseScores(std::string_view text, const ScoreSource &source);
/// The gates of DuoAttention: a row per layer, a column per KV head, tab-separated.
Result<HeadScores> parseDuoAttention(std::string_view text, const ScoreSource &source);
/// Retrieval_Head (arXiv 2404.15574): {"layer-head": [score, …]} over query heads.
Result<HeadScores> parseRetrievalHead(const json::Value &root, const ScoreSource &source);
Result<HeadScores> parseHeadScores(const json::Value &root, const ScoreSource &source);

/// Refuses a layers × heads file that is not as the model has it, and says so when it looks transposed.
Result<void> checkGrid(std::size_t layers, std::size_t heads, int modelLayers, int modelHeads, std::string_view headWord,
                       const std::string &where);
/// Brings scores into [0, 1] and notes how many it changed.
std::vector<float> clipped(const std::vector<double> &scores, std::vector<std::string> &notes);

} // namespace zigzag
