// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/main_window.h"

#include "app/studio/long_run_notice.h"
#include "app/studio/pages/answers_page.h"
#include "app/studio/pages/assign_page.h"
#include "app/studio/pages/compare_page.h"
#include "app/studio/pages/find_page.h"
#include "app/studio/pages/inspector_page.h"
#include "app/studio/pages/jobs_page.h"
#include "app/studio/pages/map_page.h"
#include "app/studio/pages/needle_page.h"
#include "app/studio/pages/plots_page.h"
#include "app/studio/pages/profile_page.h"
#include "app/studio/pages/quality_page.h"
#include "app/studio/pages/questions_page.h"
#include "app/studio/pages/recommend_page.h"
#include "app/studio/pages/runs_page.h"
#include "app/studio/runs_bar.h"
#include "app/studio/state/session_keeper.h"
#include "app/studio/window_actions.h"
#include "views/models/native_path.h"
#include "views/widgets/accessible_grid.h"
#include "views/widgets/head_map_view.h"
#include "views/widgets/headline_bar.h"
#include "views/widgets/message_bar.h"

#include <QCloseEvent>
#include <QStatusBar>
#include <QVBoxLayout>

#include <algorithm>

namespace zigzag {

std::pair<int, int> defaultWindow(std::int64_t maxContext)
{
    constexpr std::int64_t mostSink = 64, mostRecent = 256; // as published for DuoAttention
    return {static_cast<int>(std::clamp<std::int64_t>(maxContext / 128, 1, mostSink)),
            static_cast<int>(std::clamp<std::int64_t>(maxContext / 16, 1, mostRecent))};
}

MainWindow::MainWindow(Parts parts)
    : m_settings(std::move(parts.settings))
    , m_sessions(std::move(parts.sessions))
    , m_recent(m_settings.get())
    , m_studio(std::move(parts.worker), std::move(parts.prompts))
    , m_actions(std::make_unique<WindowActions>())
{
    setObjectName(QStringLiteral("mainWindow"));
    m_studio.setKeptFolder(parts.kept);
    setAcceptDrops(true);
    nameWidgetsForScreenReaders();
    if (m_settings)
        apply(readPreferences(*m_settings)); // before there are widgets, whose sizes follow the font
    buildPages();
    buildActions();
    m_bar = new RunsBar(m_studio, {m_actions->measure, m_profile->recordAction(), m_actions->needle, m_actions->score},
                        m_actions->cancel, this);
    addToolBar(m_bar);
    buildMenus();
    buildKeys();
    connect(&m_studio, &Studio::refreshed, this, &MainWindow::refresh);
    connect(&m_studio, &Studio::said, m_messages, &MessageBar::say);
    connect(&m_studio, &Studio::tookBack, m_messages, &MessageBar::takeBack);
    connect(&runs(), &RunController::enqueued, m_messages, [this](const RunRequest &request) {
        if (!request.background)
            m_messages->close(); // it spoke of what was before
    });
    connect(&document(), &Document::modifiedChanged, this, &MainWindow::setWindowModified);
    connect(&document(), &Document::pathChanged, this, &MainWindow::refreshTitle);
    resetLayout();
    restoreLayout();
    setTheme(m_theme);
    refreshNow();
    buildKeeper();
}

MainWindow::~MainWindow() = default;

void MainWindow::buildPages()
{
    auto *centre = new QWidget(this);
    m_messages = new MessageBar(centre);
    m_map = new MapPage(m_studio, centre);
    connect(m_map, &MapPage::openAsked, this, [this](const QString &name) {
        if (name.isEmpty())
            m_actions->open->trigger();
        else
            open(name);
    });
    auto *column = new QVBoxLayout(centre);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_map, 1); // the messages lie over it
    setCentralWidget(centre);
    connect(m_map, &MapPage::recommendAsked, this, &MainWindow::recommend);
    m_headline = new HeadlineBar(this);
    statusBar()->addWidget(m_headline, 1);

