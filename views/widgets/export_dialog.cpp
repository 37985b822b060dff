// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/export_dialog.h"

#include "profiler/cost/engine_memory.h"
#include "profiler/exports/engine_checks.h"
#include "views/models/native_path.h"
#include "views/models/text.h"

#include <QCheckBox>
#include <QDialogButtonBox>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QTreeWidget>
#include <QVBoxLayout>
#include <algorithm>

namespace zigzag {

namespace {

/// Of a row: its place in exportFormats() or in carriedTargets(), its sentences, and whether it cannot be chosen.
enum Role { indexRole = Qt::UserRole, noteRole, refusedRole, carriedRole, sinksRole, lostRole };

QStringList verdictRow(std::string_view title, const ExportVerdict &verdict)
{
    const QString dash = QStringLiteral("–");
    if (!verdict.refusal.empty())
        return {plain(title), tr("cannot run it"), dash, dash, dash};
    const auto word = [](bool kept) { return kept ? tr("yes") : ExportDialog::tr("no"); };
    const QString heads = verdict.headsLost == 0 ? word(verdict.perHeadKept) : tr("no: %n retrieve", nullptr, verdict.headsLost);
    const QString freed = verdict.kvFreed == KvFreed::OptIn ? tr("opt-in") : word(verdict.kvFreed == KvFreed::Yes);
    return {plain(title), word(verdict.sinksKept), heads, freed,
            verdict.minimumVersion.empty() ? dash : QString::fromStdString(verdict.minimumVersion)};
}

/// What the engine behind a target takes for the longest sequences that the model knows, with the map and without; empty where
/// nothing is known of it.
QString memoryText(std::string_view engine, const HeadMap &map, const ExportModel *model)
{
    if (!model || engine.empty())
        return {};
    const auto layers = engineLayers(map);
    if (!layers)
        return {};
    const auto ofEngine = [&](EngineLayers asked) {
        const auto engines = engineMemory(model->config, asked, model->config.maxContext);
        return *std::find_if(engines.begin(), engines.end(), [&](const EngineMemory &each) { return each.engine == engine; });
    };
    const EngineMemory with = ofEngine(*layers), without = ofEngine({layers->all(), 0, 0});
    return tr("KV memory there at %1 tokens: %2 sequences a GiB, %3 with full attention (computed as %4 %5 counts: %6).")
        .arg(contextText(model->config.maxContext))
        .arg(with.sequencesPerGiB, 0, 'f', 2)
        .arg(without.sequencesPerGiB, 0, 'f', 2)
        .arg(plain(with.engine), plain(with.version), QString::fromStdString(with.note));
}

/// "KL 0.041, same top token 89.0 %".
QString nearText(const NearFull &near)
{
    return tr("KL %1, same top token %2 %").arg(near.kl, 0, 'f', 3).arg(100 * near.sameTop, 0, 'f', 1);
}

QString costText(const CarryQuality &cost)
{
    if (cost.beyond.positions == 0)
        return tr("No text is longer than the window: nothing was measured.");
    QString text = tr("Beside full attention, beyond the window: %1 with the sinks; %2 with the window alone, as engines "
                      "that keep no sinks run it; %3 with what stands in for sinks (the Granite targets).")
                       .arg(nearText(cost.sinksKept), nearText(cost.windowAlone), nearText(cost.beyond));
    if (cost.inside.positions > 0)
        text += QLatin1Char(' ')
            + tr("Prompts within the window cost nothing, but with stand-ins: %1.").arg(nearText(cost.inside));
    return text;
}

} // namespace

ExportDialog::ExportDialog(const HeadMap &map, const ExportModel *model, QWidget *parent)
    : QDialog(parent)
    , m_formats(new QTreeWidget(this))
    , m_note(new QLabel(this))
    , m_cost(new QLabel(this))
    , m_measure(new QPushButton(tr("&Measure what it costs"), this))
    , m_progress(new QProgressBar(this))
{
    setWindowTitle(tr("Export the map"));
    m_formats->setHeaderLabels({tr("Target"), tr("Sinks kept"), tr("Each head kept"), tr("KV freed"), tr("From version")});
    m_formats->setRootIsDecorated(false);
    m_formats->setAccessibleName(tr("Export targets and what they keep"));
    addTargets(map, model);
    m_formats->header()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_formats->header()->setStretchLastSection(false);
    m_formats->setUniformRowHeights(true);
    m_note->setWordWrap(true);
    m_note->setTextFormat(Qt::PlainText);
    m_note->setMinimumHeight(5 * fontMetrics().lineSpacing());
    m_note->setAlignment(Qt::AlignTop | Qt::AlignLeft);

    m_cost->setWordWrap(true);
    m_cost->setTextFormat(Qt::PlainText);
    m_cost->setObjectName(QStringLiteral("exportCost"));
    m_cost->setAccessibleName(tr("What the map costs without its sinks"));
    m_measure->setObjectName(QStringLiteral("measureExport"));
    m_measure->setAutoDefault(false); // Enter exports
    m_progress->setObjectName(QStringLiteral("measureProgress"));
    m_progress->setAccessibleName(tr("How far the measurement is"));
    m_progress->setRange(0, 100);
    for (QWidget *each : {static_cast<QWidget *>(m_cost), static_cast<QWidget *>(m_measure), static_cast<QWidget *>(m_progress)})
        each->hide(); // until somebody can measure
    connect(m_measure, &QPushButton::clicked, this, &ExportDialog::toggleMeasuring);
    auto *measuring = new QHBoxLayout;
    measuring->addWidget(m_measure);
    measuring->addWidget(m_progress, 1);
    measuring->addStretch(1);

    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    m_write = buttons->addButton(tr("Export…"), QDialogButtonBox::AcceptRole);
    m_line = buttons->addButton(tr("Copy as command &line"), QDialogButtonBox::ActionRole);
    m_line->setObjectName(QStringLiteral("exportLine"));
    m_line->setAutoDefault(false);
    connect(m_line, &QPushButton::clicked, this, &ExportDialog::lineAsked);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(m_formats, &QTreeWidget::itemActivated, this, [this] {
        if (format() || carried())
            accept();
    });
    connect(m_formats, &QTreeWidget::currentItemChanged, this, &ExportDialog::showTarget);
    auto *column = new QVBoxLayout(this);
    column->addWidget(m_formats);
    column->addWidget(m_note);
    column->addWidget(carriedRow());
    column->addLayout(measuring);
    column->addWidget(m_cost);
    column->addWidget(buttons);
    // It lies between its buttons, and would send Tab back to the first of them for ever.
    buttons->setFocusProxy(nullptr);
    m_formats->setCurrentItem(m_formats->topLevelItem(0));
}

void ExportDialog::addTargets(const HeadMap &map, const ExportModel *model)
{
    const auto add = [&](const auto &target, int index) {
        const ExportVerdict verdict = target.verdict(map, model);
        QTreeWidgetItem *item = addTarget(target.name, target.title, verdict);
        item->setData(0, indexRole, index);
        if (const QString memory = verdict.refusal.empty() ? memoryText(target.engine, map, model) : QString(); !memory.isEmpty())
            item->setData(0, noteRole, item->data(0, noteRole).toString() + QLatin1Char('\n') + memory);
        return item;
    };
    int index = 0;
    for (const ExportFormat &format : exportFormats())
        add(format, index++);
    index = 0;
    for (const CarriedTarget &target : carriedTargets()) {
        QTreeWidgetItem *item = add(target, index++);
        item->setData(0, carriedRole, true);
        if (!item->data(0, refusedRole).toBool())
            item->setText(1, tr("stood in for"));
    }
}

QTreeWidgetItem *ExportDialog::addTarget(std::string_view name, std::string_view title, const ExportVerdict &verdict)
{
    static const auto checks = engineChecks();
    auto *item = new QTreeWidgetItem(m_formats, verdictRow(title, verdict));
    const bool isRefused = !verdict.refusal.empty();
    QString note = QString::fromStdString(isRefused ? verdict.refusal : verdict.note);
    if (!isRefused && verdict.localLayers > 0)
        note += tr("; %n layers keep the model's own window", nullptr, verdict.localLayers);
    if (const std::string checked = checks ? checkedText(*checks, name) : std::string(); !isRefused && !checked.empty())
        note += QStringLiteral("; ") + QString::fromStdString(checked);
    item->setData(0, noteRole, note);
    item->setData(0, refusedRole, isRefused);
    item->setData(0, sinksRole, verdict.sinksKept);
    item->setData(0, lostRole, verdict.headsLost);
    if (isRefused)
        for (int column = 0; column < m_formats->columnCount(); ++column)
            item->setForeground(column, palette().brush(QPalette::PlaceholderText));
    return item;
}

/// What a calibrated target asks beside its place.
QWidget *ExportDialog::carriedRow()
{
    m_carriedRow = new QWidget(this);
    m_fits = new QCheckBox(tr("&Fit after calibration (minutes)"), m_carriedRow);
    m_fits->setObjectName(QStringLiteral("exportFits"));
    m_fits->setToolTip(
        tr("Fits the stand-ins to full attention by their gradient; of a fit that is no better, calibration is kept."));
    m_copies = new QCheckBox(tr("&Copy weights"), m_carriedRow);
    m_copies->setToolTip(tr("Otherwise the folder links to the model's own files, which then must stay where they are."));
    m_chooseTexts = new QPushButton(tr("Calibrate on &texts…"), m_carriedRow);
    m_chooseTexts->setAutoDefault(false);
    m_chooseTexts->setToolTip(tr("Text files like what the model will be asked, 60,000 tokens or more for a fit. Without them, "
                                 "prompts are made."));
    connect(m_chooseTexts, &QPushButton::clicked, this, &ExportDialog::chooseTexts);
    auto *row = new QHBoxLayout(m_carriedRow);
    row->setContentsMargins({});
    row->addWidget(m_fits);
    row->addWidget(m_copies);
    row->addWidget(m_chooseTexts);
    row->addStretch(1);
    QSizePolicy kept = m_carriedRow->sizePolicy();
    kept.setRetainSizeWhenHidden(true); // so that nothing moves from target to target
    m_carriedRow->setSizePolicy(kept);
    m_carriedRow->hide();
    return m_carriedRow;
}

void ExportDialog::showTarget()
{
    const QTreeWidgetItem *current = m_formats->currentItem();
    const bool isCarried = current && current->data(0, carriedRole).toBool();
    const bool waits = isCarried && !m_canRun && !current->data(0, refusedRole).toBool();
    m_note->setText(!current    ? QString()
                        : waits ? tr("calibrated before it is written: open the model with its weights and its tokenizer first")
                                : current->data(0, noteRole).toString());
    giveRoom(*m_note);
    m_write->setEnabled(format() || carried());
    m_line->setEnabled(format() || carried());
    showFound();
    m_carriedRow->setVisible(carried());
    m_copies->setVisible(carried() && carried()->writesFolder);
}

void ExportDialog::chooseTexts()
{
    const QStringList files = QFileDialog::getOpenFileNames(this, tr("Texts to calibrate on"));
    if (files.isEmpty())
        return;
    m_texts = files;
    m_chooseTexts->setText(tr("Calibrate on %n &texts…", nullptr, static_cast<int>(files.size())));
}

void ExportDialog::showEvent(QShowEvent *event)
{
    QDialog::showEvent(event);
    // As large as its table, so that no target and no column hides behind a scroll bar: now, when all have their fonts.
    m_formats->doItemsLayout();
    m_formats->header()->resizeSections(QHeaderView::ResizeToContents);
    const int row = m_formats->visualItemRect(m_formats->topLevelItem(0)).height();
    const int frame = 2 * m_formats->frameWidth();
    m_formats->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff); // either would only be there for the other's sake
    m_formats->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_formats->setMinimumSize(m_formats->header()->length() + frame,
                              m_formats->topLevelItemCount() * row + m_formats->header()->height() + frame);
    adjustSize();
    giveRoom(*m_note);
}

