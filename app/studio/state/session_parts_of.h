// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/state/studio.h"
#include "profiler/session/session_file.h"

#include <optional>
#include <vector>

namespace zigzag {

// What the window holds as parts of a session, and back. Reading trusts nothing.

/// Bytes of a session as they are shown.
QString shownText(const std::string &bytes);

/// Of a session's parts: contents, and in `details` what only the window knows of them.
SessionPart partOf(const FoundScores &found);
Result<FoundScores> foundScoresOf(const SessionPart &part);

/// Which scores it stands at, the session says.
SessionPart partOf(const MapVariant &variant);
Result<MapVariant> variantOf(const SessionPart &part);

/// Runs of one measurement or of one file; `machine`: that measured what was measured here.
SessionPart partOf(const std::vector<const RunEntry *> &group, const MachineProfile &machine);
/// Their maps are among the session's measured maps.
Result<std::vector<RunEntry>> runsOf(const SessionPart &part, const SavedSession &session);

SessionPart tracePartOf(const RunEntry &entry);
Result<RunEntry> traceRunOf(const SessionPart &part, const SavedSession &session);

/// A measured map of the session, by its name.
std::optional<HeadMap> measuredMap(const SavedSession &session, const std::string &fingerprint);

} // namespace zigzag
