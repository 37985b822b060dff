// SPDX-License-Identifier: GPL-3.0-or-later
// The window without a mouse: Tab comes to every control of every page, and whoever has the keyboard is seen to have it.
#include "app/studio/pages/page.h"
#include "held_window.h"
#include "views/models/colors.h"

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAbstractSpinBox>
#include <QAccessible>
#include <QComboBox>
#include <QDockWidget>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSlider>
#include <QToolBar>

#include <algorithm>

namespace zigzag::test {

namespace {

constexpr double leastContrast = 3; // WCAG 2.2, of what tells one state from another

/// What a hand would use. A button of the tool bar does what a menu's entry does, and a dock's frame is moved by the mouse alone.
bool isControl(const QWidget &widget)
{
    const bool isKind = qobject_cast<const QAbstractButton *>(&widget) || qobject_cast<const QComboBox *>(&widget)
        || qobject_cast<const QAbstractSpinBox *>(&widget) || qobject_cast<const QSlider *>(&widget)
        || qobject_cast<const QAbstractItemView *>(&widget) || qobject_cast<const QPlainTextEdit *>(&widget)
        || (qobject_cast<const QLineEdit *>(&widget) && !widget.focusProxy());
    if (!isKind || !widget.isEnabled() || !widget.isVisible() || widget.visibleRegion().isEmpty())
        return false;
    for (const QWidget *each = widget.parentWidget(); each; each = each->parentWidget())
        if (qobject_cast<const QToolBar *>(each) || qobject_cast<const QAbstractItemView *>(each)
            || qobject_cast<const QComboBox *>(each) || qobject_cast<const QLineEdit *>(each))
            return false;
    return !widget.inherits("QDockWidgetTitleButton") && !widget.inherits("QTableCornerButton");
}

std::string nameOf(const QWidget &widget)
{
    const QAccessibleInterface *known = QAccessible::queryAccessibleInterface(const_cast<QWidget *>(&widget));
    return std::string(widget.metaObject()->className()) + ' ' + widget.objectName().toStdString() + " “"
        + (known ? known->text(QAccessible::Name).toStdString() : std::string()) + "”";
}

/// The largest difference that a pixel of the widget makes.
double contrastBetween(const QImage &a, const QImage &b)
{
    double most = 1;
    for (int y = 0; y < std::min(a.height(), b.height()); ++y)
        for (int x = 0; x < std::min(a.width(), b.width()); ++x)
            if (a.pixel(x, y) != b.pixel(x, y))
                most = std::max(most, contrastRatio(a.pixelColor(x, y), b.pixelColor(x, y)));
    return most;
}

class FocusTest : public HeldWindow, public testing::WithParamInterface<Theme>
{
protected:
    void SetUp() override
    {
        hold({RunName::Calibrate, RunName::Score, RunName::Measure});
        m_window->document().setScores(risingScores(3, 2));
        m_window->setTheme(GetParam());
        m_window->setAnimated(false);
        m_window->resize(1440, 900);
        activate();
    }
    void TearDown() override { m_window->setTheme(Theme::Light); }

    /// Everything that Tab comes to from where the keyboard is, until it comes round.
    std::set<QWidget *> walked()
    {
        std::set<QWidget *> met;
        constexpr int most = 300;
        for (int step = 0; step < most; ++step) {
            QWidget *focus = QApplication::focusWidget();
            if (!focus || !met.insert(focus).second)
                return met;
            QTest::keyClick(focus, Qt::Key_Tab);
            settle();
        }
        ADD_FAILURE() << "Tab does not come round";
        return met;
    }
    void expectSeen(QWidget &control)
    {
        control.setFocus(Qt::TabFocusReason);
        settle();
        ASSERT_TRUE(control.hasFocus()) << nameOf(control);
        const QImage with = control.grab().toImage();
        control.clearFocus();
        settle();
        EXPECT_GE(contrastBetween(with, control.grab().toImage()), leastContrast) << nameOf(control);
    }
};

} // namespace

TEST_P(FocusTest, TabComesToEveryControlAndItIsSeen)
{
    std::set<QWidget *> seen;
    for (const QDockWidget *dock : m_window->findChildren<QDockWidget *>()) {
        SCOPED_TRACE(dock->windowTitle().toStdString());
        m_window->showPage(dock->widget()->objectName());
        m_window->refreshNow();
        settle();
        const std::set<QWidget *> met = walked();
        for (QWidget *each : m_window->findChildren<QWidget *>()) {
            if (!isControl(*each))
                continue;
            EXPECT_TRUE(met.contains(each) || (each->focusProxy() && met.contains(each->focusProxy()))) << nameOf(*each);
            const QAccessibleInterface *known = QAccessible::queryAccessibleInterface(each);
            EXPECT_FALSE(known->text(QAccessible::Name).isEmpty() && known->text(QAccessible::Value).isEmpty()) << nameOf(*each);
        }
        for (QWidget *each : met)
            if (each->isVisible() && seen.insert(each).second)
                expectSeen(*each);
    }
    EXPECT_GT(seen.size(), 30u);
}

INSTANTIATE_TEST_SUITE_P(Themes, FocusTest, testing::Values(Theme::Light, Theme::Dark),
                         [](const auto &named) { return zigzag::nameOf(named.param).toStdString(); });

} // namespace zigzag::test
