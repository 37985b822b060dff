// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"
#include "window_fixture.h"

#include <QThread>
#include <atomic>
#include <set>

namespace zigzag::test {

/// Holds runs of the chosen names until they are released or cancelled; the others run on the engine.
class HeldWorker : public EngineWorker
{
public:
    explicit HeldWorker(std::set<std::string> runs)
        : m_runs(std::move(runs))
    { }
    std::atomic<bool> release = false;
    std::atomic<int> cancelled = 0;

    void execute(const RunRequest &request) override
    {
        if (!m_runs.contains(request.task))
            return EngineWorker::execute(request);
        Q_EMIT progressed(request.id, 0, QStringLiteral("held"));
        while (!release && !request.cancel->load())
            QThread::msleep(1);
        cancelled += request.cancel->load();
        Q_EMIT finished(request.id, {request.cancel->load() ? RunOutcome::Kind::Cancelled : RunOutcome::Kind::Done, {}});
    }

private:
    std::set<std::string> m_runs;
};

/// A window with a small model whose runs of the chosen names are held.
class HeldWindow : public WindowTest
{
protected:
    void hold(std::set<std::string> runs)
    {
        auto owned = std::make_unique<HeldWorker>(std::move(runs));
        m_held = owned.get();
        build(std::move(owned));
        ASSERT_TRUE(open(writeTinyModel(m_folder / "model", {.layers = 3, .maxContext = 256}))) << message().toStdString();
        ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->studio().loaded().has_value(); }, 180000));
        settle();
    }
    /// The window is the one that the keyboard speaks to.
    void activate()
    {
        m_window->activateWindow();
        ASSERT_TRUE(QTest::qWaitForWindowActive(m_window.get()));
    }
    /// Whether the page of this name is seen, and not the one of another tab.
    bool isInFront(const char *name) const
    {
        const auto *page = m_window->findChild<Page *>(QLatin1String(name));
        if (!page || !page->isVisible())
            return false;
        const QWidget *seen = m_window->childAt(page->mapTo(m_window.get(), page->rect().center()));
        return seen && (seen == page || page->isAncestorOf(seen));
    }
    /// Tabs change places in their own time.
    bool comesToFront(const char *name) const
    {
        return QTest::qWaitFor([this, name] { return isInFront(name); }, 5000);
    }
    HeldWorker *m_held = nullptr;
};

} // namespace zigzag::test
