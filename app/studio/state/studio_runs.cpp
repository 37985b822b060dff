// SPDX-License-Identifier: GPL-3.0-or-later
// Starting runs, and what they deliver.
#include "app/studio/state/studio.h"

#include "engine/map/run_alike.h"
#include "profiler/cost/profile_file.h"
#include "profiler/jobs/bench_job.h"
#include "profiler/jobs/calibration_job.h"
#include "profiler/jobs/evaluate_job.h"
#include "profiler/jobs/search_job.h"
#include "profiler/jobs/served_job.h"
#include "views/models/text.h"

#include <algorithm>
#include <map>
#include <utility>

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
    connect(&m_watch, &CalibrationWatch::quiet, this, [this] { calibrateModel(false); });
    connect(&m_runs, &RunController::finished, this, &Studio::onFinished);
}

void Studio::takeCost(const CostModel &cost, std::shared_ptr<const Calibration> calibration)
{
    m_calibration = std::move(calibration);
    m_here = cost;
    applyCost();
    Q_EMIT calibrated();
}

void Studio::takeRecords(const std::vector<NamedMap> &maps, const std::vector<BenchRecord> &records)
{
    m_plotted.measurements().addRecords(maps, records);
    m_runList.setRecords(m_runs.currentId(), QString::fromStdString(m_modelName), maps, records);
    refreshSoon();
}

void Studio::takeKeptTrace(RunEntry entry)
{
    const std::optional<HeadMap> map = entry.map;
    const std::shared_ptr<const Trace> trace = entry.trace;
    const QString name = nameOf(entry);
    m_runList.addTrace(std::move(entry), map);
    if (map)
        m_plotted.measurements().addTrace(*map, trace);
    Q_EMIT traceKept(name, trace);
    refreshSoon();
}

void Studio::takeNeedles(const NamedMap &map, const NeedleResult &result, const std::string &engine)
{
    m_plotted.measurements().addNeedle(map.map, result, engine);
    refreshSoon();
}

void Studio::onLoaded(const LoadedModel &model)
{
    m_loaded = model;
    QStringList notes;
    for (const std::string &note : model.config.notes)
        notes << QString::fromStdString(note);
    const auto fits
        = checkFits(m_document.map(), model.shape, m_document.path().empty() ? "the map" : m_document.path().string());
    report(fits); // a map of a model with the same name and other weights
    if (const std::string note = fits ? fitNote(m_document.map(), model.shape, "the map") : ""; !note.empty())
        notes << QString::fromStdString(note);
    if (!notes.isEmpty())
        say(MessageBar::Kind::Note, notes.join('\n'));
    if (fits)
        m_document.setModel(model.shape);
    if (m_calibration && m_calibration->machine.device == model.device && !m_plotted.hasTimes()) {
        const CostModel kept(*m_calibration, model.config);
        if (kept.isFitted() && kept.isOwn()) {
            m_keptCost = kept;
            applyCost();
        }
    }
    calibrateModel(false);
    // Scores that came with a model are of its weights, whatever machine they run on; of other weights they say nothing.
    const bool isKept = m_keptScores && m_document.state().scores == m_keptScores;
    const bool isOfOthers = isKept && m_keptScores->model.fingerprint != model.shape.fingerprint;
    if (canScore() && (!m_document.state().scores || isOfOthers) && model.config.weightBytes() <= scoredAtOnceBytes)
        scoreModel(false);
}

void Studio::onFinished(const std::string &task, const RunOutcome &outcome)
{
    if (outcome.kind == RunOutcome::Kind::Failed) {
        say(MessageBar::Kind::Error, outcome.error);
        if (task == RunName::Load)
            m_whyNotLoaded = tr("the model could not be loaded");
    } else if (outcome.kind == RunOutcome::Kind::Cancelled) {
        if (task == RunName::Load)
            m_whyNotLoaded = tr("loading was cancelled");
        else if (task == RunName::Score && m_partOfScores)
            m_scoreSources.add(*std::exchange(m_partOfScores, std::nullopt));
        else if (task == RunName::Measure || task == RunName::Needle)
            say(MessageBar::Kind::Note, tr("Cancelled; what was measured so far stays."));
    } else if (task == RunName::Measure) {
        calibrateIfFarOff();
    }
    refreshSoon();
}

bool Studio::isHurried() const
{
    return m_jobTime.isUsedUp()
        && (m_plotted.isUnreliable() || m_plotted.isOnlyDisturbed(Quantity::Tpot) || m_plotted.isOnlyDisturbed(Quantity::Ttft));
}

