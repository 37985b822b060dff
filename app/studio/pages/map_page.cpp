// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/map_page.h"

#include "views/models/head_map_model.h"
#include "views/models/text.h"
#include "views/widgets/head_map_view.h"
#include "views/widgets/score_legend.h"

#include <QScopedValueRollback>
#include <QVBoxLayout>

#include <algorithm>

namespace zigzag {

MapPage::MapPage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("map"), tr("Head map"), parent)
    , m_model(new HeadMapModel(this))
    , m_legend(new ScoreLegend(this))
    , m_view(new HeadMapView(m_model, this))
{
    m_view->setObjectName(QStringLiteral("headMap"));
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_legend);
    column->addWidget(m_view, 1);

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
    exhibit(m_view->exhibit(), m_view);
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

void MapPage::refresh()
{
    const DocumentState &state = studio().document().state();
    m_model->show(state.map, state.scores, state.locked);
    m_legend->setScored(state.scores != nullptr);
    showCosts();
}

void MapPage::showCosts()
{
    const Study &study = studio().study();
    const HeadMap &map = studio().document().map();
    std::vector<LayerCost> costs(static_cast<std::size_t>(map.layers()));
    const std::int64_t at = studio().context();
    const Phase phase = studio().phase();
    const HeadMap *full = study.map(Series::Full);
    Estimate estimate, fullEstimate;
    if (full && study.hasTimes()) {
        estimate = study.cost().estimate(map, phase, at);
        fullEstimate = study.cost().estimate(*full, phase, at);
    }
    if (auto traced = study.results().trace(map, phase, at); traced != m_traced) {
        m_times = traced ? layerTimes(*traced) : LayerTimes();
        m_traced = std::move(traced);
    }
    const bool measured = m_times.ms.size() == costs.size() && !m_times.isEmpty();
    double longest
        = fullEstimate.layerMs.empty() ? 0 : *std::max_element(fullEstimate.layerMs.begin(), fullEstimate.layerMs.end());
    for (int layer = 0; measured && layer < map.layers(); ++layer)
        longest = std::max(longest, m_times.layerMs(layer));
    const FoundScores *ablation = studio().findings().ablation({map.sink(), map.recent()});
    double largestLoss = 0;
    for (std::size_t layer = 0; ablation && layer < ablation->effects.size(); ++layer)
        largestLoss = std::max(largestLoss, ablation->effects[layer].loss);
    for (int layer = 0; full && layer < map.layers(); ++layer) {
        LayerCost &cost = costs[static_cast<std::size_t>(layer)];
        cost.kv = study.layerKv(map, layer, at);
        cost.fullKv = study.layerKv(*full, layer, at);
        if (ablation && ablation->effects.size() == costs.size()) {
            cost.loss = ablation->effects[static_cast<std::size_t>(layer)].loss;
            cost.lossError = ablation->effects[static_cast<std::size_t>(layer)].lossError;
            cost.largestLoss = largestLoss;
        }
        if (longest > 0) {
            if (!estimate.layerMs.empty())
                cost.ms = estimate.layerMs[static_cast<std::size_t>(layer)];
            if (measured)
                cost.measuredMs = m_times.ms[static_cast<std::size_t>(layer)];
            cost.longestMs = longest;
        }
    }
    m_legend->setMeasured(measured);
    m_model->showCosts(std::move(costs));
    m_view->setCostTitles(study.hasBytes() ? tr("KV bytes at %1").arg(contextText(at)) : tr("KV keys at %1").arg(contextText(at)),
                          longest <= 0 ? QString()
                                       : (measured ? tr("%1 at %2: measured, hatched: predicted") : tr("predicted %1 at %2"))
                                             .arg(phase == Phase::Decode ? tr("TPOT") : tr("TTFT"), contextText(at)));
}

} // namespace zigzag
