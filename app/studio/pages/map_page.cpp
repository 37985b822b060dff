// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/map_page.h"

#include "views/models/head_map_model.h"
#include "views/models/text.h"
#include "views/widgets/empty_map.h"
#include "views/widgets/head_map_view.h"
#include "views/widgets/score_legend.h"

#include <QFileInfo>
#include <QScopedValueRollback>
#include <QVBoxLayout>

#include <algorithm>

namespace zigzag {

MapPage::MapPage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("map"), tr("Head map"), parent)
    , m_model(new HeadMapModel(this))
    , m_legend(new ScoreLegend(this))
    , m_view(new HeadMapView(m_model, this))
    , m_empty(new EmptyMap(this))
{
    setGuidePage(QStringLiteral("edit"));
    m_view->setObjectName(QStringLiteral("headMap"));
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_legend);
    column->addWidget(m_view, 1);
    column->addWidget(m_empty, 1);
    connect(m_empty, &EmptyMap::chosen, this, &MapPage::openAsked);
    connect(m_empty, &EmptyMap::recommendAsked, this, &MapPage::recommendAsked);
    connect(&studio.runList(), &QAbstractItemModel::rowsInserted, this, &MapPage::showEmpty);

    Document &document = studio.document();
    connect(m_view, &HeadMapView::strokeBegan, &document, &Document::beginStroke);
    connect(m_view, &HeadMapView::strokeTouched, &document, &Document::touch);
    connect(m_view, &HeadMapView::strokeEnded, &document, &Document::endStroke);
    connect(m_view, &HeadMapView::strokeAbandoned, &document, &Document::abandonStroke);
    connect(m_view, &HeadMapView::layerToggled, &document, &Document::toggleLayer);
    connect(m_view->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        if (!m_following)
            this->studio().selection().set(m_view->selectedLayers());
    });
    connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this,
            [this](const QModelIndex &current) { Q_EMIT headReached(current.row(), current.column()); });
    exhibit(m_view->exhibit(m_legend), m_view);
    const auto toggle = [this](const QString &name, const QString &text, void (HeadMapView::*set)(bool)) {
        QAction *action = offer(PageMenu::View, name, text, {}, [] {});
        action->setCheckable(true);
        connect(action, &QAction::toggled, m_view, set);
        m_view->addAction(action);
    };
    toggle(QStringLiteral("orderByScore"), tr("Head map: order layers by s&core"), &HeadMapView::setOrderedByScore);
    toggle(QStringLiteral("numbersInCells"), tr("Head map: &numbers in cells"), &HeadMapView::setNumbersShown);
    connect(&studio.selection(), &LayerSelection::changed, this, &MapPage::selectLayers);
}

void MapPage::selectLayers()
{
    const std::vector<int> &layers = studio().selection().layers();
    if (layers != m_view->selectedLayers()) // else it is this view that began it, with a part of the layer perhaps
    {
        const QScopedValueRollback following(m_following, true);
        m_view->selectLayers(layers);
    }
}

std::vector<Cell> MapPage::targets() const
{
    std::vector<Cell> cells;
    for (const QModelIndex &index : m_view->targets())
        cells.push_back({index.row(), index.column()});
    return cells;
}

void MapPage::showEmpty()
{
    const bool empty = studio().document().map().layers() == 0;
    m_legend->setVisible(!empty);
    m_view->setVisible(!empty);
    m_empty->setVisible(empty);
    if (!empty)
        return;
    // A trace or a bench says which model it is of: that one is offered first.
    QString text = tr("A head map belongs to a model. Open one, or a map or scores of it.");
    std::vector<EmptyMap::Way> ways;
    const RunListModel &runs = studio().runList();
    if (const QString model = runs.rowCount() > 0 ? runs.entry(runs.rowCount() - 1).model : QString(); !model.isEmpty()) {
        text = tr("What you opened was run on %1. With its model open, its layers stand here, linked with the time they took.")
                   .arg(model);
        if (model.startsWith(QLatin1String("bundled:")) || model.startsWith(QLatin1String("preset:")) || QFileInfo(model).isDir())
            ways.push_back({tr("Open %1").arg(model), model});
    }
    const QString own = QStringLiteral("bundled:zigzag-tiny");
    if (ways.empty() || ways.front().name != own)
        ways.push_back({tr("Open the built-in model"), own});
    ways.push_back({tr("Open a file…"), QString()});
    ways.push_back({tr("Recommend a map for a model folder…"), {}, true});
    m_empty->show(text, ways);
}