void Studio::calibrateIfFarOff()
{
    double worst = 0;
    for (const Quantity quantity : {Quantity::Ttft, Quantity::Tpot})
        worst = std::max(worst, m_plotted.predictionError(quantity).value_or(0));
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
    const HeadMap *full = m_plotted.map(Series::Full);
    double ms = 0;
    for (const std::int64_t context : contexts)
        ms += full && m_here.isFitted() ? m_here.estimate(*full, Phase::Prefill, context).ms : 0;
    return 1e-3 * ms * times;
}

void Studio::calibrateModel(bool asked)
{
    if (!m_loaded)
        return;
    constexpr double usualSeconds = 8; // of a machine that is not slowed; soon the calibration has a pace of its own
    RunRequest request;
    request.task = RunName::Calibrate;
    request.title = tr("Calibrate predictions");
    request.background = !asked;
    request.expectedSeconds = usualSeconds;
    request.ofModel = m_modelName;
    request.page = QStringLiteral("plots");
    request.commandLine = [model = lineModel(), longest = m_plotted.contexts().back()]() -> Result<std::string> {
        return jobs::calibrateLine(model, longest, "profile.json");
    };
    request.work = [this, longest = m_plotted.contexts().back(), time = m_jobTime,
                    file = m_kept.fileToKeep(m_modelName, m_loaded->config)](const TaskContext &context) -> Result<void> {
        const auto tell = [&](const JobStep &step) {
            constexpr double machineShare = 0.25; // of the progress
            if (step.part == JobPart::Machine)
                context.progress(machineShare * step.fraction, tr("Measuring this machine"));
            else
                context.progress(machineShare + (1 - machineShare) * step.fraction, tr("Calibrating predictions"));
        };
        tell({}); // also where the machine is known
        ZIGZAG_TRY(found, jobs::calibration(context.told(tell), shortCalibration(longest, time)));
        const auto calibration = std::make_shared<const Calibration>(std::move(found));
        const CostModel cost(*calibration, context.job.config());
        if (!file.empty() && cost.isReliable())
            (void)writeProfile(*calibration, file); // without it the next start waits as this one did
        context.deliver([this, calibration, cost] { takeCost(cost, calibration); });
        return {};
    };
    m_runs.enqueue(std::move(request));
}

void Studio::scoreModel(bool asked)
{
    if (!canScore())
        return;
    AttentionScorePlan plan;
    plan.contexts = textContexts(m_loaded->config.maxContext);
    plan.depths = depths;
    plan.trials = 3;
    plan.as = AskAs::Auto;
    if (!asked) // a first look, while the person looks around
        plan.trials = 2;
    RunRequest request;
    request.task = RunName::Score;
    request.title = tr("Score heads");
    request.background = !asked;
    request.ofModel = m_modelName;
    request.page = QStringLiteral("find");
    AttentionScorePlan said = plan;
    if (!asked)
        said.contexts = {said.contexts.front()};
    request.commandLine
        = [model = lineModel(), said]() -> Result<std::string> { return jobs::scoreLine(model, said, "scores.json"); };
    request.expectedSeconds = expectedSeconds(said.contexts, static_cast<double>(plan.depths.size()) * plan.trials);
    // Shared by the runs of this request: one that was stopped goes on from what it has.
    const auto kept = std::make_shared<AttentionState>();
    request.work = [this, planned = plan, asked, kept](const TaskContext &context) -> Result<void> {
        AttentionScorePlan asking = planned;
        asking.contexts = contextsWithRoom(context.job.model(), asking.as, asking.contexts);
        if (!asked)
            asking.contexts = {asking.contexts.front()};
        const auto tell = [&](const JobStep &step) { // 0.3: inside the first prompt
            context.progress(
                step.fraction,
                tr("Scoring heads: prompt %1 of %2").arg(std::min(static_cast<int>(step.done) + 1, step.all)).arg(step.all));
        };
        jobs::ScoredSoFar soFar{.state = *kept};
        soFar.told = [&](const HeadScores &scores, int done, int all) {
            FoundScores part;
            part.name = tr("Attention to needles, %1 of %2 prompts").arg(done).arg(all);
            part.scores = std::make_shared<const HeadScores>(scores);
            context.deliver([this, part] { m_partOfScores = part; }); // on the list only where it is stopped now
        };
        auto scores = jobs::scoreHeads(context.told(tell), asking, &soFar);
        *kept = std::move(soFar.state);
        ZIGZAG_CHECK(scores);
        if (!context.job.isCancelled())
            *kept = {}; // asked again, all of it is asked again
        context.deliver([this, found = std::make_shared<const HeadScores>(std::move(*scores))] {
            m_partOfScores.reset();
            takeScores(found);
        });
        return {};
    };
    m_runs.enqueue(std::move(request));
}

