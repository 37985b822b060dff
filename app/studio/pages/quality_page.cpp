// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/quality_page.h"

#include "app/studio/state/progress_files.h"
#include "engine/base/files.h"
#include "engine/map/run_alike.h"
#include "profiler/evaluate/task_frame.h"
#include "profiler/jobs/sweep_job.h"
#include "profiler/questions/question_file.h"
#include "profiler/questions/ruler.h"
#include "views/models/native_path.h"
#include "views/models/text.h"
#include "views/widgets/pareto_plot.h"

#include <QComboBox>
#include <QFile>
#include <QHBoxLayout>
#include <QLabel>
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

/// A text that perplexity is taken of.
constexpr std::uint64_t longestText = 16 << 20;

/// What one run asks of every map, by value.
struct Asked {
    jobs::QualityAxis axis = jobs::QualityAxis::Ruler;
    QString file;
    std::int64_t context = 0; ///< tokens of a question, or of a text's windows
    std::string model;
};

Result<jobs::AxisQuestions> questionsOf(const Asked &asked, const Model &model)
{
    jobs::AxisQuestions questions;
    if (asked.axis == jobs::QualityAxis::Ruler) {
        RulerPlan plan;
        plan.contexts = {asked.context};
        plan.trials = 2;
        plan.seed = questions.seed = 11; // others than a search learns from
        questions.asked = "ruler";
        ZIGZAG_TRY(made, rulerQuestions(model, plan, AskAs::Auto));
        questions.questions = std::move(made);
        return questions;
    }
    ZIGZAG_TRY(file, readQuestions(pathOf(asked.file)));
    questions.asked = shownFileName(asked.file).toStdString();
    questions.questions = std::move(file.questions);
    if (questions.questions.empty())
        return badInput(shownPath(asked.file).toStdString() + " has no question that can be asked here");
    return questions;
}

} // namespace

QualityPage::QualityPage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("quality"), tr("Quality and speed"), parent)
    , m_axis(new QComboBox(this))
    , m_plot(new ParetoPlot(this))
{
    setGuidePage(QStringLiteral("quality#sweep"));
    m_plot->setObjectName(QStringLiteral("paretoPlot"));
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_axis->setObjectName(QStringLiteral("qualityAxis"));
    m_axis->setAccessibleName(tr("What the quality axis shows"));
    using jobs::QualityAxis;
    for (const auto &[each, name] :
         {std::pair(QualityAxis::Loss, tr("distillation loss")),
          std::pair(QualityAxis::Kl, tr("divergence from full attention (KL)")),
          std::pair(QualityAxis::Needles, tr("needles found")), std::pair(QualityAxis::Ruler, tr("RULER's tasks")),
          std::pair(QualityAxis::Questions, tr("a file of questions…")),
          std::pair(QualityAxis::Perplexity, tr("the perplexity of a text…"))})
        m_axis->addItem(name, static_cast<int>(each));
    auto *label = new QLabel(tr("Quality is"), this);
    label->setBuddy(m_axis);
    auto *row = new QHBoxLayout;
    const int gap = fontMetrics().height() / 3;
    row->setContentsMargins(gap, gap / 2, gap, 0);
    row->addWidget(label);
    row->addWidget(m_axis);
    row->addStretch(1);
    column->addLayout(row);
    column->addWidget(m_plot, 1);
    connect(m_axis, &QComboBox::activated, this, &QualityPage::chooseAxis);
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
    s.qualities().keepQualitiesOf(s.document().model());
    const PlottedMaps &plotted = s.plotted();
    const std::int64_t context = s.context();
    const bool timed = plotted.hasTimes(), byLoss = axis() == jobs::QualityAxis::Loss;
    const std::vector<Shown> all = shown();
    std::vector<double> cost, loss;
    for (const Shown &each : all) {
        const HeadMap run = sweep.asRun ? sweep.asRun(each.map) : each.map;
        cost.push_back(timed ? plotted.estimate(run, Phase::Decode, context).ms : plotted.kv(run, context));
        loss.push_back(jobs::costOf(each.quality, axis()));
    }
    const std::vector<bool> inSet = paretoSet(cost, loss);
    QString servedAs = sweep.servedAs;
    if (const AskedQuality *asked = judged(); asked && !jobs::isOfTasks(axis()))
        servedAs = asked->servedAs;
    std::vector<ParetoPoint> points;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const HeadMap &map = all[i].map;
        const StreamingWindow window = map.oneWindow().value(); // a sweep assigns every map with one
        const Interval &quality = all[i].quality;
        const QString price = !timed ? bytesText(cost[i])
            : plotted.isKept()       ? tr("%1 per token, %2").arg(timeText(cost[i]), plotted.keptText())
            : plotted.isUnreliable() ? tr("%1 per token, predicted from a disturbed calibration").arg(timeText(cost[i]))
                                     : tr("%1 per token, predicted").arg(timeText(cost[i]));
        QString text = tr("%1 streaming, %2 sink and %3 recent tokens\n")
                           .arg(percentText(map.sparsity()))
                           .arg(window.sink)
                           .arg(window.recent);
        if (!byLoss)
            text += tr("%1: %2, 95 % interval %3 to %4 (%5 values)\n")
                        .arg(axisTitle())
                        .arg(quality.mean, 0, 'g', 4)
                        .arg(quality.low, 0, 'g', 4)
                        .arg(quality.high, 0, 'g', 4)
                        .arg(quality.count);
        else if (const MapQuality *tasks = all[i].tasks)
            text += tr("loss %1 ± %2 (standard error, %3 prompts), %4 of answers right\n")
                        .arg(tasks->loss.mean, 0, 'g', 3)
                        .arg(tasks->loss.error, 0, 'g', 2)
                        .arg(tasks->prompts)
                        .arg(percentText(tasks->right.mean));
        text += tr("%1 at %2\nClick to apply this map").arg(price, contextText(context));
        if (!servedAs.isEmpty())
            text += QLatin1Char('\n') + tr("quality %1").arg(servedAs);
        points.push_back({cost[i], quality.mean, quality.error, inSet[i], runAlike(map, s.document().map()), text, map.sparsity(),
                          window.sink, window.recent, byLoss ? 0 : quality.low, byLoss ? 0 : quality.high});
    }
    for (int variant = 0; s.drawsVariants() && s.document().variants() > 1 && variant < s.document().variants(); ++variant)
        for (std::size_t i = 0; i < points.size(); ++i)
            if (runAlike(all[i].map, s.document().variantMap(variant)))
                points[i].variant
                    += (points[i].variant.isEmpty() ? QString() : QStringLiteral(", ")) + s.document().variantName(variant);
    const QString doing = s.doing(sweepTask);
    QString costTitle = plotted.isKept() ? tr("predicted time per output token at %1 (kept)").arg(contextText(context))
        : plotted.isUnreliable() ? tr("predicted time per output token at %1 (disturbed calibration)").arg(contextText(context))
        : timed                  ? tr("predicted time per output token at %1").arg(contextText(context))
                                 : tr("KV memory at %1").arg(contextText(context));
    if (const QString under = plotted.conditionsText(); timed && !under.isEmpty())
        costTitle = tr("%1, %2").arg(costTitle, under);
    if (!servedAs.isEmpty() && !points.empty())
        costTitle = tr("%1, by zigzag; quality %2").arg(costTitle, servedAs);
    if (byLoss != m_plot->showsLoss() || !byLoss)
        m_plot->setQuality(byLoss ? QString() : axisTitle(), jobs::isShare(axis()));
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
    const std::vector<Shown> points = shown();
    if (point >= 0 && point < static_cast<int>(points.size()))
        studio().document().applyMap(points[static_cast<std::size_t>(point)].map);
}

