// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/assign_panel.h"

#include "views/models/glossary.h"
#include "views/models/text.h"
#include "views/widgets/pattern_panel.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QGroupBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSlider>
#include <QSpinBox>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <cmath>
#include <initializer_list>

namespace zigzag {

namespace {

constexpr int mostTokens = 1 << 24;
constexpr double mib = 1024.0 * 1024.0;

template <class T> T *named(T *widget, const char *objectName, const QString &accessibleName)
{
    widget->setObjectName(QLatin1String(objectName));
    widget->setAccessibleName(accessibleName);
    return widget;
}

/// On the label that bears the word as well as on what stands beside it.
void explain(std::initializer_list<QWidget *> widgets, const QString &text)
{
    for (QWidget *widget : widgets)
        if (widget) {
            widget->setToolTip(text);
            widget->setWhatsThis(text);
        }
}

/// A count of tokens that all layers have; where they differ the box says so, by a value below the least that can be asked for.
void showTokens(QSpinBox *box, int least, std::optional<int> tokens)
{
    box->setMinimum(tokens ? least : least - 1);
    box->setSpecialValueText(tokens ? QString() : AssignPanel::tr("per layer"));
    box->setValue(tokens.value_or(least - 1));
}

/// What the box asks for: the usual number while it says that layers differ.
int tokensOf(const QSpinBox *box, int usual)
{
    const bool differ = !box->specialValueText().isEmpty() && box->value() == box->minimum();
    return differ ? usual : box->value();
}

} // namespace

AssignPanel::AssignPanel(QWidget *parent)
    : QWidget(parent)
    , m_scores(new QLabel(this))
    , m_score(new QPushButton(tr("Score (F7)"), this))
    , m_import(new QPushButton(tr("Import…"), this))
    , m_criterion(named(new QComboBox(this), "criterion", tr("Criterion")))
    , m_kind(named(new QComboBox(this), "targetKind", tr("What is asked for")))
    , m_target(new QStackedWidget(this))
    , m_slider(named(new QSlider(Qt::Horizontal, this), "sparsitySlider", tr("Sparsity")))
    , m_sparsity(named(new QDoubleSpinBox(this), "sparsity", tr("Sparsity in per cent")))
    , m_layers(named(new QSpinBox(this), "targetLayers", tr("Streaming layers")))
    , m_kv(named(new QDoubleSpinBox(this), "targetKv", tr("KV budget in MiB")))
    , m_tpot(named(new QDoubleSpinBox(this), "targetTpot", tr("TPOT budget in milliseconds")))
    , m_now(new QLabel(this))
    , m_sink(named(new QSpinBox(this), "sink", tr("Sink tokens")))
    , m_recent(named(new QSpinBox(this), "recent", tr("Recent tokens")))
    , m_assign(named(new QPushButton(tr("Assign"), this), "assign", tr("Assign")))
    , m_exclusive(named(new QPushButton(tr("Make exclusive"), this), "exclusive", tr("Make exclusive")))
    , m_pattern(new PatternPanel(this))
{
    build();
    for (const Criterion &criterion : criteria()) {
        m_criterion->addItem(QString::fromUtf8(criterion.name.data(), static_cast<qsizetype>(criterion.name.size())));
        m_criterion->setItemData(
            m_criterion->count() - 1,
            QString::fromUtf8(criterion.description.data(), static_cast<qsizetype>(criterion.description.size())),
            Qt::ToolTipRole);
    }
    explainCriterion();
    connect(m_slider, &QSlider::valueChanged, this, [this](int value) {
        const QSignalBlocker blocked(m_sparsity);
        m_sparsity->setValue(value);
        ask();
    });
    connect(m_slider, &QSlider::sliderReleased, this, &AssignPanel::editingEnded);
    connect(m_sparsity, &QDoubleSpinBox::valueChanged, this, [this](double value) {
        const QSignalBlocker blocked(m_slider);
        m_slider->setValue(static_cast<int>(std::lround(value)));
        ask();
    });
    connect(m_criterion, &QComboBox::currentIndexChanged, this, &AssignPanel::explainCriterion);
    connect(m_criterion, &QComboBox::activated, this, [this] {
        Q_EMIT editingEnded();
        ask();
        Q_EMIT editingEnded();
    });
    connect(m_kind, &QComboBox::activated, this, &AssignPanel::chooseKind);
    connect(m_layers, &QSpinBox::valueChanged, this, &AssignPanel::ask);
    for (QDoubleSpinBox *box : {m_kv, m_tpot})
        connect(box, &QDoubleSpinBox::valueChanged, this, &AssignPanel::ask);
    const auto askWindow = [this] { Q_EMIT windowAsked(tokensOf(m_sink, defaultSink), tokensOf(m_recent, defaultRecent)); };
    connect(m_sink, &QSpinBox::valueChanged, this, askWindow);
    connect(m_recent, &QSpinBox::valueChanged, this, askWindow);
    for (QAbstractSpinBox *box : {static_cast<QAbstractSpinBox *>(m_sink), static_cast<QAbstractSpinBox *>(m_recent),
                                  static_cast<QAbstractSpinBox *>(m_sparsity), static_cast<QAbstractSpinBox *>(m_layers),
                                  static_cast<QAbstractSpinBox *>(m_kv), static_cast<QAbstractSpinBox *>(m_tpot)}) {
        box->setKeyboardTracking(false); // 256 is one edit, not 2, 25, 256
        connect(box, &QAbstractSpinBox::editingFinished, this, &AssignPanel::editingEnded);
    }
    connect(m_assign, &QPushButton::clicked, this, [this] {
        Q_EMIT editingEnded();
        ask();
        Q_EMIT editingEnded();
    });
    connect(m_exclusive, &QPushButton::clicked, this, &AssignPanel::exclusiveAsked);
    connect(m_score, &QPushButton::clicked, this, &AssignPanel::scoreAsked);
    connect(m_import, &QPushButton::clicked, this, &AssignPanel::importAsked);
}

void AssignPanel::build()
{
    m_slider->setRange(0, 100);
    m_sparsity->setRange(0, 100);
    m_sparsity->setDecimals(1);
    m_sparsity->setSuffix(tr(" %"));
    m_layers->setSuffix(tr(" layers"));
    m_kv->setRange(0, 1e9);
    m_kv->setDecimals(2);
    m_kv->setSuffix(tr(" MiB"));
    m_tpot->setRange(0, 1e6);
    m_tpot->setDecimals(3);
    m_tpot->setSuffix(tr(" ms"));
    m_layers->setToolTip(tr("So many layers stream; by duo, as many heads as they have"));
    m_kv->setToolTip(tr("Keys and values take at most so much at the context that the window speaks of"));
    m_tpot->setToolTip(tr("A token takes at most so long at the context that the window speaks of, as predicted"));
    m_sink->setRange(0, mostTokens);
    m_recent->setRange(1, mostTokens);
    m_scores->setWordWrap(true);
    m_scores->setTextFormat(Qt::PlainText);
    m_score->setToolTip(tr("Score every KV head by the attention it pays to needles while it answers"));
    m_import->setToolTip(tr("Import scores: a score file, a DuoAttention folder or TSV, or Retrieval_Head JSON"));
    m_assign->setToolTip(tr("Find the best map by this criterion for this target; locked layers stay as they are"));
    m_exclusive->setToolTip(tr("Assign by zigzag at the map's present sparsity, so that no layer is mixed"));

    auto *column = new QVBoxLayout(this);
    auto *source = new QGroupBox(tr("Scores"), this);
    auto *sourceColumn = new QVBoxLayout(source);
    sourceColumn->addWidget(m_scores);
    auto *sourceButtons = new QHBoxLayout;
    sourceButtons->addWidget(m_score);
    sourceButtons->addWidget(m_import);
    sourceColumn->addLayout(sourceButtons);
    column->addWidget(source);

    auto *choice = new QGroupBox(tr("Assign"), this);
    auto *form = new QFormLayout(choice);
    form->addRow(tr("Criterion"), m_criterion);
    for (const QString &name : {tr("Sparsity"), tr("Layer count"), tr("KV budget"), tr("TPOT budget")})
        m_kind->addItem(name);
    form->addRow(tr("Target"), m_kind);
    auto *sparsityPage = new QWidget(m_target);
    auto *sparsityRow = new QHBoxLayout(sparsityPage);
    sparsityRow->setContentsMargins(0, 0, 0, 0);
    sparsityRow->addWidget(m_slider, 1);
    sparsityRow->addWidget(m_sparsity);
    for (QWidget *page :
         {sparsityPage, static_cast<QWidget *>(m_layers), static_cast<QWidget *>(m_kv), static_cast<QWidget *>(m_tpot)})
        m_target->addWidget(page);
    m_target->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    form->addRow(QString(), m_target);
    m_now->setWordWrap(true);
    m_now->setObjectName(QStringLiteral("assignNow"));
    form->addRow(QString(), m_now);
    form->setRowVisible(m_now, false);
    form->addRow(tr("Sink"), m_sink);
    form->addRow(tr("Recent"), m_recent);
    explain({form->labelForField(m_sink), m_sink}, explained(Term::Sink));
    explain({form->labelForField(m_recent), m_recent}, explained(Term::Recent));
    explain({m_slider, m_sparsity}, explained(Term::Sparsity));
    explain({source}, explained(Term::Score));
    auto *buttons = new QHBoxLayout;
    buttons->addWidget(m_assign);
    buttons->addWidget(m_exclusive);
    form->addRow(buttons);
    column->addWidget(choice);
    column->addWidget(m_pattern);
    connect(m_pattern, &PatternPanel::assignAsked, this, &AssignPanel::patternAsked);

    auto *outcome = new QGroupBox(tr("This map"), this);
    auto *facts = new QFormLayout(outcome);
    const auto fact = [&](const QString &name, const char *objectName, Term term) {
        // A label's text is its name for a screen reader; the caption is its buddy and is read before it.
        auto *value = new QLabel(outcome);
        value->setObjectName(QLatin1String(objectName));
        value->setAlignment(Qt::AlignRight);
        facts->addRow(name, value);
        auto *caption = qobject_cast<QLabel *>(facts->labelForField(value));
        caption->setBuddy(value);
        explain({caption, value}, explained(term));
        return value;
    };
    m_outcome.streaming = fact(tr("Streaming heads"), "streamingHeads", Term::StreamingHead);
    m_outcome.mixed = fact(tr("Mixed layers"), "mixedLayers", Term::MixedLayer);
    m_outcome.flipped = fact(tr("Heads flipped"), "flipped", Term::Flipped);
    m_outcome.demoted = fact(tr("Heads demoted"), "demoted", Term::Demoted);
    m_outcome.transport = fact(tr("Transport cost"), "transportCost", Term::TransportCost);
    m_outcome.ties = fact(tr("Ties at the cut"), "ties", Term::Ties);
    // Room for a large model's numbers, so that the panel does not change its width with them.
    m_outcome.streaming->setMinimumWidth(
        fontMetrics().horizontalAdvance(tr("%1 of %2 (%3)").arg(9999).arg(9999).arg(percentText(1))));
    m_slider->setMinimumWidth(fontMetrics().averageCharWidth() * 10);
    column->addWidget(outcome);
    column->addStretch(1);
}

AssignBy AssignPanel::kind() const
{
    return static_cast<AssignBy>(m_kind->currentIndex());
}

void AssignPanel::ask()
{
    m_asked = true;
    switch (kind()) {
    case AssignBy::Sparsity:
        Q_EMIT assignAsked(m_criterion->currentText(), m_sparsity->value() / 100.0);
        break;
    case AssignBy::Layers:
        Q_EMIT targetAsked(m_criterion->currentText(), kind(), m_layers->value());
        break;
    case AssignBy::KvBudget:
        Q_EMIT targetAsked(m_criterion->currentText(), kind(), m_kv->value() * mib);
        break;
    case AssignBy::TpotBudget:
        Q_EMIT targetAsked(m_criterion->currentText(), kind(), m_tpot->value());
        break;
    }
}

/// A target of another kind begins at what the map has, so that choosing it changes nothing yet; its number is what one says
/// next.
void AssignPanel::chooseKind()
{
    beginTargetsAt(m_shown);
    m_target->setCurrentIndex(m_kind->currentIndex());
    showTarget(m_shown);
    Q_EMIT editingEnded();
    QAbstractSpinBox *const fields[] = {m_sparsity, m_layers, m_kv, m_tpot};
    QAbstractSpinBox *field = fields[m_kind->currentIndex()];
    field->setFocus(Qt::TabFocusReason);
    field->selectAll();
}

void AssignPanel::beginTargetsAt(const AssignView &view)
{
    const QSignalBlocker blockers[] = {QSignalBlocker(m_layers), QSignalBlocker(m_kv), QSignalBlocker(m_tpot)};
    m_layers->setMaximum(view.layers);
    const double share = view.heads ? static_cast<double>(view.streamingHeads) / view.heads : 0;
    m_layers->setValue(static_cast<int>(std::lround(share * view.layers)));
    // Rounded up: the map that is there meets the budget.
    m_kv->setValue(std::ceil(100 * view.kvBytes.value_or(0) / mib) / 100);
    m_tpot->setValue(std::ceil(1000 * view.tpotMs.value_or(0)) / 1000);
}

/// What the chosen criterion does, on the box and on the label that names it.
void AssignPanel::explainCriterion()
{
    const QString text
        = tr("%1\n%2: %3")
              .arg(explained(Term::Criterion), m_criterion->currentText(), m_criterion->currentData(Qt::ToolTipRole).toString());
    auto *form = qobject_cast<QFormLayout *>(m_criterion->parentWidget()->layout());
    explain({m_criterion, form ? form->labelForField(m_criterion) : nullptr}, text);
}

void AssignPanel::showTarget(const AssignView &view)
{
    const bool scored = !view.scores.isEmpty();
    m_layers->setMaximum(view.layers);
    m_kv->setEnabled(scored && view.kvBytes);
    m_tpot->setEnabled(scored && view.tpotMs);
    QString now;
    if (kind() == AssignBy::KvBudget)
        now = view.kvBytes ? tr("at %1 tokens; this map takes %2 MiB").arg(view.context).arg(*view.kvBytes / mib, 0, 'f', 2)
                           : tr("Open the model first: the size of a head is not known.");
    if (kind() == AssignBy::TpotBudget)
        now = view.tpotMs ? tr("at %1 tokens; this map is predicted to take %2 ms").arg(view.context).arg(*view.tpotMs, 0, 'f', 3)
                          : tr("Open the model first: there are no times yet.");
    if (!view.grouping.isEmpty())
        now += (now.isEmpty() ? QString() : QStringLiteral("\n")) + view.grouping;
    m_now->setText(now);
    auto *form = qobject_cast<QFormLayout *>(m_now->parentWidget()->layout());
    if (form)
        form->setRowVisible(m_now, !now.isEmpty());
}

void AssignPanel::show(const AssignView &view)
{
    const QSignalBlocker blockers[] = {QSignalBlocker(m_criterion), QSignalBlocker(m_slider), QSignalBlocker(m_sparsity),
                                       QSignalBlocker(m_sink), QSignalBlocker(m_recent)};
    const bool scored = !view.scores.isEmpty();
    // A map that came from elsewhere (an undo, a point of a plot, a brush): the targets begin at what it has.
    const bool another
        = view.streamingHeads != m_shown.streamingHeads || view.layers != m_shown.layers || view.window != m_shown.window;
    if (another && !m_asked)
        beginTargetsAt(view);
    m_asked = false;
    m_shown = view;
    m_scores->setText(scored              ? view.scores
                          : view.canScore ? tr("None yet. Score the model, or import a file.")
                                          : tr("None yet. Import a file. %1").arg(view.whyNoScore));
    m_scores->setToolTip(view.scoresTip);
    m_score->setEnabled(view.canScore);
    m_pattern->setLayers(view.layers);
    for (QWidget *widget : {static_cast<QWidget *>(m_criterion), static_cast<QWidget *>(m_kind), static_cast<QWidget *>(m_layers),
                            static_cast<QWidget *>(m_slider), static_cast<QWidget *>(m_sparsity),
                            static_cast<QWidget *>(m_assign), static_cast<QWidget *>(m_exclusive)})
        widget->setEnabled(scored);
    showTarget(view);
    m_criterion->setCurrentIndex(std::max(0, m_criterion->findText(view.criterion)));
    explainCriterion();
    m_slider->setValue(static_cast<int>(std::lround(view.sparsity * 100)));
    if (std::abs(m_sparsity->value() - view.sparsity * 100) > 0.05)
        m_sparsity->setValue(view.sparsity * 100);
    showTokens(m_sink, 0, view.window ? std::optional(view.window->sink) : std::nullopt);
    showTokens(m_recent, 1, view.window ? std::optional(view.window->recent) : std::nullopt);
    m_sink->setEnabled(view.heads > 0);
    m_recent->setEnabled(view.heads > 0);

    const QString none = QStringLiteral("–");
    const QString local = view.localLayers == 0 ? QString() : tr(", %n layers local", nullptr, view.localLayers);
    m_outcome.streaming->setText(view.heads ? tr("%1 of %2 (%3)")
                                                  .arg(view.streamingHeads)
                                                  .arg(view.heads)
                                                  .arg(percentText(static_cast<double>(view.streamingHeads) / view.heads))
                                         + local
                                            : none);
    m_outcome.mixed->setText(!view.heads ? none : view.mixedLayers == 0 ? tr("0: exclusive") : QString::number(view.mixedLayers));
    m_outcome.flipped->setText(view.lost ? QString::number(view.lost->flipped) : none);
    m_outcome.demoted->setText(view.lost ? QString::number(view.lost->demoted) : none);
    m_outcome.transport->setText(view.lost ? QString::number(view.lost->transportCost, 'f', 2) : none);
    m_outcome.ties->setText(view.ties ? QString::number(*view.ties) : none);
}

} // namespace zigzag
