// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/session_snapshot.h"

#include "app/studio/state/session_parts_of.h"
#include "engine/map/run_alike.h"
#include "profiler/evaluate/answers_file.h"
#include "profiler/session/session_parts.h"

#include <algorithm>
#include <set>
#include <utility>

namespace zigzag {

namespace {

/// As a session takes it: names in files of others may be empty, or longer than that.
std::string shortName(const SessionPart &part)
{
    constexpr qsizetype longest = 200; // characters
    return part.name.empty() ? part.kind : QString::fromStdString(part.name).left(longest).toStdString();
}

} // namespace

SessionSnapshot snapshotOf(Studio &studio)
{
    SessionSnapshot snapshot;
    Document &document = studio.document();
    snapshot.asked = studio.modelName();
    snapshot.model = document.model();
    for (int index = 0; index < document.variants(); ++index)
        snapshot.variants.push_back(document.variantAt(index));
    snapshot.variant = document.variant();
    for (int row = 0; row < studio.scoreSources().rowCount(); ++row)
        snapshot.scores.push_back(studio.scoreSources().at(row));
    for (const RunEntry &run : studio.runList().entries()) // the list may have some of the model before this one
        if (!run.map || (run.map->layers() == snapshot.model.layers && run.map->kvHeads() == snapshot.model.kvHeads))
            snapshot.runs.push_back(run);
    snapshot.needles = studio.plotted().measurements().needles();
    snapshot.sweep = studio.sweep();
    const std::string &fingerprint = snapshot.model.fingerprint;
    for (const AskedAnswers &each : studio.qualities().answers()) // records of other models may have been opened beside them
        if (fingerprint.empty() || each.record->fingerprint.empty() || each.record->fingerprint == fingerprint)
            snapshot.answers.push_back(each);
    for (const auto &[key, quality] : studio.qualities().qualities())
        if (quality.model.layers == snapshot.model.layers && !quality.found.empty())
            snapshot.qualities.push_back(quality);
    if (!studio.isRecommendationKept()) // those come with the model
        snapshot.recommendation = studio.recommendation();
    snapshot.machine = studio.plotted().cost().machine();
    snapshot.calibration = studio.calibration();
    return snapshot;
}

void SnapshotWriter::put(SavedSession &session, SessionPart part) const
{
    part.name = session.freeName(part.kind, shortName(part));
    if (const SessionPart *last = m_last.find(part.kind, part.name); last && *last->content == *part.content) {
        part.content = last->content;
        part.when = last->when;
        part.others = last->others;
        if (part.kind != PartKind::Variant) // of which the window has them
            part.notes = last->notes;
    }
    session.put(std::move(part));
}

std::string SnapshotWriter::putMap(SavedSession &session, const HeadMap &map) const
{
    SessionPart part = measuredMapPart(map);
    std::string name = part.name;
    if (!session.find(part.kind, name)) // maps that run alike are one
        put(session, std::move(part));
    return name;
}

void SnapshotWriter::putVariants(SavedSession &session, const SessionSnapshot &snapshot) const
{
    const auto sourceOf = [&](const std::shared_ptr<const HeadScores> &scores) {
        const auto found = std::find_if(snapshot.scores.begin(), snapshot.scores.end(),
                                        [&](const FoundScores &each) { return each.scores == scores; });
        return found - snapshot.scores.begin();
    };
    // Scores first: variants name them by the part's name.
    std::vector<std::string> names;
    for (const FoundScores &found : snapshot.scores) {
        SessionPart part = partOf(found);
        part.name = session.freeName(part.kind, shortName(part));
        names.push_back(part.name);
        put(session, std::move(part));
    }
    for (const MapVariant &variant : snapshot.variants) {
        if (variant.state.map.layers() == 0)
            continue; // nothing is open
        SessionPart part = partOf(variant);
        if (const auto source = static_cast<std::size_t>(sourceOf(variant.state.scores)); source < names.size())
            part.details["scores"] = names[source];
        put(session, std::move(part));
    }
    session.current = snapshot.variants[static_cast<std::size_t>(snapshot.variant)].name.toStdString();
}

void SnapshotWriter::putTrace(SavedSession &session, const RunEntry &entry)
{
    auto kept = m_traces.find(entry.trace.get());
    if (kept == m_traces.end())
        kept = m_traces.emplace(entry.trace.get(), Kept{entry.trace, tracePartOf(entry)}).first;
    SessionPart part = kept->second.part;
    part.name = session.freeName(part.kind, part.name);
    if (entry.map)
        part.details["map"] = putMap(session, *entry.map);
    session.put(std::move(part));
}

void SnapshotWriter::putRuns(SavedSession &session, const SessionSnapshot &snapshot)
{
    std::set<int> done;
    for (const RunEntry &first : snapshot.runs) {
        if (first.trace) {
            putTrace(session, first);
            continue;
        }
        if (!done.insert(first.source).second)
            continue;
        std::vector<const RunEntry *> group;
        for (const RunEntry &entry : snapshot.runs)
            if (entry.source == first.source && !entry.trace)
                group.push_back(&entry);
        for (const RunEntry *entry : group)
            if (entry->map)
                putMap(session, *entry->map);
        put(session, partOf(group, snapshot.machine));
    }
}

void SnapshotWriter::putAnswers(SavedSession &session, const std::string &name, const QDateTime &when,
                                const std::shared_ptr<const AnswersRecord> &record, const std::string &quality)
{
    auto kept = m_answers.find(record.get());
    if (kept == m_answers.end())
        kept = m_answers.emplace(record.get(), KeptAnswers{record, answersPart(name, *record)}).first;
    SessionPart part = kept->second.part;
    part.when = when.toSecsSinceEpoch();
    if (!quality.empty())
        part.details["quality"] = quality;
    put(session, std::move(part));
}

void SnapshotWriter::putQualities(SavedSession &session, const SessionSnapshot &snapshot)
{
    for (const AskedAnswers &each : snapshot.answers)
        putAnswers(session, each.name.toStdString(), each.when, each.record);
    for (const AskedQuality &each : snapshot.qualities) {
        QualityRecord record{each.axis, each.file.toStdString(), each.engine, {}};
        for (const HeadMap &map : each.maps)
            if (const auto found = each.found.find(fingerprintOf(map)); found != each.found.end())
                record.points.push_back({map, found->second});
        SessionPart part = qualityPart(each.title().toStdString(), record);
        part.when = each.when.toSecsSinceEpoch();
        part.name = session.freeName(part.kind, shortName(part));
        if (each.record)
            putAnswers(session, part.name, each.when, each.record, part.name);
        put(session, std::move(part));
    }
    std::erase_if(m_answers, [](const auto &each) { return each.second.record.use_count() == 1; }); // replaced by what came later
}

SavedSession SnapshotWriter::session(const SessionSnapshot &snapshot)
{
    SavedSession session;
    session.asked = snapshot.asked;
    session.model = snapshot.model;
    session.notes = m_last.notes;
    session.others = m_last.others;
    putVariants(session, snapshot);
    putRuns(session, snapshot);
    for (const Measurements::Asked &asked : snapshot.needles) {
        const std::string map = putMap(session, asked.map);
        put(session, needlePart(asked.engine.empty() ? "needle" : "needle, " + asked.engine, {map, asked.engine, asked.result}));
    }
    if (!snapshot.sweep.points.empty())
        put(session, sweepPart("sweep", {{}, {}, snapshot.sweep.engine, 0, snapshot.sweep.points}));
    putQualities(session, snapshot);
    if (snapshot.recommendation) {
        SessionPart part;
        part.kind = PartKind::Recommendation;
        part.name = "recommendation for " + snapshot.recommendation->engine;
        part.content = std::make_shared<const std::string>(snapshot.recommendation->text);
        put(session, std::move(part));
    }
    if (snapshot.calibration) {
        if (std::exchange(m_calibration, snapshot.calibration) != snapshot.calibration)
            m_machine = machinePart(*snapshot.calibration);
        put(session, *m_machine);
    }
    if (!snapshot.layout.empty()) {
        SessionPart layout;
        layout.kind = PartKind::Layout;
        layout.name = "window";
        layout.details = snapshot.view;
        layout.content = std::make_shared<const std::string>(snapshot.layout);
        put(session, std::move(layout));
    }
    for (const SessionPart &part : snapshot.carried)
        put(session, part);
    m_last = session;
    return session;
}

} // namespace zigzag
