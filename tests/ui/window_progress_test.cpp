// SPDX-License-Identifier: GPL-3.0-or-later
// Every run tells how long it still takes, whoever began it.

#include "window_fixture.h"

#include <QLabel>
#include <QTimer>

#include <map>

namespace zigzag::test {

TEST_F(WindowTest, EveryKindOfRunShowsTheTimeLeft)
{
    constexpr int patience = 180000; // ms; a loaded machine, a sanitizer
    qputenv("XDG_DATA_HOME", QByteArray::fromStdString((m_folder / "data").string())); // unfinished searches wait there
    std::map<QString, QString> last; // what the tool bar said of a run, by its title
    std::map<QString, bool> told;
    QString current;
    const auto *text = m_window->findChild<QLabel *>("progressText");
    const auto look = [&] {
        if (current.isEmpty() || text->text().isEmpty())
            return;
        told[current] |= text->text().contains(" left");
        last[current] = text->text();
    };
    const RunController &runs = m_window->runs();
    QObject::connect(&runs, &RunController::started, text, [&](const RunRequest &request) {
        current = request.title;
        look();
    });
    QObject::connect(&runs, &RunController::progressed, text, look);
    QObject::connect(&runs, &RunController::expected, text, look);
    QObject::connect(&runs, &RunController::finished, text, [&] { current.clear(); });
    QTimer clock; // the bar speaks between what the run says, too
    QObject::connect(&clock, &QTimer::timeout, text, look);
    clock.start(20);

    ASSERT_TRUE(open(writeTinyModel(m_folder / "model", {.layers = 3, .maxContext = 512}))) << message().toStdString();
    const auto idle = [&] { return m_window->studio().loaded() && !m_window->runs().isBusy(); };
    ASSERT_TRUE(QTest::qWaitFor(idle, patience)) << message().toStdString();
    const WindowActions &all = m_window->actions();
    const auto of = [this](const char *name) { return m_window->findChild<QAction *>(name); };
    for (QAction *run :
         {all.score, all.measure, all.needle, all.calibrate, of("recordTrace"), of("searchLayers"), of("sweepQuality")}) {
        m_window->refreshNow();
        ASSERT_TRUE(run->isEnabled()) << run->text().toStdString();
        run->trigger();
        ASSERT_TRUE(QTest::qWaitFor(idle, patience)) << message().toStdString();
    }
    std::erase_if(told, [](const auto &run) { return run.first.startsWith("Load"); }); // a moment here; window_cancel_test.cpp
    for (const auto &[run, known] : told)
        EXPECT_TRUE(known) << run.toStdString() << ": " << last[run].toStdString();
    EXPECT_EQ(told.size(), 7u);
}

} // namespace zigzag::test
