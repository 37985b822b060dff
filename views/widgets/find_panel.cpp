// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/find_panel.h"

#include <QAbstractItemView>
#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QItemSelectionModel>
#include <QLabel>
#include <QPushButton>
#include <QTreeView>
#include <QVBoxLayout>

#include <array>

namespace zigzag {

namespace {

constexpr std::array choices = {
    FindPanel::Choice{SearchMethod::Ablation, Unit::Layer},
    FindPanel::Choice{SearchMethod::Greedy, Unit::Layer},
    FindPanel::Choice{SearchMethod::Gates, Unit::Layer},
    FindPanel::Choice{SearchMethod::Ablation, Unit::Head},
    FindPanel::Choice{SearchMethod::Gates, Unit::Head},
    FindPanel::Choice{SearchMethod::Ablation, Unit::Layer, SearchLoss::Answer},
    FindPanel::Choice{SearchMethod::Greedy, Unit::Layer, SearchLoss::Answer},
    FindPanel::Choice{SearchMethod::Ablation, Unit::Head, SearchLoss::Answer},
    FindPanel::Choice{SearchMethod::Greedy, Unit::Layer, SearchLoss::Kl},
    FindPanel::Choice{SearchMethod::Logits, Unit::Head},
};

} // namespace

FindPanel::FindPanel(ScoreSources *scoreSources, QWidget *parent)
    : QWidget(parent)
    , m_scoreSources(scoreSources)
    , m_method(new QComboBox(this))
    , m_start(new QPushButton(tr("Search"), this))
    , m_explanation(new QLabel(this))
    , m_sources(new QTreeView(this))
{
    m_method->setObjectName(QStringLiteral("searchMethod"));
    m_method->setAccessibleName(tr("How to find the layers that can stream"));
    for (const Choice &each : choices)
        m_method->addItem(nameOf(each.method, each.unit, each.loss));
    m_start->setObjectName(QStringLiteral("startSearch"));
    m_explanation->setObjectName(QStringLiteral("searchExplanation"));
    m_explanation->setWordWrap(true);
    m_sources->setObjectName(QStringLiteral("scoreSources"));
    m_sources->setAccessibleName(tr("Sources of scores"));
    m_sources->setModel(m_scoreSources);
    m_sources->setRootIsDecorated(false);
    m_sources->setAllColumnsShowFocus(true);
    m_sources->setUniformRowHeights(true);
    m_sources->setSelectionMode(QAbstractItemView::SingleSelection);
    m_sources->header()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_sources->header()->setStretchLastSection(true);
    auto *ask = new QHBoxLayout;
    ask->addWidget(m_method);
    ask->addWidget(m_start);
    ask->addStretch(1);
    auto *column = new QVBoxLayout(this);
    column->addLayout(ask);
    column->addWidget(m_explanation);
    column->addWidget(m_sources, 1);

    connect(m_start, &QPushButton::clicked, this, &FindPanel::startAsked);
    connect(m_method, &QComboBox::currentIndexChanged, this, &FindPanel::explain);
    // A click or Enter chooses. That a row becomes the current one does not: a list that gets the focus does that by itself.
    const auto choose = [this](const QModelIndex &row) { Q_EMIT sourceChosen(row.row()); };
    connect(m_sources, &QAbstractItemView::clicked, this, choose);
    connect(m_sources, &QAbstractItemView::activated, this, choose);
    connect(m_scoreSources, &QAbstractItemModel::modelReset, this, [this] { m_inUse = -1; });
    explain();
}

FindPanel::Choice FindPanel::choice() const
{
    return choices[static_cast<std::size_t>(std::max(0, m_method->currentIndex()))];
}

void FindPanel::explain()
{
    const Choice chosen = choice();
    QString text;
    switch (chosen.method) {
    case SearchMethod::Ablation:
        if (chosen.loss == SearchLoss::Answer)
            text = chosen.unit == Unit::Layer
                ? tr("Each layer streams alone; the score is how much less likely that makes the tokens of the right answers.")
                : tr("Each KV head streams alone; the score is how much less likely that makes the tokens of the right answers.");
        else
            text = chosen.unit == Unit::Layer
                ? tr("Each layer streams alone; the score is how far that moves the last hidden states where answers are "
                     "predicted.")
                : tr("Each KV head streams alone; the score is how far that moves the last hidden states.");
        break;
    case SearchMethod::Greedy:
        text = chosen.loss == SearchLoss::Answer
            ? tr(
                "Layers are turned one after another, each time the one beside those turned before that leaves the right answers "
                "likeliest.")
            : chosen.loss == SearchLoss::Kl
            ? tr("Layers are turned one after another, each time the one beside those turned before that moves the next token's "
                 "distribution least.")
            : tr("Layers are turned one after another, each time the one that costs least beside those turned before.");
        break;
    case SearchMethod::Gates:
        text = chosen.unit == Unit::Layer
            ? tr("One gate per layer between full and streaming attention is trained by distillation: the map is exclusive "
                 "inside the optimisation.")
            : tr("A gate per KV head is trained by distillation, as DuoAttention does.");
        break;
    case SearchMethod::Logits:
        text
            = tr("With full attention, the score is how much a KV head adds, directly, to the logits of the right answers out of "
                 "tokens that a streaming head would not see, also where it copies nothing.");
        break;
    case SearchMethod::Attention: // has a key and an action of its own
        break;
    }
    m_explanation->setText(
        m_whyNot.isEmpty()
            ? tr("%1 Streaming means %2 sink and %3 recent tokens.").arg(text).arg(m_window.sink).arg(m_window.recent)
            : m_whyNot);
}

void FindPanel::show(const QString &whyNot, int current, StreamingWindow window)
{
    m_whyNot = whyNot;
    m_window = window;
    m_start->setEnabled(whyNot.isEmpty());
    explain();
    if (current == m_inUse)
        return; // where the keys have walked to stays
    m_inUse = current;
    if (current < 0)
        m_sources->selectionModel()->clear();
    else
        m_sources->setCurrentIndex(m_scoreSources->index(current, 0));
}

} // namespace zigzag
