// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_scores.h"

#include <filesystem>
#include <optional>
#include <string>

namespace zigzag {

enum class Fold { Max, Mean }; ///< how scores of query heads become the score of their KV head

/// Scores by content: `zigzag-head-scores`, a DuoAttention folder or TSV, or Retrieval_Head JSON.
/// `model`, where known, gives the shape that the file must have and what query heads fold onto.
Result<HeadScores> readHeadScores(const std::filesystem::path &path, const std::optional<ModelShape> &model = {},
                                  Fold fold = Fold::Max);
/// What a file of them holds; they pass checkScores (checks.h).
std::string toJson(const HeadScores &scores);
Result<void> writeHeadScores(const HeadScores &scores, const std::filesystem::path &file);

} // namespace zigzag
