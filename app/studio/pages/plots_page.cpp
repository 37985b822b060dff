// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/plots_page.h"

#include "views/widgets/cost_plot.h"
#include "views/widgets/plots_panel.h"

#include <QVBoxLayout>

namespace zigzag {

PlotsPage::PlotsPage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("plots"), tr("Latency and memory"), parent)
    , m_plots(new PlotsPanel(this))
{
    setGuidePage(QStringLiteral("plots"));
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_plots);
    for (CostPlot *plot : m_plots->plots())
        exhibit(plot->exhibit(), plot);
}

void PlotsPage::refresh()
{
    m_plots->show(studio().plotted(), studio().whyNoTimes());
    m_plots->markContext(studio().context());
}

} // namespace zigzag
