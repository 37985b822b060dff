// SPDX-License-Identifier: GPL-3.0-or-later
#include "samples.h"
#include "views/widgets/cost_plot.h"
#include "views/widgets/plot_tickers.h"

#include <cmath>
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

/// Each variant has a line, in a colour that no other curve has, and goes with its variant.
TEST(CostPlot, VariantsAreDrawnBesideTheMap)
{
    PlottedMaps plotted;
    plotted.setModel(shapeOf(4, 2), {});
    HeadMap other = fullMap(4, 2);
    other.setLayer(1, HeadKind::Streaming);
    plotted.setMaps(fullMap(4, 2), nullptr, 0.5);
    CostPlot plot(Quantity::Kv);
    plot.show(plotted, {});
    const auto drawn = [&] {
        std::vector<QColor> colors;
        for (int i = 0; i < plot.graphCount(); ++i)
            if (plot.graph(i)->lineStyle() != QCPGraph::lsNone && !plot.graph(i)->data()->isEmpty())
                colors.push_back(plot.graph(i)->pen().color());
        return colors;
    };
    const std::size_t before = drawn().size();
    plotted.setVariants({{"other", other}, {"third", other}});
    plot.show(plotted, {});
    const std::vector<QColor> colors = drawn();
    ASSERT_EQ(colors.size(), before + 2);
    for (std::size_t i = 0; i < colors.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            EXPECT_NE(colors[i], colors[j]);
    plot.markContext(plotted.contexts().front());
    EXPECT_TRUE(plot.accessibleDescription().contains("third"));
    plotted.setVariants({});
    plot.show(plotted, {});
    EXPECT_EQ(drawn().size(), before);
}

/// Whole MiB, not millions of bytes.
TEST(UnitTicker, TicksAreRoundInTheUnitThatIsShown)
{
    UnitTicker ticker;
    ticker.show(UnitTicker::Unit::Bytes, false);
    const QCPRange range(0.9 * 0x1p20, 7.8 * 0x1p20);
    ticker.suit(range.lower, range.upper);
    QVector<double> ticks;
    QVector<QString> labels;
    ticker.generate(range, QLocale::c(), QLatin1Char('f'), 2, ticks, nullptr, &labels);
    ASSERT_GE(ticks.size(), 3);
    for (const double tick : ticks)
        EXPECT_EQ(std::fmod(tick, 0x1p20), 0) << tick;
    for (const QString &label : labels)
        EXPECT_FALSE(label.contains(QLatin1Char('.'))) << label.toStdString();
}

} // namespace zigzag::test
