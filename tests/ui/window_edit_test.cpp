// SPDX-License-Identifier: GPL-3.0-or-later
#include "window_fixture.h"

#include <QDoubleSpinBox>
#include <QLabel>
#include <QPushButton>
#include <QSlider>
#include <QSpinBox>

namespace zigzag::test {

TEST_F(WindowTest, ADragOverHeadsIsOneUndo)
{
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    EXPECT_FALSE(m_window->isWindowModified());
    drag(cell(1, 0), cell(1, 3));
    EXPECT_EQ(map().layerKind(1), LayerKind::Streaming);
    EXPECT_EQ(map().streamingHeads(), 4);
    EXPECT_TRUE(m_window->isWindowModified());
    drag(cell(4, 2), cell(7, 2));
    EXPECT_EQ(map().streamingHeads(), 8);
    EXPECT_EQ(map().at(6, 2), HeadKind::Streaming) << "cells between two mouse events are touched as well";

    m_window->actions().undo->trigger();
    EXPECT_EQ(map().streamingHeads(), 4);
    m_window->actions().undo->trigger();
    EXPECT_EQ(map(), fullMap(8, 4));
    EXPECT_FALSE(m_window->isWindowModified());
    m_window->actions().redo->trigger();
    EXPECT_EQ(map().layerKind(1), LayerKind::Streaming);

    drag(cell(1, 1), cell(1, 2));
    EXPECT_EQ(map().streamingHeads(), 2) << "a drag that begins on a streaming head lets heads retrieve";
}

TEST_F(WindowTest, KeysActOnTheSelectionAndDoubleClickOnTheLayer)
{
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    click(2, 1);
    EXPECT_EQ(map().at(2, 1), HeadKind::Streaming) << "a click flips";
    click(4, 3, Qt::ShiftModifier);
    EXPECT_EQ(map().streamingHeads(), 1) << "with Shift it selects: rows 2 to 4, heads 1 to 3";
    EXPECT_EQ(m_window->headMap().targets().size(), 9);
    key(Qt::Key_S);
    EXPECT_EQ(map().streamingHeads(), 9);
    key(Qt::Key_R);
    EXPECT_EQ(map().streamingHeads(), 0);
    key(Qt::Key_Space);
    EXPECT_EQ(map().streamingHeads(), 9);
    EXPECT_EQ(m_window->document().undoStack().count(), 4);

    key(Qt::Key_Down);
    key(Qt::Key_Right);
    EXPECT_EQ(m_window->headMap().targets().size(), 1) << "an arrow moves on and drops the selection";
    QTest::mouseDClick(m_window->headMap().viewport(), Qt::LeftButton, {}, m_window->headMap().visibleLayer(7).center());
    EXPECT_EQ(map().layerKind(7), LayerKind::Streaming);
    EXPECT_FALSE(m_window->headMap().accessibleDescription().isEmpty());
}

TEST_F(WindowTest, AssignPanelAssignsAtOnceAndShowsWhatItCosts)
{
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    m_window->document().setScores(risingScores(8, 4));
    settle();
    auto *slider = m_window->findChild<QSlider *>("sparsitySlider");
    auto *sparsity = m_window->findChild<QDoubleSpinBox *>("sparsity");
    ASSERT_TRUE(slider && sparsity);
    const int before = m_window->document().undoStack().count();
    slider->setSliderDown(true);
    for (const int value : {30, 40, 25})
        slider->setValue(value);
    slider->setSliderDown(false);
    settle();
    EXPECT_EQ(map().streamingHeads(), 8);
    EXPECT_TRUE(map().isExclusive());
    EXPECT_DOUBLE_EQ(sparsity->value(), 25);
    EXPECT_EQ(m_window->document().undoStack().count(), before + 1) << "one journey of the slider";
    EXPECT_EQ(m_window->findChild<QLabel *>("streamingHeads")->text(), "8 of 32 (25 %)");
    EXPECT_EQ(m_window->findChild<QLabel *>("flipped")->text(), "0");
    EXPECT_EQ(m_window->findChild<QLabel *>("ties")->text(), "0");

    m_window->findChild<QSpinBox *>("recent")->setValue(100);
    settle();
    EXPECT_EQ(map().oneWindow()->recent, 100);
    m_window->actions().undo->trigger();
    EXPECT_EQ(map().oneWindow()->recent, 60);
    settle();
    EXPECT_EQ(m_window->findChild<QSpinBox *>("recent")->value(), 60);

    m_window->document().setKind({{7, 0}, {6, 0}, {5, 0}, {4, 0}}, HeadKind::Streaming);
    settle();
    EXPECT_EQ(m_window->findChild<QLabel *>("mixedLayers")->text(), "4");
    EXPECT_EQ(m_window->findChild<QLabel *>("ties")->text(), "–") << "the map is no longer what was assigned";
    m_window->findChild<QPushButton *>("exclusive")->click();
    EXPECT_TRUE(map().isExclusive());
    EXPECT_EQ(map().streamingHeads(), 12);
}

TEST_F(WindowTest, AWindowPerLayerIsShownAsSuchAndKeptWhenAssigned)
{
    HeadMap windows = fullMap(8, 4);
    windows.setLayerWindow(3, 1, 20);
    ASSERT_TRUE(open(savedMap(windows)));
    m_window->document().setScores(risingScores(8, 4));
    settle();
    auto *sink = m_window->findChild<QSpinBox *>("sink"), *recent = m_window->findChild<QSpinBox *>("recent");
    ASSERT_TRUE(sink && recent);
    EXPECT_EQ(sink->text(), "per layer");
    EXPECT_EQ(recent->text(), "per layer");
    m_window->findChild<QSlider *>("sparsitySlider")->setValue(50);
    settle();
    EXPECT_EQ(map().streamingHeads(), 16);
    EXPECT_EQ(map().windows(), windows.windows());
    for (const Series series : {Series::Duo, Series::Zigzag, Series::Full})
        EXPECT_EQ(m_window->plotted().map(series)->windows(), windows.windows());

    recent->setValue(100); // what is asked for here is every layer's
    settle();
    EXPECT_EQ(map().oneWindow(), (StreamingWindow{defaultSink, 100}));
    EXPECT_EQ(sink->value(), defaultSink);
    m_window->actions().undo->trigger();
    settle();
    EXPECT_EQ(map().windows(), windows.windows());
    EXPECT_EQ(recent->text(), "per layer");
}

TEST_F(WindowTest, LockedLayersStayWhenAssigned)
{
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    m_window->document().setScores(risingScores(8, 4));
    settle();
    click(0, 0);
    m_window->actions().undo->trigger();
    key(Qt::Key_L);
    m_window->findChild<QSlider *>("sparsitySlider")->setValue(75);
    settle();
    EXPECT_EQ(map().layerKind(0), LayerKind::Retrieval);
    EXPECT_EQ(map().layerKind(1), LayerKind::Streaming);
}

TEST_F(WindowTest, EveryMenuEntryHasATextAndTheHeadlineFollowsAnEdit)
{
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    const QString before = m_window->headline().text();
    EXPECT_TRUE(before.contains("KV")) << before.toStdString();
    EXPECT_FALSE(before.contains("TPOT")) << "no model, no times";
    m_window->document().toggleLayer(0);
    settle();
    EXPECT_NE(m_window->headline().text(), before);
    for (const QAction *action : m_window->findChildren<QAction *>())
        EXPECT_TRUE(action->isSeparator() || !action->text().isEmpty() || !action->objectName().isEmpty()
                    || action->parent() != m_window.get());
    EXPECT_FALSE(m_window->actions().measure->isEnabled());
    EXPECT_FALSE(m_window->actions().needle->isEnabled());
}

} // namespace zigzag::test
