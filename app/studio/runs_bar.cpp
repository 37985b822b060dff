// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/runs_bar.h"

#include "views/models/text.h"

#include <QAction>
#include <QComboBox>
#include <QLabel>
#include <QProgressBar>

namespace zigzag {

RunsBar::RunsBar(Studio &studio, const QList<QAction *> &runs, QAction *cancel, QWidget *parent)
    : QToolBar(tr("Runs"), parent)
    , m_studio(studio)
    , m_cancel(cancel)
    , m_context(new QComboBox(this))
    , m_phase(new QComboBox(this))
    , m_progress(new QProgressBar(this))
    , m_progressText(new QLabel(this))
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
    m_progressText->setObjectName(QStringLiteral("progressText"));
    m_whileBusy << addWidget(m_progressText);
    m_progress->setObjectName(QStringLiteral("progress"));
    m_progress->setAccessibleName(tr("Progress of the run"));
    m_progress->setRange(0, 1000);
    m_progress->setTextVisible(false);
    m_progress->setFixedWidth(fontMetrics().averageCharWidth() * 18);
    m_progress->setFixedHeight(fontMetrics().height());
    m_whileBusy << addWidget(m_progress);
    addAction(cancel);

    connect(m_context, &QComboBox::currentIndexChanged, this,
            [this] { m_studio.setContext(m_context->currentData().toLongLong()); });
    connect(m_phase, &QComboBox::currentIndexChanged, this,
            [this] { m_studio.setPhase(static_cast<Phase>(m_phase->currentData().toInt())); });
    connect(&studio, &Studio::contextsChanged, this, &RunsBar::showContexts);
    connect(&studio.runs(), &RunController::busyChanged, this, &RunsBar::showProgress);
    connect(&studio.runs(), &RunController::progressed, this, [this](double fraction, const QString &text) {
        m_progress->setValue(static_cast<int>(fraction * m_progress->maximum()));
        m_progressText->setText(text + QLatin1Char(' '));
    });
    showProgress();
}

void RunsBar::showContexts()
{
    const QSignalBlocker blocked(m_context);
    m_context->clear();
    for (const std::int64_t each : m_studio.study().contexts())
        m_context->addItem(contextText(each), QVariant::fromValue<qlonglong>(each));
    m_context->setCurrentIndex(m_context->findData(QVariant::fromValue<qlonglong>(m_studio.context())));
}

void RunsBar::showProgress()
{
    const bool busy = m_studio.runs().isBusy();
    for (QAction *part : m_whileBusy)
        part->setVisible(busy);
    if (!busy) {
        m_progress->reset();
        m_progressText->clear();
    }
    m_cancel->setEnabled(busy);
}

} // namespace zigzag
