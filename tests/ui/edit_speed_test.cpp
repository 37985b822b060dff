// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/cost_plot.h"
#include "views/widgets/plots_panel.h"
#include "window_fixture.h"

#include <QElapsedTimer>
#include <QKeyEvent>
#include <QSlider>

#include <algorithm>
#include <iostream>
#include <set>

namespace zigzag::test {

TEST_F(WindowTest, AnEditReachesEveryPlot)
{
    // No limit here: time is printed, machines differ. What is checked is that every plot was drawn anew.
    ASSERT_TRUE(m_window->open(QStringLiteral("bundled:zigzag-tiny"))) << message().toStdString();
    ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->plotted().hasTimes() && m_window->document().state().scores; }, 240000));
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

TEST_F(WindowTest, KeysOnTheSliderOfALargeMapAreDrawnTogether)
{
    // 80 layers of 8 heads, as Llama-3-70B has them. No limit in time: it is printed. What is checked is how often is drawn.
    constexpr int layers = 80, heads = 8, keys = 25;
    ASSERT_TRUE(open(savedMap(fullMap(layers, heads))));
    m_window->document().setScores(risingScores(layers, heads));
    settle();
    auto *slider = m_window->findChild<QSlider *>("sparsitySlider");
    ASSERT_TRUE(slider);
    int refreshed = 0, drawn = 0;
    QObject::connect(&m_window->studio(), &Studio::refreshed, [&refreshed] { ++refreshed; });
    QObject::connect(m_window->plots().plots()[0], &QCustomPlot::afterReplot, [&drawn] { ++drawn; });
    const auto press = [slider] {
        for (const QEvent::Type type : {QEvent::KeyPress, QEvent::KeyRelease})
            QCoreApplication::postEvent(slider, new QKeyEvent(type, Qt::Key_Right, Qt::NoModifier));
    };
    QElapsedTimer clock;
    std::vector<double> times;
    for (int key = 0; key < keys; ++key) {
        clock.restart();
        press();
        while (refreshed <= key && clock.elapsed() < 10000)
            QCoreApplication::processEvents();
        settle();
        times.push_back(static_cast<double>(clock.nsecsElapsed()) * 1e-6);
    }
    EXPECT_EQ(slider->value(), keys);
    EXPECT_EQ(refreshed, keys);
    EXPECT_LT(drawn, keys + keys / 2) << "one drawing for a key, and one more where the legend takes another line";
    std::sort(times.begin(), times.end());
    std::cout << "key to window, 80 x 8 heads: median " << times[keys / 2] << " ms, most " << times.back() << " ms\n";

    // A keyboard that repeats faster than the window draws: what has come in is one drawing.
    refreshed = drawn = 0;
    clock.restart();
    for (int key = 0; key < keys; ++key)
        press();
    while (slider->value() < 2 * keys && clock.elapsed() < 10000)
        QCoreApplication::processEvents();
    settle();
    std::cout << keys << " keys at once: " << static_cast<double>(clock.nsecsElapsed()) * 1e-6 << " ms\n";
    EXPECT_LE(refreshed, 3);
    EXPECT_LE(drawn, 4);
    EXPECT_EQ(m_window->document().undoStack().count(), 2) << "the scores, and one journey";
}

} // namespace zigzag::test
