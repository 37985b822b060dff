// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/runs_bar.h"

#include "views/models/text.h"

#include <QAction>
#include <QComboBox>
#include <QLabel>
#include <QMenu>
#include <QProgressBar>
#include <QToolButton>

namespace zigzag {

RunsBar::RunsBar(Studio &studio, const QList<QAction *> &runs, QAction *cancel, QWidget *parent)
    : QToolBar(tr("Runs"), parent)
    , m_studio(studio)
    , m_cancel(cancel)
    , m_context(new QComboBox(this))
    , m_phase(new QComboBox(this))
    , m_progress(new QProgressBar(this))
    , m_progressText(new QLabel(this))
    , m_queue(new QToolButton(this))
{
    setObjectName(QStringLiteral("runsBar"));
    setToolButtonStyle(Qt::ToolButtonTextOnly);
    addActions(runs);
    addSeparator();
    addWidget(new QLabel(tr(" Context "), this));
    m_context->setObjectName(QStringLiteral("context"));
    m_context->setAccessibleName(tr("Context"));
    m_context->setToolTip(tr("The context that the layers' bars and the headline speak of"));
    m_context->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    addWidget(m_context);
    addWidget(new QLabel(tr("  Layer time "), this));
    m_phase->setObjectName(QStringLiteral("phase"));
    m_phase->setAccessibleName(tr("Layer time"));
    m_phase->addItem(tr("TPOT (decode)"), static_cast<int>(Phase::Decode));
    m_phase->addItem(tr("TTFT (prefill)"), static_cast<int>(Phase::Prefill));
    addWidget(m_phase);
    auto *space = new QWidget(this);
    space->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    addWidget(space);
    buildProgress();
    addAction(cancel);

    connect(m_context, &QComboBox::currentIndexChanged, this,
            [this] { m_studio.setContext(m_context->currentData().toLongLong()); });
    connect(m_phase, &QComboBox::currentIndexChanged, this,
            [this] { m_studio.setPhase(static_cast<Phase>(m_phase->currentData().toInt())); });
    connect(&studio, &Studio::contextsChanged, this, &RunsBar::showContexts);
    const RunController &controller = studio.runs();
    connect(&controller, &RunController::busyChanged, this, &RunsBar::showBusy);
    connect(&controller, &RunController::started, this, [this](const RunRequest &request) {
        m_pace.begin(now(), request.expectedSeconds);
        m_said = request.title;
        showProgress();
    });
    connect(&controller, &RunController::expected, this, [this](double seconds) { m_pace.expect(now(), seconds); });
    connect(&controller, &RunController::progressed, this, [this](double fraction, const QString &text) {
        m_pace.reach(fraction, now());
        m_said = text;
        showProgress();
    });
    m_clock.start();
    constexpr int untilNextTick = 500; // ms
    m_tick.setInterval(untilNextTick);
    connect(&m_tick, &QTimer::timeout, this, &RunsBar::showProgress);
    showBusy();
}

void RunsBar::buildProgress()
{
    m_progressText->setObjectName(QStringLiteral("progressText"));
    m_whileBusy << addWidget(m_progressText);
    m_progress->setObjectName(QStringLiteral("progress"));
    m_progress->setAccessibleName(tr("Progress of the run"));
    m_progress->setFocusPolicy(Qt::StrongFocus); // Esc on it stops the run
    m_progress->setTextVisible(false);
    m_progress->setFixedWidth(fontMetrics().averageCharWidth() * 18);
    m_progress->setFixedHeight(fontMetrics().height());
    auto *copy = new QAction(tr("Copy as command line"), m_progress);
    connect(copy, &QAction::triggered, this, [this] {
        if (const Job *job = m_studio.jobs().find(m_studio.runs().currentId()))
            m_studio.copyLine(job->request.commandLine);
    });
    for (QWidget *each : {static_cast<QWidget *>(m_progress), static_cast<QWidget *>(m_progressText)}) {
        each->setContextMenuPolicy(Qt::ActionsContextMenu);
        each->addAction(copy);
    }
    m_whileBusy << addWidget(m_progress);
    m_queue->setObjectName(QStringLiteral("queue"));
    m_queue->setToolTip(tr("What waits for the current run. Choose one to take it out."));
    m_queue->setPopupMode(QToolButton::InstantPopup);
    m_queue->setMenu(new QMenu(m_queue));
    m_whileQueued = addWidget(m_queue);
}

bool RunsBar::isProgress(const QWidget *widget) const
{
    const QWidget *stop = widgetForAction(m_cancel);
    return widget && (widget == m_progress || widget == m_queue || widget == stop);
}

void RunsBar::showContexts()
{
    const QSignalBlocker blocked(m_context);
    m_context->clear();
    for (const std::int64_t each : m_studio.plotted().contexts())
        m_context->addItem(contextText(each), QVariant::fromValue<qlonglong>(each));
    m_context->setCurrentIndex(m_context->findData(QVariant::fromValue<qlonglong>(m_studio.context())));
}

void RunsBar::showBusy()
{
    const bool busy = m_studio.runs().isBusy();
    for (QAction *part : m_whileBusy)
        part->setVisible(busy);
    m_cancel->setEnabled(busy);
    showQueue();
    if (busy) {
        m_tick.start();
        return showProgress();
    }
    m_tick.stop();
    m_progress->reset();
    m_progressText->clear();
}

void RunsBar::showQueue()
{
    const std::vector<RunController::Waiting> waiting = m_studio.runs().waiting();
    m_whileQueued->setVisible(!waiting.empty());
    m_queue->setText(waiting.size() == 1 ? tr("+ 1 waits: %1").arg(waiting.front().title) : tr("+ %1 wait").arg(waiting.size()));
    m_queue->menu()->clear();
    for (const RunController::Waiting &each : waiting)
        connect(m_queue->menu()->addAction(tr("Take out: %1").arg(each.title)), &QAction::triggered, this,
                [this, id = each.id] { m_studio.runs().remove(id); });
}

void RunsBar::showProgress()
{
    if (m_studio.runs().currentId() == 0)
        return;
    if (m_studio.runs().isStopping()) {
        m_progress->setRange(0, 0);
        m_progressText->setText(tr("%1: waits for the cancelled run to stop ").arg(m_said));
        return;
    }
    constexpr int steps = 1000;
    const auto fraction = m_pace.fraction(now());
    const auto left = m_pace.secondsLeft(now());
    m_progress->setRange(0, fraction ? steps : 0); // a range of nothing shows that something moves
    if (fraction)
        m_progress->setValue(static_cast<int>(*fraction * steps));
    m_progressText->setText(left ? tr("%1, %2 ").arg(m_said, timeLeftText(*left)) : m_said + QLatin1Char(' '));
}

} // namespace zigzag