void ExportDialog::offerMeasuring()
{
    m_measure->setToolTip(
        tr("A minute or so: calibrates what stands in for sinks, and compares with full attention on other text."));
    m_measure->show();
    m_canRun = true;
    showTarget();
}

void ExportDialog::toggleMeasuring()
{
    if (m_measuring) {
        Q_EMIT measureCancelled();
        endMeasuring();
        return;
    }
    m_measuring = true;
    m_measure->setText(tr("Stop &measuring"));
    m_progress->setValue(0);
    m_progress->show();
    m_cost->hide();
    Q_EMIT measureAsked();
}

void ExportDialog::showProgress(double fraction)
{
    if (m_measuring)
        m_progress->setValue(static_cast<int>(100 * std::clamp(fraction, 0.0, 1.0)));
}

void ExportDialog::showCost(const CarryQuality &cost)
{
    m_found = cost;
    showFound();
}

void ExportDialog::showFound()
{
    const QTreeWidgetItem *current = m_formats->currentItem();
    if (!m_found || !current)
        return;
    QString text = costText(*m_found);
    if (!current->data(0, refusedRole).toBool() && m_found->beyond.positions > 0) {
        const bool isCarried = current->data(0, carriedRole).toBool(), keeps = current->data(0, sinksRole).toBool();
        const NearFull &near = isCarried ? m_found->beyond : keeps ? m_found->sinksKept : m_found->windowAlone;
        QString own = tr("%1 would run it so: %2.").arg(current->text(0), nearText(near));
        if (const int lost = current->data(0, lostRole).toInt(); lost > 0)
            own += QLatin1Char(' ')
                + tr("There %n streaming heads of mixed layers retrieve, so that it loses less.", nullptr, lost);
        text = own + QLatin1Char('\n') + text;
    }
    sayCost(text);
}