jobs::QualityAxis QualityPage::axis() const
{
    return static_cast<jobs::QualityAxis>(m_axis->currentData().toInt());
}

QString QualityPage::axisTitle() const
{
    switch (axis()) {
    case jobs::QualityAxis::Loss:
        break;
    case jobs::QualityAxis::Kl:
        return tr("divergence from full attention (KL, nats)");
    case jobs::QualityAxis::Needles:
        return tr("share of needles found");
    case jobs::QualityAxis::Ruler:
        return tr("mean score of RULER's tasks");
    case jobs::QualityAxis::Questions:
        return tr("mean score of %1").arg(shownFileName(m_file));
    case jobs::QualityAxis::Perplexity:
        return tr("perplexity of %1").arg(shownFileName(m_file));
    }
    return tr("distillation loss");
}

std::string QualityPage::judgedKey() const
{
    return keyOfQuality(jobs::nameOf(axis()), axis() == jobs::QualityAxis::Ruler ? QString() : m_file,
                        studio().serving().engine());
}

const AskedQuality *QualityPage::judged() const
{
    return studio().qualities().quality(judgedKey());
}

void QualityPage::showQuality(const AskedQuality &quality)
{
    const auto asked = jobs::parseQualityAxis(quality.axis);
    const int place = asked ? m_axis->findData(static_cast<int>(*asked)) : -1;
    if (place < 0)
        return;
    m_file = quality.file;
    m_axis->setCurrentIndex(place);
    studio().refreshSoon();
}

void QualityPage::chooseAxis()
{
    if (axis() == jobs::QualityAxis::Questions || axis() == jobs::QualityAxis::Perplexity) {
        const QString file = studio().prompts().fileToOpen(
            this, axis() == jobs::QualityAxis::Questions ? tr("Questions to ask") : tr("A text for perplexity"));
        if (file.isEmpty())
            m_axis->setCurrentIndex(0);
        m_file = file;
    }
    studio().refreshSoon();
}

std::vector<QualityPage::Shown> QualityPage::shown() const
{
    std::vector<Shown> all;
    if (jobs::isOfTasks(axis())) {
        for (const SweepPoint &point : studio().sweep().points)
            all.push_back({point.map, jobs::qualityOf(point.quality, axis()), &point.quality});
        return all;
    }
    const AskedQuality *asked = judged();
    if (!asked)
        return all;
    for (const HeadMap &map : asked->maps)
        if (const auto found = asked->found.find(fingerprintOf(map)); found != asked->found.end())
            all.push_back({map, found->second, nullptr});
    return all;
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
    if (jobs::isOfTasks(axis()))
        sweepTasksOf(*maps, window, served);
    else
        judge(*maps, served);
}

