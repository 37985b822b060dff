// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/plots_panel.h"

#include "views/widgets/cost_plot.h"
#include "views/widgets/series_legend.h"

#include <QVBoxLayout>

namespace zigzag {

PlotsPanel::PlotsPanel(QWidget *parent)
    : QWidget(parent)
    , m_legend(new SeriesLegend(this))
{
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_legend);
    constexpr std::array quantities = {Quantity::Ttft, Quantity::Tpot, Quantity::Kv};
    const std::array names = {tr("Plot of time to first token"), tr("Plot of time per output token"), tr("Plot of KV memory")};
    for (std::size_t index = 0; index < quantities.size(); ++index) {
        m_plots[index] = new CostPlot(quantities[index], this);
        m_plots[index]->setAccessibleName(names[index]);
        column->addWidget(m_plots[index], 1);
    }
}

void PlotsPanel::show(const PlottedMaps &plotted, const QString &waiting)
{
    m_legend->show(plotted);
    for (CostPlot *plot : m_plots)
        plot->show(plotted, waiting);
}

void PlotsPanel::markContext(std::int64_t context)
{
    for (CostPlot *plot : m_plots)
        plot->markContext(context);
}

} // namespace zigzag
