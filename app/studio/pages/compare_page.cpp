// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/compare_page.h"

#include "engine/map/map_io.h"
#include "views/models/map_difference_model.h"
#include "views/models/native_path.h"
#include "views/models/text.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QScopedValueRollback>
#include <QTableView>
#include <QVBoxLayout>

namespace zigzag {

namespace {

enum Against { Full, Duo, Zigzag, File };

} // namespace

ComparePage::ComparePage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("compare"), tr("Compare maps"), parent)
    , m_against(new QComboBox(this))
    , m_summary(new QLabel(this))
    , m_table(new QTableView(this))
    , m_model(new MapDifferenceModel(this))
{
    setGuidePage(QStringLiteral("edit#compare"));
    for (const QString &name : {tr("Full attention"), tr("DuoAttention at the same sparsity"), tr("Zigzag at the same sparsity")})
        m_against->addItem(name);
    m_against->setCurrentIndex(Duo);
    m_against->setObjectName(QStringLiteral("against"));
    m_against->setAccessibleName(tr("The other map"));
    m_summary->setObjectName(QStringLiteral("differenceSummary"));
    m_summary->setTextFormat(Qt::PlainText);
    m_summary->setWordWrap(true); // a sentence as long as in German would widen the window
    m_table->setObjectName(QStringLiteral("differences"));
    m_table->setAccessibleName(tr("Layers in which the maps differ"));
    m_table->setModel(m_model);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->setFrameShape(QFrame::NoFrame);
    m_table->setAlternatingRowColors(true);
    m_table->setTabKeyNavigation(false); // or Tab goes from cell to cell, and never on
    m_table->verticalHeader()->hide();
    m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_table->horizontalHeader()->setSectionResizeMode(MapDifferenceModel::Heads, QHeaderView::Stretch);

    auto *load = new QPushButton(tr("Map file…"), this);
    auto *row = new QHBoxLayout;
    row->setContentsMargins(6, 4, 6, 4);
    row->setSpacing(6); // or it takes the column's, which is none
    row->addWidget(new QLabel(tr("This map against"), this));
    row->addWidget(m_against);
    row->addWidget(load);
    row->addWidget(m_summary, 1);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addLayout(row);
    column->addWidget(m_table, 1);

    QAction *action
        = offer(PageMenu::File, QStringLiteral("compareWith"), tr("&Compare with a map…"), {}, [this] { chooseFile(); });
    connect(load, &QPushButton::clicked, action, &QAction::trigger);
    connect(m_against, &QComboBox::activated, this, [this] { refresh(); });
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &ComparePage::selectLayer);
    connect(&studio.selection(), &LayerSelection::changed, this, &ComparePage::followSelection);
    exhibit(tableExhibit(tr("the table of differing layers"), QStringLiteral("map-differences"), *m_table), m_table);
}

void ComparePage::chooseFile()
{
    const QString file = studio().prompts().fileToOpen(this, tr("Compare with a map"));
    if (!file.isEmpty())
        compareWith(file);
}

bool ComparePage::compareWith(const QString &file)
{
    auto map = readHeadMap(pathOf(file));
    if (!map) {
        studio().say(map.error());
        return false;
    }
    if (const auto difference = differenceOf(studio().document().map(), *map, 1, nullptr); !difference) {
        studio().say(difference.error());
        return false;
    }
    const bool isFirst = !m_file;
    m_file = std::move(*map);
    const QString name = shownFileName(file);
    if (isFirst)
        m_against->insertItem(File, name); // variants come behind it
    else
        m_against->setItemText(File, name);
    m_against->setCurrentIndex(File);
    refresh();
    return true;
}

const HeadMap *ComparePage::other() const
{
    if (m_variant)
        return &*m_variant;
    const PlottedMaps &plotted = studio().plotted();
    switch (m_against->currentIndex()) {
    case Full:
        return plotted.map(Series::Full);
    case Duo:
        return plotted.map(Series::Duo);
    case Zigzag:
        return plotted.map(Series::Zigzag);
    default:
        return m_file ? &*m_file : nullptr;
    }
}

void ComparePage::followSelection()
{
    const QScopedValueRollback following(m_following, true);
    QItemSelection rows;
    for (int row = 0; row < m_model->rowCount(); ++row)
        if (const int layer = m_model->layerAt(row); layer >= 0 && studio().selection().contains(layer))
            rows.select(m_model->index(row, 0), m_model->index(row, 0));
    m_table->selectionModel()->select(rows, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
}

void ComparePage::selectLayer()
{
    if (m_following)
        return;
    std::vector<int> layers;
    for (const QModelIndex &index : m_table->selectionModel()->selectedRows())
        layers.push_back(m_model->layerAt(index.row())); // that of all layers is −1, which the selection drops
    studio().selection().set(std::move(layers));
}

/// The other variants of the map, by name. One that is gone or in front now is no longer compared with.
void ComparePage::offerVariants()
{
    const Document &document = studio().document();
    QStringList names;
    for (int index = 0; index < document.variants(); ++index)
        if (index != document.variant())
            names << document.variantName(index);
    if (names != m_variants) {
        const QString chosen = m_against->currentData().toString();
        for (int item = m_against->count(); item-- > 0;)
            if (!m_against->itemData(item).toString().isEmpty())
                m_against->removeItem(item);
        for (const QString &name : names)
            m_against->addItem(tr("Variant %1").arg(name), name);
        if (const int again = chosen.isEmpty() ? -1 : m_against->findData(chosen); again >= 0)
            m_against->setCurrentIndex(again);
        else if (!chosen.isEmpty())
            m_against->setCurrentIndex(Duo);
        m_variants = names;
    }
    m_variant.reset();
    const QString chosen = m_against->currentData().toString();
    for (int index = 0; index < document.variants(); ++index)
        if (!chosen.isEmpty() && document.variantName(index) == chosen)
            m_variant = document.variantAt(index).state.map;
}

void ComparePage::refresh()
{
    offerVariants();
    const DocumentState &state = studio().document().state();
    const HeadMap *against = other();
    if (against && m_shown == state.map && m_shownOther == *against && m_shownScores == state.scores
        && m_shownContext == studio().context())
        return;
    const std::int64_t context = studio().context();
    m_shown.reset();
    m_shownOther.reset();
    MapDifference difference;
    if (against) {
        auto found = differenceOf(state.map, *against, context, state.scores.get());
        if (found) {
            difference = std::move(*found);
            m_shown = state.map;
            m_shownOther = *against;
        }
    }
    m_shownScores = state.scores;
    m_shownContext = context;
    const PlottedMaps &plotted = studio().plotted();
    const HeadMap one(ModelShape{{}, 1, 0, 1, state.map.model().headDim, {}}, HeadKind::Retrieval, 0, 1);
    m_model->show(std::move(difference), state.map.model().mappableHeads(), plotted.hasBytes() ? plotted.kv(one, 1) : 0.0);
    m_summary->setText(m_shown       ? m_model->summary()
                           : against ? tr("That map is for a model of another shape.")
                                     : tr("There are no scores to choose that map by: score the model, or import scores."));
    m_summary->setToolTip(m_shown ? m_model->summary() + QLatin1Char(' ')
                                  + tr("Arrows lead from this map to the other; KV at %1 tokens.").arg(contextText(context))
                                  : m_summary->text());
}

} // namespace zigzag
