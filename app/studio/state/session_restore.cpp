// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/session_restore.h"

#include "app/studio/state/session_parts_of.h"
#include "engine/map/map_io.h"
#include "engine/map/run_alike.h"
#include "profiler/evaluate/answers_file.h"
#include "profiler/session/session_parts.h"
#include "views/models/text.h"

#include <algorithm>
#include <map>

namespace zigzag {

namespace {

/// Of the same layers and KV heads; a head's size need not be known on both sides.
bool fits(const ModelShape &a, const ModelShape &b)
{
    return a.layers == b.layers && a.kvHeads == b.kvHeads;
}

QString withoutMap(const SessionPart &needle)
{
    return tr("needle \"%1\": its map is not in the session; ask again").arg(QString::fromStdString(needle.name));
}

QString ofOtherModel(const SessionPart &part)
{
    return tr("%1 \"%2\" is of another model, and left out")
        .arg(QString::fromStdString(part.kind), QString::fromStdString(part.name));
}

class Restorer
{
public:
    Restorer(const SavedSession &session, RestoredSession &to)
        : m_session(session)
        , m_to(to)
    { }

    void take(const SessionPart &part)
    {
        const Result<void> taken = part.kind == PartKind::Scores ? takeScores(part)
            : part.kind == PartKind::Variant                     ? takeVariant(part)
            : part.kind == PartKind::Bench                       ? takeRuns(part)
            : part.kind == PartKind::Needle                      ? takeNeedle(part)
            : part.kind == PartKind::Sweep                       ? takeSweep(part)
            : part.kind == PartKind::Answers                     ? takeAnswers(part)
            : part.kind == PartKind::Quality                     ? takeQuality(part)
            : part.kind == PartKind::Machine                     ? takeMachine(part)
            : part.kind == PartKind::Recommendation              ? takeRecommendation(part)
                                                                 : takeOther(part);
        if (taken)
            return;
        m_to.carried.push_back(part); // who understands it may still want it
        m_to.notes << QString::fromStdString(taken.error().message);
    }

private:
    Result<void> takeScores(const SessionPart &part)
    {
        ZIGZAG_TRY(found, foundScoresOf(part));
        ZIGZAG_CHECK(checkShape(part, found.scores->model));
        m_scores[part.name] = found.scores;
        m_to.scores.push_back(std::move(found));
        return {};
    }
    Result<void> takeVariant(const SessionPart &part)
    {
        ZIGZAG_TRY(variant, variantOf(part));
        ZIGZAG_CHECK(checkShape(part, variant.state.map.model()));
        if (const auto scores = part.details.find("scores"); scores != part.details.end())
            if (const auto known = m_scores.find(scores->second); known != m_scores.end())
                variant.state.scores = known->second;
        // Whether it is modified, its file tells. What is no map by now is not what a person would save over.
        std::error_code none;
        const auto saved = std::filesystem::is_regular_file(variant.path, none) ? readHeadMap(variant.path) : badInput("");
        if (saved && fits(saved->model(), variant.saved.model())) {
            variant.saved = *saved;
            variant.saved.setModel(variant.state.map.model());
        } else {
            variant.path.clear();
        }
        if (part.name == m_session.current)
            m_to.variant = static_cast<int>(m_to.variants.size());
        m_to.variants.push_back(std::move(variant));
        return {};
    }
    Result<void> takeRuns(const SessionPart &part)
    {
        ZIGZAG_TRY(runs, runsOf(part, m_session));
        m_to.runs.push_back(std::move(runs));
        return {};
    }
    Result<void> takeNeedle(const SessionPart &part)
    {
        ZIGZAG_TRY(needle, needleOf(part));
        const std::optional<HeadMap> map = measuredMap(m_session, needle.mapFingerprint);
        if (!map)
            return badInput(withoutMap(part).toStdString());
        m_to.needles.push_back({*map, needle.engine, needle.result});
        return {};
    }
    Result<void> takeSweep(const SessionPart &part)
    {
        ZIGZAG_TRY(sweep, sweepOf(part));
        if (!m_to.sweep.points.empty())
            return takeOther(part); // the page shows one
        std::erase_if(sweep.points, [&](const SweepPoint &point) {
            return !point.map.oneWindow() || !fits(point.map.model(), m_session.model);
        });
        ServingChoice serving;
        serving.setModel(m_session.asked);
        serving.setEngine(sweep.engine);
        m_to.sweep.engine = sweep.engine;
        m_to.sweep.servedAs = serving.asText();
        if (!sweep.points.empty() && !serving.isOurs())
            if (const auto run = serving.serving(*sweep.points.front().map.oneWindow(), false); run && *run)
                m_to.sweep.asRun = (*run)->asRun;
        m_to.sweep.points = std::move(sweep.points);
        return {};
    }
    Result<void> takeAnswers(const SessionPart &part)
    {
        ZIGZAG_TRY(record, answersOf(part));
        if (!record.fingerprint.empty() && !m_session.model.fingerprint.empty()
            && record.fingerprint != m_session.model.fingerprint)
            return takeOther(part); // kept for whom it says something
        auto kept = std::make_shared<const AnswersRecord>(std::move(record));
        if (const auto quality = part.details.find("quality"); quality != part.details.end())
            m_answers[quality->second] = std::move(kept);
        else
            m_to.answers.push_back({shownText(part.name), QDateTime::fromSecsSinceEpoch(part.when), std::move(kept), -1, {}});
        return {};
    }
    Result<void> takeQuality(const SessionPart &part)
    {
        ZIGZAG_TRY(record, qualityOf(part));
        AskedQuality quality;
        quality.axis = record.axis;
        quality.file = shownText(record.asked);
        quality.engine = record.engine;
        quality.when = QDateTime::fromSecsSinceEpoch(part.when);
        quality.model = m_session.model;
        ServingChoice serving;
        serving.setEngine(quality.engine);
        quality.servedAs = serving.asText();
        for (QualityRecord::Point &point : record.points)
            if (point.map.oneWindow() && fits(point.map.model(), m_session.model)) {
                quality.found[fingerprintOf(point.map)] = point.quality;
                quality.maps.push_back(std::move(point.map));
            }
        if (const auto answers = m_answers.find(part.name); answers != m_answers.end()) // they stand before it
            quality.record = answers->second;
        m_to.qualities.push_back(std::move(quality));
        return {};
    }
    Result<void> takeRecommendation(const SessionPart &part)
    {
        ZIGZAG_TRY(record, jobs::readRecord(*part.content, m_session.model, part.name));
        if (m_to.recommendation)
            return takeOther(part); // the page shows one
        m_to.recommendation = std::make_shared<const jobs::RecommendRecord>(std::move(record));
        return {};
    }
    Result<void> takeMachine(const SessionPart &part)
    {
        ZIGZAG_TRY(calibration, machineOf(part));
        if (m_to.calibration)
            return takeOther(part);
        m_to.calibration = std::make_shared<const Calibration>(std::move(calibration));
        return {};
    }
    Result<void> takeOther(const SessionPart &part)
    {
        if (part.kind == PartKind::Trace) {
            m_to.traces.push_back(part);
        } else if (part.kind == PartKind::Layout && part.name == "window") {
            m_to.layout = *part.content;
            m_to.view = part.details;
        } else if (part.kind != PartKind::MeasuredMap) { // those are written with what speaks of them
            m_to.carried.push_back(part);
        }
        return {};
    }
    Result<void> checkShape(const SessionPart &part, const ModelShape &shape) const
    {
        if (fits(shape, m_session.model))
            return {};
        return badInput(ofOtherModel(part).toStdString());
    }

