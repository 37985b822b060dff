// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/recommend_page.h"
#include "profiler/session/session_file.h"

namespace zigzag::jobs {

/// map.json, scores.json, the export in the engine's own form, page.md and recommend.json, in places.folder; what was exported is
/// in `places` afterwards. An export that fails is a note on the page, which is written all the same, and then the error. Removes
/// the progress, whose content is in these files. `model`: null for our engine alone.
Result<void> writeRecommended(const JobContext &context, Recommendation &found, const ExportModel *model,
                              RecommendPlaces &places);

/// All of it as a session that the window opens: the scores of every way, the recommended map and the others that were judged as
/// variants, the record, the answers that judged, and the page. places.model as it will be found from anywhere.
Result<SavedSession> recommendSession(const Recommendation &found, const RecommendPlaces &places);

} // namespace zigzag::jobs
