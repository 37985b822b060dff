// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/find_page.h"

#include "app/studio/state/progress_files.h"
#include "profiler/jobs/search_job.h"
#include "views/models/text.h"

#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QPointer>
#include <QTreeView>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace zigzag {

namespace {

/// A search assumes one window for all layers, which the panel names: the map's, or the usual one where layers differ.
StreamingWindow searchedWindow(const HeadMap &map)
{
    return map.oneWindow().value_or(StreamingWindow{});
}

/// What a search of the window asks; the command line takes every setting.
SearchPlan planFor(const FindPanel::Choice &choice, const HeadMap &map, std::int64_t maxContext)
{
    SearchPlan plan;
    plan.method = choice.method;
    plan.unit = choice.unit;
    plan.loss = choice.loss;
    plan.window = searchedWindow(map);
    plan.tasks.kinds = {TaskKind::Passkey, TaskKind::Passkeys};
    plan.tasks.contexts = {std::clamp<std::int64_t>(maxContext / 4, std::min<std::int64_t>(512, maxContext), 4096)};
    plan.tasks.depths = {0, 0.25, 0.5, 0.75, 1};
    plan.tasks.seed = 3; // other questions than those that judge the map
    return plan;
}

/// Where an unfinished search waits: a file for each model and kind of search.
QString fileOf(const SearchPlan &plan, const ModelShape &model)
{
    return progressFile(QByteArray::fromStdString(model.name + model.fingerprint + std::string(nameOf(plan.method))
                                                  + std::string(nameOf(plan.unit))
                                                  + std::string(plan.loss == SearchLoss::Distillation ? "" : nameOf(plan.loss)))
                        + QByteArray::number(plan.window.sink) + '+' + QByteArray::number(plan.window.recent)
                        + QByteArray::fromStdString(plan.served.engine));
}

FoundScores foundBy(const SearchPlan &plan, const QString &name, const SearchResult &result)
{
    return {name,
            std::make_shared<const HeadScores>(result.scores),
            plan.window,
            true,
            plan.unit,
            result.effects,
            static_cast<double>(result.layerRuns) / result.scores.model.layers,
            result.seconds,
            result.done,
            result.all};
}

} // namespace

FindPage::FindPage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("find"), tr("Find layers"), parent)
    , m_panel(new FindPanel(&studio.scoreSources(), this))
{
    setGuidePage(QStringLiteral("find"));
    setBackgroundRole(QPalette::Window);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_panel);
    connect(m_panel, &FindPanel::startAsked, this, &FindPage::start);
    connect(m_panel, &FindPanel::sourceChosen, this, &FindPage::choose);
    connect(&studio.runs(), &RunController::finished, this, [this] { this->studio().takeBack(std::exchange(m_estimate, {})); });
    exhibit(tableExhibit(tr("the sources of scores"), QStringLiteral("score-sources"), m_panel->sources()), &m_panel->sources());
    offer(PageMenu::Run, QStringLiteral("searchLayers"), tr("&Search for layers that can stream"),
          QKeySequence(Qt::SHIFT | Qt::Key_F7), [this] { start(); });
}

void FindPage::refresh()
{
    const DocumentState &state = studio().document().state();
    const QString whyNot = studio().canScore() ? QString()
        : studio().modelName().empty()         ? tr("To search, open the model.")
        : studio().loaded()                    ? tr("Searching needs a trained model with its tokenizer.")
        : !studio().whyNotLoaded().isEmpty()   ? studio().whyNotLoaded()
                                               : tr("loading the model…");
    m_panel->show(whyNot, studio().scoreSources().rowOf(state.scores.get()), searchedWindow(state.map));
}

void FindPage::choose(int row)
{
    const auto &scores = studio().scoreSources().at(row).scores;
    if (studio().document().state().scores != scores)
        studio().document().setScores(scores);
}

