// SPDX-License-Identifier: GPL-3.0-or-later
#include "samples.h"
#include "views/widgets/cost_plot.h"

#include <gtest/gtest.h>
#include <map>

namespace zigzag::test {

TEST(CostPlot, DisturbedMeasurementsArePaler)
{
    PlottedMaps plotted;
    plotted.setModel(shapeOf(4, 2), {});
    const HeadMap full = fullMap(4, 2);
    plotted.setMaps(full, nullptr, 0.5);
    BenchRecord calm;
    calm.map = "full";
    calm.context = 512;
    calm.medianMs = 4;
    calm.samplesMs = {4};
    BenchRecord slowed = calm;
    slowed.context = 1024;
    slowed.medianMs = 9;
    slowed.disturbed = 1;
    plotted.measurements().addRecords({{"full", full}}, {calm, slowed});

    CostPlot plot(Quantity::Tpot);
    plot.show(plotted, {});
    std::map<double, QColor> drawn; // by value, those of the full map's series
    for (int i = 0; i < plot.graphCount(); ++i) {
        const QCPGraph *graph = plot.graph(i);
        if (graph->lineStyle() == QCPGraph::lsNone && graph->scatterStyle().shape() == QCPScatterStyle::ssDisc)
            for (const QCPGraphData &point : *graph->data())
                drawn[point.value] = graph->scatterStyle().pen().color();
    }
    ASSERT_EQ(drawn.size(), 2u);
    const QColor background = plot.palette().color(QPalette::Base);
    const auto distance = [&](const QColor &color) { return std::abs(color.lightness() - background.lightness()); };
    EXPECT_GT(distance(drawn[4]), 2 * distance(drawn[9])) << "the disturbed one fades";
}

} // namespace zigzag::test
