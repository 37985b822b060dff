// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/map/head_scores.h"

#include <string>

namespace zigzag {

/// Far above every published model, and small enough that no product of them overflows or exhausts memory.
inline constexpr int maxLayers = 4096;
inline constexpr int maxHeads = 4096;
inline constexpr int maxHeadDim = 65536;
inline constexpr int maxWindow = 1 << 30;

/// The model's own shape where a file agrees with it, with the file's fingerprint where the model's is not known.
ModelShape mergedShape(const ModelShape &model, const ModelShape &file);

/// That a file was made from other weights than the model's, where both are known; else empty. The one rule for fingerprints:
/// shapes decide whether a map or scores fit, other weights are a note.
std::string otherWeightsNote(const ModelShape &file, const ModelShape &model, const std::string &where);

/// `where` names the file, or what else the value came from.
Result<void> checkShape(const ModelShape &model, const std::string &where);
Result<void> checkWindow(int sink, int recent, const std::string &where);
/// One finite gate in [0, 1] for each KV head, and as many spreads or none.
Result<void> checkScores(const HeadScores &scores, const std::string &where);

} // namespace zigzag
