// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/quality_page.h"

#include "app/studio/state/progress_files.h"
#include "engine/map/run_alike.h"
#include "profiler/jobs/sweep_job.h"
#include "views/models/text.h"
#include "views/widgets/pareto_plot.h"

#include <QFile>
#include <QPointer>
#include <QVBoxLayout>

#include <algorithm>

namespace zigzag {

namespace {

constexpr const char *sweepTask = "sweep-quality";

/// The questions of a sweep: others than those that a search learns from.
TaskPlan sweepTasks(std::int64_t maxContext)
{
    TaskPlan plan;
    plan.kinds = {TaskKind::Passkey, TaskKind::Passkeys};
    plan.contexts = {std::clamp<std::int64_t>(maxContext / 4, std::min<std::int64_t>(512, maxContext), 4096)};
    plan.depths = {0.1, 0.3, 0.5, 0.7, 0.9};
    plan.seed = 5;
    return plan;
}

/// Where an unfinished sweep waits: a file for each model, its maps and the engine that runs them.
QString fileOf(const std::vector<HeadMap> &maps, const ModelShape &model, const TaskPlan &tasks, const std::string &engine)
{
    std::string key = "sweep " + model.name + model.fingerprint + ' ' + std::to_string(tasks.contexts.front()) + engine;
    for (const HeadMap &map : maps)
        key += ' ' + fingerprintOf(map);
    return progressFile(QByteArray::fromStdString(key));
}

} // namespace

QualityPage::QualityPage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("quality"), tr("Quality and speed"), parent)
    , m_plot(new ParetoPlot(this))
{
    setGuidePage(QStringLiteral("quality#sweep"));
    m_plot->setObjectName(QStringLiteral("paretoPlot"));
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_plot);
    connect(m_plot, &ParetoPlot::pointChosen, this, &QualityPage::apply);
    exhibit(m_plot->exhibit(), m_plot);
    offer(PageMenu::Run, QStringLiteral("sweepQuality"), tr("S&weep quality over layers and windows"),
          QKeySequence(Qt::SHIFT | Qt::Key_F6), [this] { sweep(); });
}

void QualityPage::refresh()
{
    Studio &s = studio();
    const DocumentState &state = s.document().state();
    QualitySweep &sweep = s.sweep();
    if (sweep.model.layers != s.document().model().layers || sweep.model.name != s.document().model().name)
        sweep = {};
    const PlottedMaps &plotted = s.plotted();
    const std::int64_t context = s.context();
    const bool timed = plotted.hasTimes();
    std::vector<double> cost, loss;
    for (const SweepPoint &point : sweep.points) {
        const HeadMap run = sweep.asRun ? sweep.asRun(point.map) : point.map;
        cost.push_back(timed ? plotted.estimate(run, Phase::Decode, context).ms : plotted.kv(run, context));
        loss.push_back(point.quality.loss.mean);
    }
    const std::vector<bool> inSet = paretoSet(cost, loss);
    std::vector<ParetoPoint> points;
    for (std::size_t i = 0; i < sweep.points.size(); ++i) {
        const HeadMap &map = sweep.points[i].map;
        const StreamingWindow window = map.oneWindow().value(); // a sweep assigns every map with one
        const MapQuality &quality = sweep.points[i].quality;
        const QString price = !timed ? bytesText(cost[i])
            : plotted.isKept()       ? tr("%1 per token, %2").arg(timeText(cost[i]), plotted.keptText())
            : plotted.isUnreliable() ? tr("%1 per token, predicted from a disturbed calibration").arg(timeText(cost[i]))
                                     : tr("%1 per token, predicted").arg(timeText(cost[i]));
        points.push_back(
            {cost[i], quality.loss.mean, quality.loss.error, inSet[i], runAlike(map, s.document().map()),
             tr("%1 streaming, %2 sink and %3 recent tokens\nloss %4 ± %5 (standard error, %6 prompts), %7 of answers "
                "right\n%8 at %9\nClick to apply this map")
                     .arg(percentText(map.sparsity()))
                     .arg(window.sink)
                     .arg(window.recent)
                     .arg(quality.loss.mean, 0, 'g', 3)
                     .arg(quality.loss.error, 0, 'g', 2)
                     .arg(quality.prompts)
                     .arg(percentText(quality.right.mean), price, contextText(context))
                 + (sweep.servedAs.isEmpty() ? QString() : QLatin1Char('\n') + tr("quality %1").arg(sweep.servedAs)),
             map.sparsity(), window.sink, window.recent});
    }
    for (int variant = 0; s.drawsVariants() && s.document().variants() > 1 && variant < s.document().variants(); ++variant)
        for (std::size_t i = 0; i < points.size(); ++i)
            if (runAlike(sweep.points[i].map, s.document().variantMap(variant)))
                points[i].variant
                    += (points[i].variant.isEmpty() ? QString() : QStringLiteral(", ")) + s.document().variantName(variant);
    const QString doing = s.doing(sweepTask);
    QString costTitle = plotted.isKept() ? tr("predicted time per output token at %1 (kept)").arg(contextText(context))
        : plotted.isUnreliable() ? tr("predicted time per output token at %1 (disturbed calibration)").arg(contextText(context))
        : timed                  ? tr("predicted time per output token at %1").arg(contextText(context))
                                 : tr("KV memory at %1").arg(contextText(context));
    if (const QString under = plotted.conditionsText(); timed && !under.isEmpty())
        costTitle = tr("%1, %2").arg(costTitle, under);
    if (!sweep.servedAs.isEmpty() && !sweep.points.empty())
        costTitle = tr("%1, by zigzag; quality %2").arg(costTitle, sweep.servedAs);
    m_plot->show(std::move(points), costTitle,
                 timed                    ? UnitTicker::Unit::Time
                     : plotted.hasBytes() ? UnitTicker::Unit::Bytes
                                          : UnitTicker::Unit::Keys,
                 !doing.isEmpty()    ? doing
                     : !s.canScore() ? tr("The sweep needs a trained model with its tokenizer.")
                     : !state.scores
                     ? tr("The sweep needs scores: find the layers first (Shift+F7).")
                     : tr("What does each map lose, and what does it gain?\nSweep with Run › Sweep quality (Shift+F6)."));
}