void FindPage::start()
{
    if (!studio().canScore())
        return;
    SearchPlan plan = planFor(m_panel->choice(), studio().document().map(), studio().loaded()->config.maxContext);
    const auto serving = studio().serving().serving(plan.window, plan.unit == Unit::Head);
    if (!serving)
        return studio().say(serving.error());
    const bool standsIn = *serving && (*serving)->standsIn;
    if (*serving)
        plan.served = {(*serving)->engine, (*serving)->asRun, {}};
    if (const auto possible = checkServed(plan, standsIn); !possible)
        return studio().say(possible.error());
    const QString file = fileOf(plan, studio().loaded()->shape);
    const QString kind = nameOf(plan.method, plan.unit, plan.loss);
    const QString name = studio().serving().isOurs() ? kind : tr("%1, %2").arg(kind, studio().serving().asText());
    bool anew = false;
    if (const QFileInfo unfinished(file); unfinished.exists()) {
        const auto answer = studio().prompts().goOn(this, name, unfinished.lastModified());
        if (answer == UserPrompts::Unfinished::Cancel)
            return;
        anew = answer == UserPrompts::Unfinished::Anew;
    }
    const QPointer<FindPage> page(this);
    RunRequest request;
    request.task = "search";
    request.title = name;
    request.ofModel = studio().modelName();
    request.page = objectName();
    request.commandLine
        = [model = studio().lineModel(), plan]() -> Result<std::string> { return jobs::searchLine(model, plan, "scores.json"); };
    // Shared by the runs of this request: one that was stopped goes on, also where it was begun anew.
    const auto begin = std::make_shared<Begin>(anew ? Begin::Anew : Begin::GoOn);
    const auto calibration = std::make_shared<CalibrationState>();
    request.work = [asked = plan, standsIn, file, name, page, begin, calibration](const TaskContext &context) -> Result<void> {
        SearchPlan asking = asked;
        ZIGZAG_TRY(askedBy, askedAs(context.job.textModel(), AskAs::Auto));
        asking.tasks.as = askedBy;
        const auto tell = [&](const JobStep &step) {
            if (step.part == JobPart::Carry)
                context.progress(0, tr("%1: calibrating what stands in for sinks").arg(name));
            if (step.part == JobPart::Search && step.all > 0)
                context.progress(step.fraction, tr("%1: %2 of %3").arg(name).arg(static_cast<int>(step.done)).arg(step.all));
        };
        const auto show = [&](const SearchResult &result, bool atEnd) {
            context.deliver([page, found = foundBy(asking, name, result), atEnd] {
                if (!page)
                    return;
                page->studio().scoreSources().add(found);
                if (atEnd)
                    page->studio().takeScores(found.scores);
                page->studio().refreshSoon();
            });
        };
        QElapsedTimer sinceShown;
        jobs::SearchJob job{.plan = asking,
                            .standsIn = standsIn,
                            .calibration = calibration.get(),
                            .progressFile = file.toStdString(),
                            .begin = *begin};
        job.opened = [&](const Search &) { *begin = Begin::GoOn; };
        job.begun = [&](const Search &search, double seconds) {
            const QString takes = search.alreadyDone() > 0 ? tr("%1: going on from %2 of %3, about %4")
                                                                 .arg(name)
                                                                 .arg(search.alreadyDone())
                                                                 .arg(search.all())
                                                                 .arg(timeText(1e3 * seconds))
                                                           : tr("%1: about %2").arg(name, timeText(1e3 * seconds));
            context.progress(static_cast<double>(search.alreadyDone()) / std::max(1, search.all()), takes);
            context.expect(seconds);
            context.deliver([page, takes] {
                if (!page)
                    return;
                page->m_estimate = tr("%1. Esc stops it; what was measured stays.").arg(takes);
                page->studio().say(MessageBar::Kind::Note, page->m_estimate);
            });
            sinceShown.start();
        };
        job.soFar = [&](const Search &search) {
            if (sinceShown.elapsed() < 1000)
                return;
            sinceShown.restart(); // what is on the list stays there when the search is stopped
            show(search.soFar(), false);
        };
        context.progress(0, name);
        ZIGZAG_TRY(result, jobs::search(context.told(tell), job));
        if (result.complete)
            QFile::remove(file); // of scores that are marked: they are shown as they are
        show(result, true);
        return {};
    };
    studio().runs().enqueue(std::move(request));
}

} // namespace zigzag
