// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/cost_plot.h"
#include "views/widgets/plots_panel.h"
#include "window_fixture.h"

#include <QElapsedTimer>

#include <algorithm>
#include <iostream>
#include <set>

namespace zigzag::test {

TEST_F(WindowTest, AnEditReachesEveryPlot)
{
    // No limit here: time is printed, machines differ. What is checked is that every plot was drawn anew.
    ASSERT_TRUE(m_window->open(QStringLiteral("bundled:zigzag-tiny"))) << message().toStdString();
    ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->study().hasTimes() && m_window->document().state().scores; }, 240000));
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, 240000));
    settle();
    std::set<const CostPlot *> drawn;
    for (CostPlot *plot : m_window->plots().plots())
        QObject::connect(plot, &QCustomPlot::afterReplot, [&drawn, plot] { drawn.insert(plot); });
    std::vector<double> times;
    for (int edit = 0; edit < 41; ++edit) {
        drawn.clear();
        QElapsedTimer clock;
        clock.start();
        m_window->document().toggle({{edit % 8, edit % 4}});
        while (drawn.size() < 3 && clock.elapsed() < 10000)
            QCoreApplication::processEvents();
        times.push_back(static_cast<double>(clock.nsecsElapsed()) * 1e-6);
        EXPECT_EQ(drawn.size(), 3u);
    }
    std::sort(times.begin(), times.end());
    std::cout << "edit to plots: median " << times[times.size() / 2] << " ms, 90th percentile " << times[times.size() * 9 / 10]
              << " ms, most " << times.back() << " ms\n";
}

} // namespace zigzag::test
