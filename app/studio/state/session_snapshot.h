// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/state/quality_records.h"
#include "app/studio/state/studio.h"
#include "profiler/session/session_file.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zigzag {

/// What the window has worked out, as values: taken on its thread in little time, put into words on another.
struct SessionSnapshot {
    std::string asked;
    ModelShape model;
    std::vector<MapVariant> variants;
    int variant = 0;
    std::vector<FoundScores> scores;
    std::vector<RunEntry> runs;
    std::vector<Measurements::Asked> needles;
    QualitySweep sweep;
    std::vector<AskedAnswers> answers;
    std::vector<AskedQuality> qualities;
    std::shared_ptr<const jobs::RecommendRecord> recommendation; ///< null: none
    MachineProfile machine; ///< that measured what was measured here; empty: not known
    std::shared_ptr<const Calibration> calibration; ///< null: none
    std::string layout; ///< text
    std::map<std::string, std::string> view; ///< what the window shows of it
    std::vector<SessionPart> carried; ///< parts that the window has no place for, and those that it has not read yet
};

/// All but layout, view and carried parts, which are the window's.
SessionSnapshot snapshotOf(Studio &studio);

/// Puts snapshots into parts. Remembers what became of traces and answers, which are large.
class SnapshotWriter
{
public:
    SavedSession session(const SessionSnapshot &snapshot);
    /// A trace came from this part: it is not put into words again.
    void remember(const std::shared_ptr<const Trace> &trace, const SessionPart &part) { m_traces[trace.get()] = {trace, part}; }
    /// What is in the file already: parts that did not change keep their content and their time.
    void setLast(SavedSession last) { m_last = std::move(last); }

private:
    struct Kept {
        std::shared_ptr<const Trace> trace;
        SessionPart part;
    };
    void put(SavedSession &session, SessionPart part) const;
    /// Returns the part's name.
    void putAnswers(SavedSession &session, const std::string &name, const QDateTime &when,
                    const std::shared_ptr<const AnswersRecord> &record, const std::string &quality = {});
    void putQualities(SavedSession &session, const SessionSnapshot &snapshot);
    std::string putMap(SavedSession &session, const HeadMap &map) const;
    void putVariants(SavedSession &session, const SessionSnapshot &snapshot) const;
    void putRuns(SavedSession &session, const SessionSnapshot &snapshot);
    void putTrace(SavedSession &session, const RunEntry &entry);

    SavedSession m_last;
    std::shared_ptr<const Calibration> m_calibration; ///< that m_machine tells of
    std::optional<SessionPart> m_machine;
    std::map<const Trace *, Kept> m_traces;
    struct KeptAnswers {
        std::shared_ptr<const AnswersRecord> record;
        SessionPart part;
    };
    std::map<const AnswersRecord *, KeptAnswers> m_answers; ///< as large as what models said
};

} // namespace zigzag