void Studio::measureMaps()
{
    if (!m_loaded)
        return;
    BenchPlan plan;
    plan.patienceSeconds = m_preferences.patienceSeconds;
    constexpr double secondsOfSamples = 50; // once they are disturbed
    plan.time = JobTime::first(m_jobTime, JobTime(secondsOfSamples + plan.patienceSeconds));
    constexpr std::array names = {"full", "duo", "zigzag", "this map"};
    for (const Series series : allSeries) {
        const HeadMap *map = m_plotted.map(series);
        const bool known = map
            && std::any_of(plan.maps.begin(), plan.maps.end(), [&](const NamedMap &other) { return runAlike(other.map, *map); });
        if (map && !known)
            plan.maps.push_back({names[static_cast<std::size_t>(series)], *map});
    }
    std::int64_t longest = m_plotted.contexts().back();
    const HeadMap *full = m_plotted.map(Series::Full);
    while (m_here.isFitted() && longest > m_plotted.contexts().front()
           && m_here.estimate(*full, Phase::Prefill, longest).ms > longestPrefillMs)
        longest /= 2;
    plan.contexts = m_preferences.contexts;
    std::erase_if(plan.contexts, [longest](std::int64_t context) { return context > longest; });
    if (plan.contexts.empty()) // all of them are beyond this model's
        plan.contexts = usualContexts(longest);
    plan.phases = {Phase::Decode, Phase::Prefill};
    RunRequest request;
    request.task = RunName::Measure;
    request.title = tr("Measure");
    request.ofModel = m_modelName;
    request.page = QStringLiteral("runs");
    request.commandLine = [this, model = lineModel(), plan]() -> Result<std::string> {
        std::vector<std::string> words;
        for (const NamedMap &map : plan.maps) {
            ZIGZAG_TRY(word, mapWord(map.map));
            words.push_back(std::move(word));
        }
        return jobs::benchLine(model, words, plan);
    };
    request.expectedSeconds
        = expectedSeconds(plan.contexts, static_cast<double>(plan.maps.size()) * (plan.warmup + plan.repeats));
    // Shared by the runs of this request: one that was stopped goes on from what it has.
    const auto soFar = std::make_shared<std::vector<BenchRecord>>();
    request.work = [this, asked = plan, soFar](const TaskContext &context) -> Result<void> {
        BenchPlan rest = asked;
        rest.known = *soFar;
        const auto tell = [&](const JobStep &step) {
            if (step.all > 0)
                context.progress(step.fraction, tr("Measuring: sample %1 of %2").arg(static_cast<int>(step.done)).arg(step.all));
        };
        const auto show = [&](const std::vector<BenchRecord> &records) {
            *soFar = records;
            context.deliver([this, maps = rest.maps, records] { takeRecords(maps, records); });
        };
        context.progress(0, tr("Measuring"));
        ZIGZAG_TRY(records, jobs::bench(context.told(tell), rest, show));
        show(records); // with what the machine was seen to do at the end
        if (!context.job.isCancelled())
            soFar->clear(); // asked again, all of it is measured again
        for (const BenchRecord &record : records)
            if (!record.failure.empty())
                return failed(record.failure);
        return {};
    };
    m_runs.enqueue(std::move(request));
    if (longest < m_plotted.contexts().back()) // said now: a new run takes away what was said before
        say(MessageBar::Kind::Note,
            tr("Measuring up to %1 tokens: a longer prefill would take more than %2 here.")
                .arg(contextText(longest), timeText(longestPrefillMs)));
}

