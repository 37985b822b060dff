// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/state/quality_records.h"
#include "app/studio/state/studio.h"
#include "profiler/session/session_file.h"

#include <QStringList>
#include <string>
#include <vector>

namespace zigzag {

/// A session in the window's own terms: what fits the session's model, and of what does not, a line each.
struct RestoredSession {
    std::string asked;
    ModelShape model;
    std::vector<MapVariant> variants; ///< at least one
    int variant = 0;
    std::vector<FoundScores> scores;
    std::vector<std::vector<RunEntry>> runs; ///< by measurement or file
    std::vector<Measurements::Asked> needles;
    QualitySweep sweep;
    std::vector<AskedAnswers> answers;
    std::vector<AskedQuality> qualities;
    std::shared_ptr<const jobs::RecommendRecord> recommendation; ///< null: none
    std::shared_ptr<const Calibration> calibration; ///< null: none
    std::vector<SessionPart> traces; ///< to be read by and by: they are large
    std::vector<SessionPart> carried; ///< what the window has no place for
    std::string layout;
    std::map<std::string, std::string> view;
    QStringList notes;
};

/// Refused where the session has no model, for then there is nothing that a window could show.
Result<RestoredSession> restoredFrom(const SavedSession &session, const std::string &where);

/// Gives the studio what it had; its model has been adopted.
void giveBack(Studio &studio, const RestoredSession &restored);

} // namespace zigzag
