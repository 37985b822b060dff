// SPDX-License-Identifier: GPL-3.0-or-later
// Starting runs, and what their results do to the study.
#include "app/studio/studio.h"

#include "engine/map/run_alike.h"
#include "views/models/text.h"

#include <algorithm>

namespace zigzag {

namespace {

/// Models up to this size are scored as soon as they are loaded; larger ones when asked.
constexpr std::int64_t scoredAtOnceBytes = 64 << 20;
/// The longest prefill of a measurement, as predicted: more than this is for the command line.
constexpr double longestPrefillMs = 20'000;
/// Predictions that err by more than this are made anew: the machine has not the speed that it was calibrated at.
constexpr double farOff = 0.1;
const std::vector<double> depths = {0, 0.25, 0.5, 0.75, 1};

/// Contexts for questions in text: a needle and its question have to fit.
std::vector<std::int64_t> textContexts(std::int64_t longest)
{
    std::vector<std::int64_t> contexts = usualContexts(longest);
    std::erase_if(contexts, [longest](std::int64_t context) { return context < std::min<std::int64_t>(256, longest); });
    return contexts;
}

} // namespace

void Studio::connectRuns()
{
    connect(&m_runs, &RunController::busyChanged, this, &Studio::refreshSoon);
    connect(&m_runs, &RunController::loaded, this, &Studio::onLoaded);
    connect(&m_runs, &RunController::calibrated, this, [this](const CostModel &cost) {
        m_study.setCost(cost);
        refreshSoon();
    });
    connect(&m_watch, &CalibrationWatch::quiet, this, [this] { calibrateModel(false); });
    connect(&m_runs, &RunController::scored, this,
            [this](const HeadScores &scores) { takeScores(std::make_shared<const HeadScores>(scores)); });
    connect(&m_runs, &RunController::measured, this,
            [this](const std::vector<NamedMap> &maps, const std::vector<BenchRecord> &records) {
                m_study.results().addRecords(maps, records);
                m_runList.setRecords(m_runs.currentId(), QString::fromStdString(m_modelName), maps, records);
                refreshSoon();
            });
    connect(&m_runs, &RunController::needleAsked, this, [this](const NamedMap &map, const NeedleResult &result) {
        m_study.results().addNeedle(map.map, result);
        refreshSoon();
    });
    connect(&m_runs, &RunController::finished, this, &Studio::onFinished);
}

void Studio::onLoaded(const LoadedModel &model)
{
    m_loaded = model;
    QStringList notes;
    for (const std::string &note : model.config.notes)
        notes << QString::fromStdString(note);
    if (!notes.isEmpty())
        say(MessageBar::Kind::Note, notes.join('\n'));
    const auto fits
        = checkFits(m_document.map(), model.shape, m_document.path().empty() ? "the map" : m_document.path().string());
    report(fits); // a map of a model with the same name and other weights
    if (fits)
        m_document.setModel(model.shape);
    calibrateModel(false);
    if (canScore() && !m_document.state().scores && model.config.weightBytes() <= scoredAtOnceBytes)
        scoreModel(false);
}

void Studio::onFinished(RunKind kind, const RunOutcome &outcome)
{
    if (outcome.kind == RunOutcome::Kind::Failed) {
        say(MessageBar::Kind::Error, outcome.error);
        if (kind == RunKind::Load)
            m_whyNotLoaded = tr("the model could not be loaded");
    } else if (outcome.kind == RunOutcome::Kind::Cancelled) {
        if (kind == RunKind::Load)
            m_whyNotLoaded = tr("loading was cancelled");
        else if (kind == RunKind::Measure || kind == RunKind::Needle)
            say(MessageBar::Kind::Note, tr("Cancelled; what was measured so far stays."));
    } else if (kind == RunKind::Measure) {
        calibrateIfFarOff();
    }
    refreshSoon();
}

bool Studio::isHurried() const
{
    return m_jobTime.isUsedUp()
        && (m_study.isUnreliable() || m_study.isOnlyDisturbed(Quantity::Tpot) || m_study.isOnlyDisturbed(Quantity::Ttft));
}

void Studio::calibrateIfFarOff()
{
    double worst = 0;
    for (const Quantity quantity : {Quantity::Ttft, Quantity::Tpot})
        worst = std::max(worst, m_study.predictionError(quantity).value_or(0));
    if (worst <= farOff || isHurried())
        return;
    say(MessageBar::Kind::Note,
        tr("Predictions were off by %1 at the median: this machine's speed has changed, or was disturbed when it was "
           "calibrated. It is calibrated again.")
            .arg(percentText(worst)));
    calibrateModel(false);
}

double Studio::expectedSeconds(const std::vector<std::int64_t> &contexts, double times) const
{
    const HeadMap *full = m_study.map(Series::Full);
    double ms = 0;
    for (const std::int64_t context : contexts)
        ms += full && m_study.hasTimes() ? m_study.cost().estimate(*full, Phase::Prefill, context).ms : 0;
    return 1e-3 * ms * times;
}

void Studio::calibrateModel(bool asked)
{
    if (!m_loaded)
        return;
    constexpr double usualSeconds = 8; // of a machine that is not slowed; soon the calibration has a pace of its own
    RunRequest request;
    request.kind = RunKind::Calibrate;
    request.background = !asked;
    request.expectedSeconds = usualSeconds;
    request.maxContext = m_study.contexts().back();
    request.time = m_jobTime;
    m_runs.enqueue(std::move(request));
}

void Studio::scoreModel(bool asked)
{
    if (!canScore())
        return;
    RunRequest request;
    request.kind = RunKind::Score;
    request.score.contexts = textContexts(m_loaded->config.maxContext);
    request.score.depths = depths;
    request.score.trials = 3;
    if (!asked) { // a first look, while the person looks around
        request.score.contexts = {request.score.contexts.front()};
        request.score.trials = 2;
    }
    request.background = !asked;
    request.expectedSeconds
        = expectedSeconds(request.score.contexts, static_cast<double>(request.score.depths.size()) * request.score.trials);
    m_runs.enqueue(std::move(request));
}

void Studio::measureMaps()
{
    if (!m_loaded)
        return;
    RunRequest request;
    request.kind = RunKind::Measure;
    BenchPlan &plan = request.bench;
    plan.patienceSeconds = 10; // who pressed a key wants to see something
    constexpr double mostSeconds = 60; // once samples are disturbed
    plan.time = JobTime::first(m_jobTime, JobTime(mostSeconds));
    constexpr std::array names = {"full", "duo", "zigzag", "this map"};
    for (const Series series : allSeries) {
        const HeadMap *map = m_study.map(series);
        const bool known = map
            && std::any_of(plan.maps.begin(), plan.maps.end(), [&](const NamedMap &other) { return runAlike(other.map, *map); });
        if (map && !known)
            plan.maps.push_back({names[static_cast<std::size_t>(series)], *map});
    }
    std::int64_t longest = m_study.contexts().back();
    const HeadMap *full = m_study.map(Series::Full);
    while (m_study.hasTimes() && longest > m_study.contexts().front()
           && m_study.cost().estimate(*full, Phase::Prefill, longest).ms > longestPrefillMs)
        longest /= 2;
    plan.contexts = usualContexts(longest);
    plan.phases = {Phase::Decode, Phase::Prefill};
    request.expectedSeconds
        = expectedSeconds(plan.contexts, static_cast<double>(plan.maps.size()) * (plan.warmup + plan.repeats));
    m_runs.enqueue(std::move(request));
    if (longest < m_study.contexts().back()) // said now: a new run takes away what was said before
        say(MessageBar::Kind::Note,
            tr("Measuring up to %1 tokens: a longer prefill would take more than %2 here.")
                .arg(contextText(longest), timeText(longestPrefillMs)));
}

void Studio::askNeedles()
{
    if (!canScore())
        return;
    RunRequest request;
    request.kind = RunKind::Needle;
    request.needle.contexts = textContexts(m_loaded->config.maxContext);
    request.needle.depths = depths;
    request.needle.trials = isHurried() ? 1 : 5;
    request.needle.seed = 2; // other questions than those that scored the heads
    const HeadMap &map = m_document.map();
    const HeadMap *full = m_study.map(Series::Full);
    request.needleMaps.push_back({"this map", map});
    const NeedleResult *known = full ? m_study.results().needle(*full) : nullptr;
    if (full && !runAlike(*full, map) && !(known && known->isComplete()))
        request.needleMaps.push_back({"full", *full});
    request.expectedSeconds
        = expectedSeconds(request.needle.contexts,
                          static_cast<double>(request.needleMaps.size() * request.needle.depths.size()) * request.needle.trials);
    m_runs.enqueue(std::move(request));
}

void Studio::takeScores(std::shared_ptr<const HeadScores> scores)
{
    if (m_findings.rowOf(scores.get()) < 0) {
        FoundScores found;
        found.name = scores->method == "attention" ? tr("Attention to needles") : QString::fromStdString(scores->method);
        found.scores = scores;
        m_findings.add(std::move(found));
    }
    if (!m_document.isUntouched())
        return m_document.setScores(std::move(scores));
    constexpr double half = 0.5;
    DocumentState state = m_document.state();
    state.scores = std::move(scores);
    m_document.beginFrom(state);
    report(m_document.assign(state.criterion, half));
    m_document.beginFrom(m_document.state()); // a starting point, not an edit
}

} // namespace zigzag
