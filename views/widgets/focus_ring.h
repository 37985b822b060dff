// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QObject>
#include <QPointer>
#include <QRect>

class QFocusFrame;

namespace zigzag {

/// The part of a widget that its window shows, in the widget's coordinates, whatever lies over it. (QWidget::visibleRegion leaves
/// out what opaque children cover, which is all of a scroll area; and pages behind other tabs call themselves visible.)
QRect shownPart(const QWidget &widget);

/// Shows in every window of the program where the keyboard is: a frame round the widget that has it, whatever kind of widget that
/// is, with a contrast of at least 3 : 1 to what was there before and to what lies beside it. Widgets need not paint one.
class FocusRing : public QObject
{
public:
    /// From now on, and once, however often it is called.
    static void install();
    /// Where of a widget the frame lies, in the widget's coordinates: round it, or within it where there is no room round it.
    static QRect placeOf(const QWidget &widget);
    /// Scrolls whatever the widget lies in until it can be seen.
    static void bringIntoSight(QWidget &widget);
    static constexpr int width = 3; ///< two of the highlight's colour, and within them one of the ground's

    bool eventFilter(QObject *watched, QEvent *event) override;

private:
    explicit FocusRing(QObject *parent);
    void follow(QWidget *focus);
    void place();

    QPointer<QWidget> m_focus;
    QList<QPointer<QWidget>> m_watched; // the focus and all that it lies in
    QPointer<QFocusFrame> m_frame; // in the focus's window, which takes it along when it goes
};

} // namespace zigzag
