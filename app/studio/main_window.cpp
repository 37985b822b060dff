// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/main_window.h"

#include "app/studio/window_actions.h"
#include "views/models/head_map_model.h"
#include "views/models/text.h"
#include "views/widgets/assign_panel.h"
#include "views/widgets/head_map_view.h"
#include "views/widgets/headline_bar.h"
#include "views/widgets/message_bar.h"
#include "views/widgets/needle_view.h"
#include "views/widgets/plots_panel.h"
#include "views/widgets/score_legend.h"

#include <QCloseEvent>
#include <QComboBox>
#include <QDockWidget>
#include <QFileInfo>
#include <QLabel>
#include <QProgressBar>
#include <QScrollArea>
#include <QStatusBar>
#include <QToolBar>
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
    : m_prompts(std::move(parts.prompts))
    , m_settings(std::move(parts.settings))
    , m_recent(m_settings.get())
    , m_runs(std::move(parts.worker))
    , m_actions(std::make_unique<WindowActions>())
{
    setObjectName(QStringLiteral("mainWindow"));
    setAcceptDrops(true);
    setDockNestingEnabled(true);
    m_refresh.setSingleShot(true);
    m_refresh.setInterval(0); // the edits of one turn of the event loop are one refresh
    buildViews();
    buildActions();
    buildToolBar();
    buildMenus();
    connectViews();
    connectRuns();
    if (m_settings) {
        restoreGeometry(m_settings->value(QStringLiteral("geometry")).toByteArray());
        restoreState(m_settings->value(QStringLiteral("layout")).toByteArray());
        m_theme = parseTheme(m_settings->value(QStringLiteral("theme")).toString()).value_or(Theme::System);
    }
    setTheme(m_theme);
    refreshNow();
}

MainWindow::~MainWindow() = default;

void MainWindow::buildViews()
{
    m_model = new HeadMapModel(this);
    auto *centre = new QWidget(this);
    auto *column = new QVBoxLayout(centre);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_messages = new MessageBar(centre);
    m_scoreLegend = new ScoreLegend(centre);
    m_headMap = new HeadMapView(m_model, centre);
    m_headMap->setObjectName(QStringLiteral("headMap"));
    column->addWidget(m_messages);
    column->addWidget(m_scoreLegend);
    column->addWidget(m_headMap, 1);
    setCentralWidget(centre);

    const auto dock = [this](const QString &title, const char *name, QWidget *widget, Qt::DockWidgetArea area) {
        auto *box = new QDockWidget(title, this);
        box->setObjectName(QLatin1String(name));
        box->setWidget(widget);
        addDockWidget(area, box);
        return box;
    };
    setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
    setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
    m_assign = new AssignPanel(this);
    auto *scroll = new QScrollArea(this); // a small screen scrolls rather than squeezes
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setWidget(m_assign);
    scroll->setMinimumWidth(m_assign->minimumSizeHint().width() + fontMetrics().height());
    m_plots = new PlotsPanel(this);
    m_needle = new NeedleView(this);
    dock(tr("Assign"), "assignDock", scroll, Qt::LeftDockWidgetArea);
    dock(tr("Latency and memory"), "plotsDock", m_plots, Qt::RightDockWidgetArea);
    dock(tr("Needle: keys found in long text"), "needleDock", m_needle, Qt::BottomDockWidgetArea);

    const int em = fontMetrics().averageCharWidth();
    resizeDocks(findChildren<QDockWidget *>(), {em * 36, em * 56, em * 60}, Qt::Horizontal);
    resizeDocks({findChild<QDockWidget *>(QStringLiteral("needleDock"))}, {fontMetrics().height() * 12}, Qt::Vertical);
    m_headline = new HeadlineBar(this);
    statusBar()->addWidget(m_headline, 1);
}

