// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/main_window.h"
#include "person.h"
#include "screen.h"
#include "tests/temp_folder.h"

#include <QAction>
#include <QApplication>
#include <QLabel>
#include <gtest/gtest.h>
#include <memory>

namespace zigzag::test {

inline constexpr const char *bundled = "bundled:zigzag-tiny";

// What somebody sees: asked in the window's thread.

inline bool isDialog(const QString &title)
{
    const QWidget *modal = QApplication::activeModalWidget();
    return modal && modal->windowTitle() == title;
}

inline bool hasNoDialog()
{
    return !QApplication::activeModalWidget();
}

/// What a label says, empty while it is not shown.
inline QString said(const QString &label)
{
    for (QWidget *each : QApplication::allWidgets())
        if (auto *found = qobject_cast<QLabel *>(each); found && found->objectName() == label && found->isVisible())
            return found->text();
    return {};
}

/// The program's own window, with its own dialogs, as it begins for somebody who starts it; and that somebody.
class TaskTest : public testing::Test
{
public:
    static inline bool hasScreen = false; ///< set once, before any test

protected:
    /// Opens what the program would be started with, and waits until it has come to rest: that is no action yet.
    void start(const QString &file)
    {
        if (!hasScreen)
            GTEST_SKIP() << "needs a screen with real events: install xvfb and xdotool";
        m_window = std::make_unique<MainWindow>(
            MainWindow::Parts{std::make_unique<EngineWorker>(), std::make_unique<DialogPrompts>(), nullptr});
        m_window->setTheme(Theme::Light);
        m_window->setAnimated(false);
        m_window->setGeometry(0, 0, 1440, 880);
        m_window->show();
        m_window->activateWindow();
        constexpr double mostSeconds = 25; // of all runs, before those that others disturb are cut short
        m_window->studio().setJobTime(JobTime(mostSeconds));
        ASSERT_TRUE(m_window->open(file));
        m_person = std::make_unique<Person>(*m_window, hasScreen);
    }
    Person &person() { return *m_person; }
    MainWindow &window() { return *m_window; }
    QString path(const char *name) const { return QString::fromStdString((m_folder / name).string()); }
    bool isIdle() const { return !m_window->runs().isBusy(); }
    bool isReady() const { return isIdle() && m_window->studio().loaded() && m_window->document().state().scores; }
    /// The keys that the window says for an action.
    QString shortcutOf(const char *action)
    {
        return m_person->ask([&] {
            const auto *found = m_window->findChild<QAction *>(QLatin1String(action));
            return found ? found->shortcut().toString(QKeySequence::PortableText) : QString();
        });
    }
    const HeadMap &map() const { return m_window->document().map(); }
    /// Prints what was counted, and holds it to what it was when this was written.
    void expectActions(const char *task, const char *by, int most)
    {
        if (HasFailure())
            return;
        std::printf("actions  %-52s %-12s %3d\n", task, by, m_person->actions());
        EXPECT_LE(m_person->actions(), most) << task << ", " << by;
    }

    TempFolder m_folder;
    std::unique_ptr<MainWindow> m_window;
    std::unique_ptr<Person> m_person;
};

} // namespace zigzag::test