/// Questions, RULER's tasks or a text: each map by itself, and none twice.
void QualityPage::judge(const std::vector<HeadMap> &maps, const ServedBy &served)
{
    const std::int64_t longest = studio().loaded()->config.maxContext;
    const Asked asked{axis(), m_file, std::min<std::int64_t>(longest, axis() == jobs::QualityAxis::Ruler ? 4096 : 2048),
                      studio().modelName()};
    const std::string key = judgedKey();
    const AskedQuality *before = judged();
    AskedQuality here = before ? *before : AskedQuality{};
    here.axis = jobs::nameOf(axis());
    here.file = axis() == jobs::QualityAxis::Ruler ? QString() : m_file;
    here.engine = studio().serving().engine();
    here.servedAs = studio().serving().asText();
    here.when = QDateTime::currentDateTime();
    here.model = studio().document().model();
    for (const HeadMap &map : maps)
        if (std::none_of(here.maps.begin(), here.maps.end(), [&](const HeadMap &each) { return runAlike(each, map); }))
            here.maps.push_back(map);
    studio().qualities().takeQuality(key, here);
    const QPointer<QualityPage> page(this);
    RunRequest request;
    request.task = sweepTask;
    request.ofModel = studio().modelName();
    request.page = objectName();
    request.title = tr("Sweep quality: %1").arg(axisTitle());
    request.work
        = [asked, maps, known = here.record, asRun = served.asRun, key, here, page](const TaskContext &context) -> Result<void> {
        const auto tell = [&](const JobStep &step) {
            context.progress(step.fraction, tr("Quality sweep, %1").arg(QString::fromStdString(std::string(step.subject))));
        };
        const JobContext job = context.told(tell);
        const auto found = [&](const HeadMap &map, const Interval &quality, const AnswersRecord &record) {
            context.deliver(
                [page, key, here, print = fingerprintOf(map), quality, kept = std::make_shared<const AnswersRecord>(record)] {
                    if (!page)
                        return;
                    QualityRecords &all = page->studio().qualities();
                    AskedQuality judged = all.quality(key) ? *all.quality(key) : here;
                    judged.found[print] = quality;
                    judged.record = kept->questions.empty() ? nullptr : kept;
                    all.takeQuality(key, std::move(judged));
                    page->studio().refreshSoon();
                });
        };
        if (asked.axis == jobs::QualityAxis::Perplexity) {
            ZIGZAG_TRY(tokenizer, tokenizerOf(job.textModel()));
            ZIGZAG_TRY(text, readTextFile(pathOf(asked.file), longestText));
            // One that was stopped goes on with the maps that it has not read; asked again, all of them are read again.
            std::vector<HeadMap> rest;
            std::copy_if(maps.begin(), maps.end(), std::back_inserter(rest),
                         [&](const HeadMap &map) { return !here.found.contains(fingerprintOf(map)); });
            if (rest.empty())
                rest = maps;
            ZIGZAG_CHECK(
                jobs::perplexityQuality(job, rest, tokenizer->encode(text, true), asked.context, asRun,
                                        [&](std::size_t map, const Interval &quality) { found(rest[map], quality, {}); }));
            return {};
        }
        ZIGZAG_TRY(questions, questionsOf(asked, job.textModel()));
        ZIGZAG_TRY(record, jobs::recordFor(job, asked.model, questions));
        if (known && known->questionsHash == record.questionsHash && known->fingerprint == record.fingerprint)
            record.maps = known->maps;
        for (const HeadMap &map : maps) { // one after another, so that each is shown once it is known
            ZIGZAG_TRY(quality, jobs::askedQuality(job, std::span(&map, 1), questions, record, asRun));
            found(map, quality.front(), record);
        }
        return {};
    };
    studio().runs().enqueue(std::move(request));
}

/// Tasks with needles, which all maps are measured on together.
void QualityPage::sweepTasksOf(const std::vector<HeadMap> &maps, StreamingWindow window, const ServedBy &served)
{
    const DocumentState &state = studio().document().state();
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
    const QString file = fileOf(maps, studio().loaded()->shape, tasks, served.engine);
    request.work = [tasks, maps, served, servedAs, page, file,
                    shape = studio().document().model()](const TaskContext &context) -> Result<void> {
        const auto tell = [&](const JobStep &step) {
            if (step.all > 0)
                context.progress(
                    step.fraction,
                    tr("Quality sweep: prompt %1 of %2").arg(std::min(static_cast<int>(step.done) + 1, step.all)).arg(step.all));
            else
                context.progress(0, tr("Quality sweep of %1 maps").arg(maps.size()));
        };
        TaskPlan asking = tasks;
        ZIGZAG_TRY(askedBy, askedAs(context.job.textModel(), AskAs::Auto));
        asking.as = askedBy;
        jobs::SweepJob job{.maps = maps, .tasks = asking, .served = served, .progressFile = file.toStdString()};
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