void MainWindow::buildToolBar()
{
    auto *bar = addToolBar(tr("Runs"));
    bar->setObjectName(QStringLiteral("runsBar"));
    bar->setToolButtonStyle(Qt::ToolButtonTextOnly);
    for (QAction *action : {m_actions->measure, m_actions->needle, m_actions->score})
        bar->addAction(action);
    bar->addSeparator();
    bar->addWidget(new QLabel(tr(" Context "), bar));
    m_contextBox = new QComboBox(bar);
    m_contextBox->setObjectName(QStringLiteral("context"));
    m_contextBox->setAccessibleName(tr("Context"));
    m_contextBox->setToolTip(tr("The context that the layers' bars and the headline speak of"));
    m_contextBox->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    bar->addWidget(m_contextBox);
    bar->addWidget(new QLabel(tr("  Layer time "), bar));
    m_phaseBox = new QComboBox(bar);
    m_phaseBox->setObjectName(QStringLiteral("phase"));
    m_phaseBox->setAccessibleName(tr("Layer time"));
    m_phaseBox->addItem(tr("TPOT (decode)"), static_cast<int>(Phase::Decode));
    m_phaseBox->addItem(tr("TTFT (prefill)"), static_cast<int>(Phase::Prefill));
    bar->addWidget(m_phaseBox);
    auto *space = new QWidget(bar);
    space->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    bar->addWidget(space);
    m_progressText = new QLabel(bar);
    m_progressText->setObjectName(QStringLiteral("progressText"));
    m_whileBusy << bar->addWidget(m_progressText);
    m_progress = new QProgressBar(bar);
    m_progress->setObjectName(QStringLiteral("progress"));
    m_progress->setAccessibleName(tr("Progress of the run"));
    m_progress->setRange(0, 1000);
    m_progress->setTextVisible(false);
    m_progress->setFixedWidth(fontMetrics().averageCharWidth() * 18);
    m_progress->setFixedHeight(fontMetrics().height());
    m_whileBusy << bar->addWidget(m_progress);
    bar->addAction(m_actions->cancel);
}

void MainWindow::connectViews()
{
    connect(&m_refresh, &QTimer::timeout, this, &MainWindow::refresh);
    connect(&m_document, &Document::changed, this, &MainWindow::refreshSoon);
    connect(&m_document, &Document::modifiedChanged, this, &MainWindow::setWindowModified);
    connect(&m_document, &Document::pathChanged, this, &MainWindow::refreshTitle);
    connect(m_contextBox, &QComboBox::currentIndexChanged, this, &MainWindow::refreshSoon);
    connect(m_phaseBox, &QComboBox::currentIndexChanged, this, &MainWindow::refreshSoon);

    connect(m_headMap, &HeadMapView::strokeBegan, &m_document, &Document::beginStroke);
    connect(m_headMap, &HeadMapView::strokeTouched, &m_document, &Document::touch);
    connect(m_headMap, &HeadMapView::strokeEnded, &m_document, &Document::endStroke);
    connect(m_headMap, &HeadMapView::strokeAbandoned, &m_document, &Document::abandonStroke);
    connect(m_headMap, &HeadMapView::layerToggled, &m_document, &Document::toggleLayer);

    connect(m_assign, &AssignPanel::assignAsked, this,
            [this](const QString &criterion, double sparsity) { report(m_document.assign(criterion, sparsity)); });
    connect(m_assign, &AssignPanel::windowAsked, &m_document, &Document::setWindow);
    connect(m_assign, &AssignPanel::exclusiveAsked, this, [this] { report(m_document.makeExclusive()); });
    connect(m_assign, &AssignPanel::editingEnded, &m_document, &Document::endSeries);
    connect(m_assign, &AssignPanel::scoreAsked, this, [this] { scoreModel(true); });
    connect(m_assign, &AssignPanel::importAsked, this, [this] { m_actions->importScores->trigger(); });
}

void MainWindow::report(const Result<void> &result)
{
    if (!result)
        say(result.error());
}

void MainWindow::say(const Error &error)
{
    m_messages->say(MessageBar::Kind::Error, QString::fromStdString(error.message));
}

void MainWindow::setTheme(Theme theme)
{
    m_theme = theme;
    applyTheme(theme);
}

std::int64_t MainWindow::context() const
{
    return m_contextBox->currentData().toLongLong();
}

void MainWindow::refreshContexts()
{
    const QSignalBlocker blocked(m_contextBox);
    m_contextBox->clear();
    for (const std::int64_t each : m_study.contexts())
        m_contextBox->addItem(contextText(each), QVariant::fromValue<qlonglong>(each));
    m_contextBox->setCurrentIndex(m_contextBox->count() - 1);
}

QString MainWindow::whyNoTimes() const
{
    if (m_study.hasTimes())
        return {};
    if (m_modelName.empty())
        return tr("Times need the model:\nopen its folder, a preset\nor a bundled model");
    if (!m_whyNotLoaded.isEmpty())
        return m_whyNotLoaded;
    if (!m_loaded)
        return tr("loading the model…");
    return m_runs.isBusy() ? tr("calibrating…") : tr("not calibrated: Run › Calibrate");
}

void MainWindow::refreshNow()
{
    m_refresh.stop();
    refresh();
}