void QualityPage::apply(int point)
{
    const std::vector<SweepPoint> &points = studio().sweep().points;
    if (point < 0 || point >= static_cast<int>(points.size()))
        return;
    studio().document().applyMap(points[static_cast<std::size_t>(point)].map);
}

void QualityPage::sweep()
{
    const DocumentState &state = studio().document().state();
    if (!studio().canScore())
        return;
    if (!state.scores)
        return studio().say(MessageBar::Kind::Note, tr("The sweep needs scores: find the layers first (Shift+F7)."));
    // A sweep goes around one window, and its points name theirs; where layers differ, it is the usual one.
    const StreamingWindow window = state.map.oneWindow().value_or(StreamingWindow{});
    const auto maps = sweepMaps(*state.scores, state.criterion.toStdString(), windowsAround(window));
    if (!maps)
        return studio().say(maps.error());
    // One map's verdict is every map's: engines judge families and whole layers, not how long a window is.
    const auto serving = studio().serving().serving(window, false);
    if (!serving)
        return studio().say(serving.error());
    if (*serving && (*serving)->standsIn)
        return studio().say(
            MessageBar::Kind::Note,
            tr("What stands in for sinks is calibrated for one window, and a sweep tries several: sweep as another "
               "engine (Run › As served by)."));
    ServedBy served;
    if (*serving)
        served = {(*serving)->engine, (*serving)->asRun, {}};
    const TaskPlan tasks = sweepTasks(studio().loaded()->config.maxContext);
    const QPointer<QualityPage> page(this);
    RunRequest request;
    request.task = sweepTask;
    request.ofModel = studio().modelName();
    request.page = objectName();
    request.commandLine = [model = studio().lineModel(), scores = state.scores, criterion = state.criterion.toStdString(), window,
                           tasks, isOurs = studio().serving().isOurs()]() -> Result<std::string> {
        if (!isOurs)
            return badInput(
                tr("pareto sweeps as our engine runs maps: choose Run › As served by › ours for its line").toStdString());
        ZIGZAG_TRY(file, Studio::scoresWord(*scores));
        return jobs::sweepLine(model, file, criterion, window, tasks);
    };
    const QString servedAs = studio().serving().asText();
    request.title = servedAs.isEmpty() ? tr("Sweep quality") : tr("Sweep quality, %1").arg(servedAs);
    const QString file = fileOf(*maps, studio().loaded()->shape, tasks, served.engine);
    request.work = [tasks, maps = *maps, served, servedAs, page, file,
                    shape = studio().document().model()](const TaskContext &context) -> Result<void> {
        const auto tell = [&](const JobStep &step) {
            if (step.all > 0)
                context.progress(
                    step.fraction,
                    tr("Quality sweep: prompt %1 of %2").arg(std::min(static_cast<int>(step.done) + 1, step.all)).arg(step.all));
            else
                context.progress(0, tr("Quality sweep of %1 maps").arg(maps.size()));
        };
        jobs::SweepJob job{.maps = maps, .tasks = tasks, .served = served, .progressFile = file.toStdString()};
        bool isBegun = false;
        job.begun = [&](int, int, double seconds) {
            isBegun = true;
            context.expect(seconds);
        };
        // After every prompt, because what is delivered after a cancel is dropped: what is shown stays.
        job.soFar = [&](std::vector<SweepPoint> points) {
            context.deliver([page, sweep = QualitySweep{std::move(points), served.engine, servedAs, served.asRun, shape}] {
                if (!page)
                    return;
                page->studio().sweep() = sweep;
                page->studio().refreshSoon();
            });
        };
        job.first = [&](std::vector<SweepPoint> points) {
            constexpr std::size_t fewest = 8; // fewer show no trade
            if (points.size() >= fewest)
                job.soFar(std::move(points));
        };
        auto swept = jobs::sweep(context.told(tell), job);
        if (!swept && !isBegun && swept.error().kind == ErrorKind::BadInput && QFile::exists(file)) {
            job.begin = Begin::Anew; // what waits there is of an earlier version's prompts, or damaged
            swept = jobs::sweep(context.told(tell), job);
        }
        ZIGZAG_CHECK(swept);
        if (!context.job.isCancelled())
            job.soFar(swept->points); // all of them may be of earlier
        return {};
    };
    studio().runs().enqueue(std::move(request));
}

} // namespace zigzag