    const SavedSession &m_session;
    RestoredSession &m_to;
    std::map<std::string, std::shared_ptr<const HeadScores>> m_scores;
    std::map<std::string, std::shared_ptr<const AnswersRecord>> m_answers; ///< of qualities, by their names
};

} // namespace

Result<RestoredSession> restoredFrom(const SavedSession &session, const std::string &where)
{
    if (session.model.layers == 0)
        return badInput(
            tr("%1: the session is empty; open a model to begin one").arg(QString::fromStdString(where)).toStdString());
    RestoredSession restored;
    restored.asked = session.asked;
    restored.model = session.model;
    Restorer restorer(session, restored);
    for (const SessionPart *scores : session.all(PartKind::Scores)) // variants name them
        restorer.take(*scores);
    for (const SessionPart &part : session.parts)
        if (part.kind != PartKind::Scores)
            restorer.take(part);
    if (restored.variants.empty()) {
        MapVariant full;
        full.name = Document::tr("map");
        full.saved = full.state.map = HeadMap(session.model, HeadKind::Retrieval, defaultSink, defaultRecent);
        full.state.locked.assign(static_cast<std::size_t>(session.model.layers), false);
        restored.variants.push_back(std::move(full));
    }
    return restored;
}

void giveBack(Studio &studio, const RestoredSession &restored)
{
    for (const FoundScores &found : restored.scores)
        studio.scoreSources().add(found);
    studio.document().beginVariants(restored.variants, restored.variant);
    Measurements &measurements = studio.plotted().measurements();
    for (const std::vector<RunEntry> &runs : restored.runs) {
        for (const RunEntry &run : runs)
            if (run.map && !run.predicted)
                measurements.addRecords({{run.record.map, *run.map}}, {run.record});
        studio.runList().addKept(runs);
    }
    for (const Measurements::Asked &asked : restored.needles)
        measurements.addNeedle(asked.map, asked.result, asked.engine);
    studio.setKeptCalibration(restored.calibration);
    if (restored.recommendation)
        studio.setRecommendation(restored.recommendation);
    for (const AskedAnswers &each : restored.answers)
        studio.qualities().takeAnswers(each);
    for (const AskedQuality &each : restored.qualities)
        studio.qualities().takeQuality(keyOfQuality(each.axis, each.file, each.engine), each);
    studio.sweep() = restored.sweep;
    studio.sweep().model = studio.document().model();
    studio.refreshSoon();
}

} // namespace zigzag