void MainWindow::refresh()
{
    const DocumentState &state = m_document.state();
    if (state.map.layers() > 0)
        m_study.setMaps(state.map, state.scores, state.sparsity);
    m_model->show(state.map, state.scores, state.locked);
    m_scoreLegend->setScored(state.scores != nullptr);
    refreshLayers();
    refreshAssignPanel();
    m_plots->show(m_study, whyNoTimes());
    m_plots->markContext(context());
    const HeadMap *full = m_study.map(Series::Full);
    m_needle->show(m_study.results().needle(state.map), full ? m_study.results().needle(*full) : nullptr,
                   canScore()                     ? tr("Does this map still find the key? Ask with Run › Needle (F6).")
                       : m_modelName.empty()      ? tr("The needle question needs the model: open it.")
                       : m_loaded                 ? tr("The needle question needs a trained model with its tokenizer.")
                       : m_whyNotLoaded.isEmpty() ? tr("loading the model…")
                                                  : m_whyNotLoaded);
    m_headline->show(m_study, context());
    refreshActions();
    Q_EMIT refreshed();
}

void MainWindow::refreshLayers()
{
    const HeadMap &map = m_document.map();
    std::vector<LayerCost> costs(static_cast<std::size_t>(map.layers()));
    const std::int64_t at = context();
    const auto phase = static_cast<Phase>(m_phaseBox->currentData().toInt());
    const HeadMap *full = m_study.map(Series::Full);
    Estimate estimate, fullEstimate;
    if (full && m_study.hasTimes()) {
        estimate = m_study.cost().estimate(map, phase, at);
        fullEstimate = m_study.cost().estimate(*full, phase, at);
    }
    const double longest
        = fullEstimate.layerMs.empty() ? 0 : *std::max_element(fullEstimate.layerMs.begin(), fullEstimate.layerMs.end());
    for (int layer = 0; full && layer < map.layers(); ++layer) {
        LayerCost &cost = costs[static_cast<std::size_t>(layer)];
        cost.kv = m_study.layerKv(map, layer, at);
        cost.fullKv = m_study.layerKv(*full, layer, at);
        if (longest > 0) {
            cost.ms = estimate.layerMs[static_cast<std::size_t>(layer)];
            cost.longestFullMs = longest;
        }
    }
    m_model->showCosts(std::move(costs));
    m_headMap->setCostTitles(m_study.hasBytes() ? tr("KV bytes at %1").arg(contextText(at))
                                                : tr("KV keys at %1").arg(contextText(at)),
                             longest <= 0                 ? QString()
                                 : phase == Phase::Decode ? tr("predicted TPOT at %1").arg(contextText(at))
                                                          : tr("predicted TTFT at %1").arg(contextText(at)));
}

void MainWindow::refreshAssignPanel()
{
    const DocumentState &state = m_document.state();
    AssignView view;
    if (state.scores) {
        view.scores = QString::fromStdString(state.scores->method);
        if (!state.scores->model.name.empty())
            view.scores += tr(", for %1").arg(QString::fromStdString(state.scores->model.name));
        for (const std::string &note : state.scores->notes)
            view.scoresTip += QString::fromStdString(note) + QLatin1Char('\n');
    }
    view.criterion = state.criterion;
    view.sparsity = state.sparsity;
    view.sink = state.map.sink();
    view.recent = state.map.recent();
    view.heads = state.map.layers() * state.map.kvHeads();
    view.mixedLayers = state.map.mixedLayers();
    view.streamingHeads = state.map.streamingHeads();
    if (m_model->sacrifice())
        view.lost = m_model->sacrifice()->total;
    view.ties = state.ties;
    view.canScore = canScore();
    view.whyNoScore = m_modelName.empty() ? tr("To score, open the model.")
        : m_loaded                        ? tr("Scoring needs a trained model with its tokenizer.")
                                          : QString();
    m_assign->show(view);
}

void MainWindow::refreshTitle()
{
    const std::filesystem::path &path = m_document.path();
    const QString file = path.empty() ? tr("untitled map") : QFileInfo(QString::fromStdString(path.string())).fileName();
    const QString model = QString::fromStdString(m_document.map().model().name);
    setWindowTitle(model.isEmpty() ? tr("%1[*] – Zigzag Studio").arg(file) : tr("%1[*] – %2 – Zigzag Studio").arg(file, model));
    setWindowFilePath(QString::fromStdString(path.string()));
}

void MainWindow::closeEvent(QCloseEvent *event)
{
    if (!mayLoseEdits())
        return event->ignore();
    m_runs.cancel();
    if (m_settings) {
        m_settings->setValue(QStringLiteral("geometry"), saveGeometry());
        m_settings->setValue(QStringLiteral("layout"), saveState());
        m_settings->setValue(QStringLiteral("theme"), nameOf(m_theme));
    }
    event->accept();
}

void MainWindow::changeEvent(QEvent *event)
{
    QMainWindow::changeEvent(event);
    if (event->type() == QEvent::ThemeChange && m_theme == Theme::System)
        applyTheme(m_theme);
}

} // namespace zigzag