void ExportDialog::sayCost(const QString &text)
{
    m_cost->setText(text);
    m_cost->show();
    giveRoom(*m_cost);
}

/// A text that is longer than what was there makes the dialog larger, and nothing makes it smaller: buttons stay where they are.
void ExportDialog::giveRoom(QLabel &label)
{
    if (!isVisible())
        return;
    label.setMinimumHeight(std::max(label.minimumHeight(), label.heightForWidth(label.width())));
    layout()->activate();
    resize(size().expandedTo(layout()->totalMinimumSize()));
}

void ExportDialog::endMeasuring(const QString &why)
{
    m_measuring = false;
    m_measure->setText(tr("&Measure what it costs"));
    m_progress->hide();
    if (!why.isEmpty())
        sayCost(why);
}

const ExportFormat *ExportDialog::format() const
{
    const QTreeWidgetItem *current = m_formats->currentItem();
    if (!current || current->data(0, refusedRole).toBool() || current->data(0, carriedRole).toBool())
        return nullptr;
    return &exportFormats()[static_cast<std::size_t>(current->data(0, indexRole).toInt())];
}

const CarriedTarget *ExportDialog::carried() const
{
    const QTreeWidgetItem *current = m_formats->currentItem();
    if (!m_canRun || !current || current->data(0, refusedRole).toBool() || !current->data(0, carriedRole).toBool())
        return nullptr;
    return &carriedTargets()[static_cast<std::size_t>(current->data(0, indexRole).toInt())];
}

CarriedOptions ExportDialog::carriedOptions() const
{
    CarriedOptions options;
    options.fits = m_fits->isChecked();
    if (carried() && carried()->writesFolder && m_copies->isChecked())
        options.files = WeightFiles::Copy;
    for (const QString &text : m_texts)
        options.texts.push_back(pathOf(text));
    return options;
}

} // namespace zigzag
