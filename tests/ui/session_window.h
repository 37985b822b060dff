// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/state/session_keeper.h"
#include "window_fixture.h"

#include <QComboBox>
#include <QSettings>

namespace zigzag::test {

/// The real window, which keeps its sessions in a folder of the test's.
class SessionWindowTest : public WindowTest
{
protected:
    static constexpr int patience = 60000; // ms; a loaded machine, a sanitizer

    /// A window as a person starts it, without anything open.
    void start()
    {
        auto prompts = std::make_unique<PreparedPrompts>();
        m_prompts = prompts.get();
        m_window = std::make_unique<MainWindow>(MainWindow::Parts{
            std::make_unique<EngineWorker>(), std::move(prompts),
            std::make_unique<QSettings>(QString::fromStdString((m_folder / "settings.ini").string()), QSettings::IniFormat),
            m_folder / "sessions"});
        m_window->resize(1200, 800);
        m_window->show();
        QCoreApplication::processEvents();
    }
    /// Without closing: nothing is saved any more.
    void crash() { m_window.reset(); }
    /// Until the file of the session is as wanted, and no longer than a person may lose.
    template <class Wanted> bool waitForSave(const Wanted &wanted)
    {
        return QTest::qWaitFor(
            [&] {
                const auto saved = readSession(m_window->keeper().path());
                return saved && wanted(saved->session);
            },
            patience);
    }
};

} // namespace zigzag::test
