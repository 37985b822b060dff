// SPDX-License-Identifier: GPL-3.0-or-later
// The keyboard: Esc, shortcuts while text is typed, pages by number, the command palette.
#include "app/studio/pages/page.h"
#include "app/studio/pages/profile_page.h"
#include "held_window.h"
#include "profiler/trace/trace_file.h"
#include "trace_samples.h"
#include "views/widgets/timeline_view.h"

#include <QApplication>
#include <QDialog>
#include <QDockWidget>
#include <QLineEdit>
#include <QListWidget>
#include <QProgressBar>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTimer>
#include <QTreeWidget>

namespace zigzag::test {

namespace {

/// Opens a dialog that blocks, looks at it, and closes it.
void lookAt(QAction *action, const std::function<void(QDialog &)> &look)
{
    bool looked = false;
    QTimer::singleShot(0, qApp, [&] {
        auto *dialog = qobject_cast<QDialog *>(QApplication::activeModalWidget());
        ASSERT_TRUE(dialog);
        look(*dialog);
        looked = true;
        dialog->reject();
    });
    action->trigger();
    EXPECT_TRUE(looked);
}

} // namespace

class KeysWindow : public HeldWindow
{
protected:
    void press(QWidget *where, Qt::Key which, Qt::KeyboardModifiers keys = {})
    {
        where->setFocus();
        QTest::keyClick(where, which, keys);
        settle();
    }
    QStringList found(const QString &typed)
    {
        QStringList lines;
        lookAt(m_window->actions().palette, [&](QDialog &dialog) {
            dialog.findChild<QLineEdit *>()->setText(typed);
            const auto *list = dialog.findChild<QListWidget *>();
            for (int row = 0; row < list->count(); ++row)
                lines << list->item(row)->text().section(QLatin1Char('\t'), 0, 0);
        });
        return lines;
    }
};

TEST_F(KeysWindow, EscLeavesWhatHasTheFocusBeforeItStopsARun)
{
    hold({RunName::Calibrate, RunName::Score});
    ASSERT_TRUE(writeTrace(*sampleTrace(200, 3), m_folder / "sample.trace"));
    ASSERT_TRUE(open(m_folder / "sample.trace"));
    activate();
    ASSERT_TRUE(m_window->runs().isRunning(RunName::Calibrate));
    auto *search = m_window->findChild<QLineEdit *>("traceSearch");
    search->setText("attention");
    press(search, Qt::Key_Escape);
    EXPECT_TRUE(search->text().isEmpty());
    press(search, Qt::Key_Escape);
    EXPECT_FALSE(search->hasFocus());
    TimelineView &timeline = m_window->profile().timeline();
    timeline.setArea(TimeRange{0, 1000});
    press(&timeline, Qt::Key_Escape);
    EXPECT_FALSE(timeline.area());
    click(0, 0, Qt::ShiftModifier);
    ASSERT_TRUE(m_window->headMap().selectionModel()->hasSelection());
    press(&m_window->headMap(), Qt::Key_Escape);
    EXPECT_FALSE(m_window->headMap().selectionModel()->hasSelection());
    EXPECT_TRUE(m_window->runs().isRunning(RunName::Calibrate)) << "nothing has stopped it so far";
    press(&m_window->headMap(), Qt::Key_Escape);
    EXPECT_TRUE(m_window->runs().isRunning(RunName::Score)) << "there was nothing else to leave";

    // In the progress area it stops the run whatever is selected.
    click(0, 0, Qt::ShiftModifier);
    press(m_window->findChild<QProgressBar *>("progress"), Qt::Key_Escape);
    EXPECT_FALSE(m_window->runs().isBusy());
    EXPECT_TRUE(m_window->headMap().selectionModel()->hasSelection());
}

TEST_F(KeysWindow, EscInADialogLeavesTheDialogAlone)
{
    hold({RunName::Calibrate});
    activate();
    bool left = false;
    QTimer::singleShot(0, qApp, [&] {
        auto *dialog = qobject_cast<QDialog *>(QApplication::activeModalWidget());
        ASSERT_TRUE(dialog);
        QTest::keyClick(dialog, Qt::Key_Escape);
        left = !dialog->isVisible();
        dialog->reject();
    });
    m_window->actions().palette->trigger();
    EXPECT_TRUE(left);
    settle();
    EXPECT_TRUE(m_window->runs().isRunning(RunName::Calibrate)) << "the dialog was what there was to leave";
}

TEST_F(KeysWindow, ShortcutsOfTheWindowWorkWhileTextIsTyped)
{
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    ASSERT_TRUE(writeTrace(*sampleTrace(200, 4), m_folder / "sample.trace"));
    ASSERT_TRUE(open(m_folder / "sample.trace"));
    activate();
    auto *search = m_window->findChild<QLineEdit *>("traceSearch");
    QSignalSpy exported(m_window->actions().exportMap, &QAction::triggered);
    press(search, Qt::Key_E, Qt::ControlModifier);
    EXPECT_EQ(exported.count(), 1);
    auto *number = m_window->findChild<QSpinBox *>();
    ASSERT_TRUE(number);
    press(number, Qt::Key_E, Qt::ControlModifier);
    EXPECT_EQ(exported.count(), 2);
    press(search, Qt::Key_2, Qt::AltModifier);
    EXPECT_TRUE(comesToFront("plots"));

    // What edits text stays with the text.
    search->setText("attention");
    press(search, Qt::Key_A, Qt::ControlModifier);
    EXPECT_EQ(search->selectedText(), "attention");
    EXPECT_FALSE(m_window->headMap().selectionModel()->hasSelection());
    press(search, Qt::Key_End);
    press(search, Qt::Key_S);
    EXPECT_EQ(search->text(), "attentions");
}

TEST_F(KeysWindow, TheViewMenuShowsAPageAndNeverClosesOne)
{
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    activate();
    QAction *profile = m_window->findChild<QAction *>("show_profile");
    QAction *quality = m_window->findChild<QAction *>("show_quality");
    ASSERT_TRUE(profile && quality);
    for (int time = 0; time < 3; ++time) {
        profile->trigger();
        settle();
        EXPECT_TRUE(comesToFront("profile")) << time;
    }
    quality->trigger();
    settle();
    EXPECT_TRUE(comesToFront("quality"));
    EXPECT_FALSE(isInFront("profile"));
    m_window->findChild<QDockWidget *>("profileDock")->close();
    settle();
    press(&m_window->headMap(), Qt::Key_3, Qt::AltModifier);
    EXPECT_TRUE(comesToFront("profile")) << "a closed one comes back, in front";
    EXPECT_TRUE(m_window->profile().timeline().hasFocus());
    press(&m_window->profile().timeline(), Qt::Key_0, Qt::AltModifier);
    EXPECT_TRUE(m_window->headMap().hasFocus());
}

TEST_F(KeysWindow, ThePaletteShowsAPageAndNeverClosesOne)
{
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    activate();
    const auto choose = [this](const QString &typed) {
        QTimer::singleShot(0, qApp, [&] {
            auto *dialog = qobject_cast<QDialog *>(QApplication::activeModalWidget());
            ASSERT_TRUE(dialog);
            auto *input = dialog->findChild<QLineEdit *>();
            QTest::keyClicks(input, typed);
            QTest::keyClick(input, Qt::Key_Return);
        });
        m_window->actions().palette->trigger();
        settle();
    };
    for (int time = 0; time < 3; ++time) {
        choose("page needle");
        EXPECT_TRUE(comesToFront("needle")) << time;
    }
    choose("page profile");
    EXPECT_TRUE(comesToFront("profile"));
    choose("page needle");
    EXPECT_TRUE(comesToFront("needle")) << "behind another tab, and not closed";
}

TEST_F(KeysWindow, EveryPageHasAShortcutAndTheListOfKeysHasThem)
{
    QStringList keys, what;
    lookAt(m_window->actions().shortcuts, [&](QDialog &dialog) {
        const auto *list = dialog.findChild<QTreeWidget *>();
        for (int row = 0; row < list->topLevelItemCount(); ++row) {
            keys << list->topLevelItem(row)->text(0);
            what << list->topLevelItem(row)->text(1);
        }
    });
    for (const Page *page : m_window->findChildren<Page *>()) {
        const qsizetype row = what.indexOf("Page: " + page->windowTitle());
        ASSERT_GE(row, 0) << page->windowTitle().toStdString();
        EXPECT_TRUE(keys[row].startsWith("Alt+")) << keys[row].toStdString();
    }
    EXPECT_EQ(keys.filter("Timeline").size(), 5);
    EXPECT_EQ(keys.filter("Esc").size(), 1);
}

TEST_F(KeysWindow, ThePaletteFindsByOtherNamesAndTheBestFirst)
{
    EXPECT_TRUE(found("pare").join('\n').contains("weep quality"));
    EXPECT_EQ(found("quality").first(), "Page: Quality and speed");
    EXPECT_TRUE(found("open").contains("Open built-in model: bundled:zigzag-tiny"));
    EXPECT_TRUE(found("llama").join('\n').contains("preset:"));
    EXPECT_EQ(found("stop").first(), "Cancel");
    EXPECT_TRUE(found("xyzzy").isEmpty());
    ASSERT_TRUE(m_window->open("bundled:zigzag-tiny")) << message().toStdString(); // it is among the recent ones now
    QStringList all = found({});
    EXPECT_EQ(all.removeDuplicates(), 0);
    EXPECT_EQ(all.filter("zigzag-tiny").size(), 1) << all.filter("zigzag-tiny").join('\n').toStdString();
}

} // namespace zigzag::test