void MapPage::refresh()
{
    showEmpty();
    const DocumentState &state = studio().document().state();
    m_model->show(state.map, state.scores, state.locked);
    m_legend->setScored(state.scores != nullptr);
    showCosts();
}

void MapPage::showCosts()
{
    const PlottedMaps &plotted = studio().plotted();
    const HeadMap &map = studio().document().map();
    std::vector<LayerCost> costs(static_cast<std::size_t>(map.layers()));
    const std::int64_t at = studio().context();
    const Phase phase = studio().phase();
    const HeadMap *full = plotted.map(Series::Full);
    const Workload work = plotted.work(phase, at);
    LayerTimes predicted;
    double longest = 0; // the layer that costs most with full attention, so that bars of different maps compare
    if (full && plotted.hasTimes()) {
        predicted = layerTimes(plotted.cost(), map, work);
        const std::vector<double> ofFull = plotted.cost().estimate(*full, work).layerMs;
        longest = ofFull.empty() ? 0 : *std::max_element(ofFull.begin(), ofFull.end());
    }
    if (auto traced = plotted.measurements().trace(map, phase, at); traced != m_traced) {
        m_times = traced ? layerTimes(*traced) : LayerTimes();
        m_traced = std::move(traced);
    }
    const bool measured = plotted.conditions().isHere() && m_times.ms.size() == costs.size() && !m_times.isEmpty();
    for (int layer = 0; measured && layer < map.layers(); ++layer)
        longest = std::max(longest, m_times.layerMs(layer));
    const std::optional<StreamingWindow> window = map.oneWindow(); // an ablation is of one
    const FoundScores *ablation = window ? studio().scoreSources().ablation(*window) : nullptr;
    double leastLoss = 0, largestLoss = 0;
    for (std::size_t layer = 0; ablation && layer < ablation->effects.size(); ++layer) {
        const double loss = ablation->effects[layer].loss;
        largestLoss = std::max(largestLoss, loss);
        if (loss > 0)
            leastLoss = leastLoss > 0 ? std::min(leastLoss, loss) : loss;
    }
    double mostKv = 0; // of the layers, which differ where the model's own file has windows
    for (int layer = 0; full && layer < map.layers(); ++layer)
        mostKv = std::max(mostKv, plotted.layerKv(*full, layer, at));
    for (int layer = 0; full && layer < map.layers(); ++layer) {
        LayerCost &cost = costs[static_cast<std::size_t>(layer)];
        cost.kv = plotted.layerKv(map, layer, at);
        cost.fullKv = mostKv;
        if (ablation && ablation->effects.size() == costs.size()) {
            cost.loss = ablation->effects[static_cast<std::size_t>(layer)].loss;
            cost.lossError = ablation->effects[static_cast<std::size_t>(layer)].lossError;
            cost.leastLoss = leastLoss;
            cost.largestLoss = largestLoss;
        }
        if (longest > 0) {
            if (!predicted.isEmpty())
                cost.predictedMs = predicted.ms[static_cast<std::size_t>(layer)];
            if (measured)
                cost.measuredMs = m_times.ms[static_cast<std::size_t>(layer)];
            cost.longestMs = longest;
        }
    }
    m_legend->setTimes(!predicted.isEmpty(), measured);
    m_model->showCosts(std::move(costs), {phase, at});
    m_view->setCostTitles(
        plotted.hasBytes() ? tr("KV bytes at %1").arg(contextText(at)) : tr("KV keys at %1").arg(contextText(at)),
        longest <= 0 ? QString()
                     : (measured ? predicted.isEmpty() ? tr("measured %1 at %2") : tr("%1 at %2, hatched: predicted")
                            : plotted.isKept()       ? tr("predicted %1 at %2 (kept)")
                            : plotted.isUnreliable() ? tr("predicted %1 at %2 (disturbed)")
                                                     : tr("predicted %1 at %2"))
                           .arg(phase == Phase::Decode ? tr("TPOT") : tr("TTFT"), contextText(at)));
}

} // namespace zigzag
