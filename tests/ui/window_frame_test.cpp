// SPDX-License-Identifier: GPL-3.0-or-later
// The frame: pages in docks, their places, and layers that are selected everywhere at once.
#include "app/studio/pages/page.h"
#include "window_fixture.h"

#include <QDockWidget>
#include <QLabel>
#include <QMenuBar>
#include <set>

namespace zigzag::test {

namespace {

std::unique_ptr<MainWindow> windowThatRemembers(const QString &settings)
{
    return std::make_unique<MainWindow>(MainWindow::Parts{std::make_unique<EngineWorker>(), std::make_unique<PreparedPrompts>(),
                                                          std::make_unique<QSettings>(settings, QSettings::IniFormat)});
}

} // namespace

TEST(LayerSelection, SaysOnlyWhatDiffers)
{
    LayerSelection selection;
    int heard = 0;
    QObject::connect(&selection, &LayerSelection::changed, [&heard] { ++heard; });
    selection.set({3, 1, 3, -1});
    EXPECT_EQ(selection.layers(), (std::vector<int>{1, 3}));
    EXPECT_TRUE(selection.contains(3));
    EXPECT_FALSE(selection.contains(2));
    selection.set({1, 3});
    EXPECT_EQ(heard, 1);
    selection.clear();
    EXPECT_EQ(heard, 2);
}

TEST_F(WindowTest, EveryPageHasADockATitleAndAnEntryInTheViewMenu)
{
    std::set<QString> titles;
    for (const QDockWidget *dock : m_window->findChildren<QDockWidget *>()) {
        EXPECT_TRUE(dock->objectName().endsWith("Dock")) << dock->objectName().toStdString();
        EXPECT_TRUE(titles.insert(dock->windowTitle()).second) << "two docks called " << dock->windowTitle().toStdString();
        EXPECT_TRUE(qobject_cast<Page *>(dock->widget()));
    }
    EXPECT_GE(titles.size(), 3u);
    std::set<QString> names;
    for (const Page *page : m_window->findChildren<Page *>())
        for (const QAction *action : page->actions()) {
            EXPECT_FALSE(action->text().isEmpty());
            EXPECT_TRUE(names.insert(action->objectName()).second) << action->objectName().toStdString();
        }
}

TEST_F(WindowTest, ALayerSelectedInTheMapIsSelectedEverywhereAndBack)
{
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    QTest::mouseClick(m_window->headMap().viewport(), Qt::LeftButton, {}, m_window->headMap().visibleLayer(3).center());
    EXPECT_EQ(m_window->studio().selection().layers(), std::vector<int>{3});
    m_window->studio().selection().set({5, 6});
    EXPECT_EQ(m_window->headMap().selectedLayers(), (std::vector<int>{5, 6}));
    EXPECT_EQ(m_window->headMap().targets().size(), 8);
    click(1, 0, Qt::ControlModifier);
    EXPECT_EQ(m_window->studio().selection().layers(), (std::vector<int>{1, 5, 6}));
    EXPECT_EQ(m_window->headMap().targets().size(), 9) << "a part of a layer stays a part";
    ASSERT_TRUE(open(savedMap(fullMap(4, 4), "other.json")));
    EXPECT_TRUE(m_window->studio().selection().isEmpty());
}

TEST_F(WindowTest, TheLayoutIsRememberedAndCanBeReset)
{
    const QString settings = QString::fromStdString((m_folder / "settings.ini").string());
    {
        auto window = windowThatRemembers(settings);
        window->show();
        window->findChild<QDockWidget *>("assignDock")->hide();
        window->removeDockWidget(window->findChild<QDockWidget *>("plotsDock"));
        window->addDockWidget(Qt::LeftDockWidgetArea, window->findChild<QDockWidget *>("plotsDock"));
        window->findChild<QDockWidget *>("plotsDock")->show();
        ASSERT_TRUE(window->close());
    }
    auto window = windowThatRemembers(settings);
    window->show();
    settle();
    auto *assign = window->findChild<QDockWidget *>("assignDock");
    auto *plots = window->findChild<QDockWidget *>("plotsDock");
    EXPECT_FALSE(assign->isVisible());
    EXPECT_EQ(window->dockWidgetArea(plots), Qt::LeftDockWidgetArea);
    window->actions().resetLayout->trigger();
    settle();
    EXPECT_TRUE(assign->isVisible());
    EXPECT_EQ(window->dockWidgetArea(plots), Qt::RightDockWidgetArea);
    assign->hide();
    window->showPage("assign");
    EXPECT_TRUE(assign->isVisible());
}

} // namespace zigzag::test