void Studio::askNeedles()
{
    if (!canScore())
        return;
    NeedlePlan plan;
    plan.contexts = textContexts(m_loaded->config.maxContext);
    plan.depths = depths;
    plan.trials = isHurried() ? 1 : 5;
    plan.seed = 2; // other questions than those that scored the heads
    plan.as = AskAs::Auto; // by the model's template, where it has one
    const HeadMap &map = m_document.map();
    const auto serving = m_serving.serving(map);
    if (!serving)
        return say(serving.error());
    const HeadMap *full = m_plotted.map(Series::Full);
    std::vector<NamedMap> maps{{"this map", map}};
    const NeedleResult *known = full ? m_plotted.measurements().needle(*full) : nullptr;
    if (full && !runAlike(*full, map) && !(known && known->isComplete()))
        maps.push_back({"full", *full});
    RunRequest request;
    request.task = RunName::Needle;
    request.title = m_serving.isOurs() ? tr("Needle") : tr("Needle, %1").arg(m_serving.asText());
    request.expectedSeconds = expectedSeconds(plan.contexts, static_cast<double>(maps.size() * plan.depths.size()) * plan.trials);
    request.ofModel = m_modelName;
    request.page = QStringLiteral("needle");
    request.commandLine = [this, model = lineModel(), plan, map, engine = m_serving.engine()]() -> Result<std::string> {
        ZIGZAG_TRY(word, mapWord(map));
        return jobs::needleLine(model, word, plan, engine);
    };
    // By map, shared by the runs of this request: one that was stopped goes on from the cells that it has.
    const auto answered = std::make_shared<std::map<std::string, std::vector<NeedleCell>>>();
    const auto calibration = std::make_shared<CalibrationState>(); // of what stands in for sinks
    request.work
        = [this, planned = plan, maps, served = *serving, answered, calibration](const TaskContext &context) -> Result<void> {
        NeedlePlan asking = planned;
        asking.contexts = contextsWithRoom(context.job.textModel(), asking.as, asking.contexts);
        const auto ask = [&](const JobContext &job, const NamedMap &named, const jobs::NeedlesTold &told) -> Result<void> {
            NeedlePlan rest = asking;
            rest.known = (*answered)[named.name];
            const auto keep = [&](const NamedMap &asked, const NeedleResult &soFar) {
                (*answered)[named.name] = soFar.grid;
                told(asked, soFar);
            };
            ZIGZAG_CHECK(jobs::askNeedles(job, {named}, rest, keep));
            return {};
        };
        const auto tell = [&](const JobStep &step) {
            if (step.part == JobPart::Carry)
                return context.progress(0, tr("Calibrating what stands in for sinks"));
            const std::string asked(step.subject);
            const auto before
                = std::find_if(maps.begin(), maps.end(), [&](const NamedMap &each) { return each.name == asked; }) - maps.begin();
            context.progress((static_cast<double>(before) + step.fraction) / static_cast<double>(maps.size()),
                             tr("Needle, %1: question %2 of %3")
                                 .arg(QString::fromStdString(asked))
                                 .arg(std::min(static_cast<int>(step.done) + 1, step.all))
                                 .arg(step.all));
        };
        const auto show = [&](const NamedMap &asked, const NeedleResult &soFar) {
            context.deliver([this, asked, soFar] { takeNeedles(asked, soFar); });
        };
        if (!served) {
            for (const NamedMap &each : maps)
                ZIGZAG_CHECK(ask(context.told(tell), each, show));
            answered->clear(); // asked again, all of it is asked again
            return {};
        }
        // As the engine has it: another model perhaps, and another map; what it said is kept for the map that was asked about.
        ZIGZAG_TRY(run, jobs::servedRun(context.told(tell), maps.front().map, *served, calibration.get()));
        const auto showServed = [&](const NamedMap &, const NeedleResult &soFar) {
            context.deliver([this, asked = maps.front(), engine = served->engine, soFar] { takeNeedles(asked, soFar, engine); });
        };
        ZIGZAG_CHECK(ask(run.context, {maps.front().name, run.map}, showServed));
        for (std::size_t i = 1; i < maps.size(); ++i)
            ZIGZAG_CHECK(ask(context.told(tell), maps[i], show));
        answered->clear();
        *calibration = {};
        return {};
    };
    m_runs.enqueue(std::move(request));
}

void Studio::takeScores(std::shared_ptr<const HeadScores> scores)
{
    if (m_scoreSources.rowOf(scores.get()) < 0) {
        FoundScores found;
        found.name = scores->method == nameOf(SearchMethod::Attention) ? tr("Attention to needles")
            : scores->method == nameOf(SearchMethod::Logits) ? nameOf(SearchMethod::Logits, Unit::Head, SearchLoss::Distillation)
                                                             : QString::fromStdString(scores->method);
        found.scores = scores;
        m_scoreSources.add(std::move(found));
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
