// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/recommend_page.h"

#include <nlohmann/json.hpp>

namespace zigzag {

// What `recommend` prints and writes. `-o json` keys are a contract; recommend.json has the same.
nlohmann::ordered_json recommendJson(const jobs::Recommendation &found, const jobs::RecommendPlaces &places);

/// map.json, scores.json and the export: what is there lies in `places` afterwards.
Result<void> writeRecommended(const JobContext &context, const jobs::Recommendation &found, const ExportModel &model,
                              jobs::RecommendPlaces &places);

} // namespace zigzag