    auto *assign = addPage(new AssignPage(m_studio, this), Qt::LeftDockWidgetArea);
    connect(assign, &AssignPage::importAsked, this, [this] { m_actions->importScores->trigger(); });
    m_plots = addPage(new PlotsPage(m_studio, this), Qt::RightDockWidgetArea);
    m_profile = addPage(new ProfilePage(m_studio, this), Qt::BottomDockWidgetArea);
    auto *needle = addPage(new NeedlePage(m_studio, this), Qt::BottomDockWidgetArea);
    m_runs = addPage(new RunsPage(m_studio, this), Qt::BottomDockWidgetArea);
    addPage(new FindPage(m_studio, this), Qt::BottomDockWidgetArea);
    auto *quality = addPage(new QualityPage(m_studio, this), Qt::BottomDockWidgetArea);
    addPage(new ComparePage(m_studio, this), Qt::BottomDockWidgetArea);
    m_questions = addPage(new QuestionsPage(m_studio, this), Qt::BottomDockWidgetArea);
    connect(m_runs, &RunsPage::qualityAsked, this, [this, quality](int row) {
        const QualityRecords &records = m_studio.qualities();
        if (const AskedQuality *asked = records.qualityAt(row)) {
            const AskedQuality shown = *asked; // another engine refreshes everything
            if (auto *served = findChild<QAction *>(QStringLiteral("servedBy_") + QString::fromStdString(shown.engine)))
                served->trigger();
            showPage(quality->objectName());
            quality->showQuality(shown);
        } else if (row < records.rowCount()) {
            showPage(m_questions->objectName());
            m_questions->showAnswers(records.answersAt(row));
        }
    });
    auto *answers = addPage(new AnswersPage(m_studio, this), Qt::BottomDockWidgetArea);
    connect(needle, &NeedlePage::answersAsked, this, [this, answers](std::int64_t context, double depth) {
        showPage(answers->objectName());
        answers->askNeedle(context, depth);
    });
    connect(m_questions, &QuestionsPage::answersAsked, this, [this, answers](const AskedElsewhere &question) {
        showPage(answers->objectName());
        answers->askQuestion(question);
    });
    auto *jobs = addPage(new JobsPage(m_studio, this), Qt::BottomDockWidgetArea);
    connect(jobs, &JobsPage::resultAsked, this, &MainWindow::showPage);
    m_notice = new LongRunNotice(m_studio.jobs(), *this);
    auto *inspector = addPage(new InspectorPage(m_studio, this), Qt::RightDockWidgetArea);
    connect(m_map, &MapPage::headReached, inspector, &InspectorPage::follow);
    auto *attention = inspector->findChild<QAction *>(QStringLiteral("showAttention"));
    connect(attention, &QAction::triggered, this, [this] { raisePage(QStringLiteral("inspector")); });
    headMap().addAction(attention); // in its context menu
    buildRecommendPage();
}

void MainWindow::buildRecommendPage()
{
    auto *page = addPage(new RecommendPage(m_studio, this), Qt::BottomDockWidgetArea);
    connect(page, &RecommendPage::recommendAsked, this, &MainWindow::recommend);
    connect(page, &RecommendPage::answersAsked, this, [this](const QString &file) { open(file); });
    connect(page, &RecommendPage::checkAsked, this, [this](const QString &engine) {
        if (auto *served = findChild<QAction *>(QStringLiteral("servedBy_") + engine))
            served->trigger();
        checkServer();
    });
    connect(&runs(), &RunController::enqueued, page, [this, page](const RunRequest &request) {
        if (request.task == RunName::Recommend)
            raisePage(page->objectName());
    });
}

HeadMapView &MainWindow::headMap()
{
    return m_map->headMap();
}

PlotsPanel &MainWindow::plots()
{
    return m_plots->plots();
}

void MainWindow::setTheme(Theme theme)
{
    m_theme = theme;
    applyTheme(theme);
}

void MainWindow::refresh()
{
    m_headline->show(plotted(), m_studio.context(),
                     m_studio.serving().memoryText(document().map(), plotted().config(), m_studio.context()));
    refreshTitle();
    refreshActions();
}

void MainWindow::refreshTitle()
{
    const std::filesystem::path &path = document().path();
    QString file = path.empty() ? tr("untitled map") : shownFileName(textOfPath(path));
    if (document().variants() > 1)
        file = tr("%1: %2").arg(document().variantName(document().variant()), file);
    const QString model = QString::fromStdString(document().map().model().name);
    if (document().map().layers() == 0)
        return setWindowTitle(tr("Zigzag Studio"));
    setWindowTitle(model.isEmpty() ? tr("%1[*] – Zigzag Studio").arg(file) : tr("%1[*] – %2 – Zigzag Studio").arg(file, model));
    setWindowFilePath(shownPath(textOfPath(path)));
}

void MainWindow::closeEvent(QCloseEvent *event)
{
    // A session comes back with what is not saved in a map's file.
    const bool isKept = m_keeper->isKeeping() && m_keeper->saveNow().has_value();
    if (!isKept && !mayLoseEdits())
        return event->ignore();
    runs().cancelAll();
    saveLayout();
    event->accept();
}

void MainWindow::changeEvent(QEvent *event)
{
    QMainWindow::changeEvent(event);
    if (event->type() == QEvent::ThemeChange && m_theme == Theme::System)
        applyTheme(m_theme);
}

} // namespace zigzag
