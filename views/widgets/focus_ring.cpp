// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/focus_ring.h"

#include <QAbstractScrollArea>
#include <QApplication>
#include <QEvent>
#include <QFocusFrame>
#include <QPaintEvent>
#include <QPainter>
#include <QScrollArea>
#include <QTabBar>

#include <algorithm>

namespace zigzag {

namespace {

/// One of Qt's, because assistive technology is not told of those; where it lies and how it looks is ours.
class Frame : public QFocusFrame
{
public:
    explicit Frame(QWidget *parent)
        : QFocusFrame(parent)
    {
        setObjectName(QStringLiteral("focusRing"));
    }

protected:
    void paintEvent(QPaintEvent *) override
    {
        QPainter painter(this);
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(palette().color(QPalette::Active, QPalette::Highlight), 2));
        painter.drawRect(QRectF(rect()).adjusted(1, 1, -1, -1));
        // What lies within may have the highlight's colour itself: a chosen row, a cell of a picture.
        painter.setPen(QPen(palette().color(QPalette::Active, QPalette::Base), 1));
        painter.drawRect(QRectF(rect()).adjusted(2.5, 2.5, -2.5, -2.5));
    }
};

/// The part of a widget that has the keyboard.
QRect partOf(const QWidget &widget)
{
    if (const auto *tabs = qobject_cast<const QTabBar *>(&widget); tabs && tabs->currentIndex() >= 0)
        return tabs->tabRect(tabs->currentIndex()) & tabs->rect();
    return widget.rect();
}

enum class Cuts {
    Everything, ///< that a widget lies in
    Scrolled ///< parts of what is scrolled, and the window: a frame may lie over the edge of a group of widgets
};

/// What is left of a rectangle of a widget within those that it lies in.
QRect clipped(QRect part, const QWidget &widget, Cuts cuts)
{
    for (const QWidget *each = &widget; !each->isWindow() && each->parentWidget(); each = each->parentWidget()) {
        const QWidget *outer = each->parentWidget();
        const auto *scrolled = qobject_cast<const QAbstractScrollArea *>(outer->parentWidget());
        if (cuts == Cuts::Everything || outer->isWindow() || (scrolled && scrolled->viewport() == outer))
            part &= QRect(widget.mapFrom(outer, QPoint()), outer->size());
    }
    return part;
}

} // namespace

QRect shownPart(const QWidget &widget)
{
    return widget.isVisible() ? clipped(widget.rect(), widget, Cuts::Everything) : QRect();
}

void FocusRing::install()
{
    static QPointer<FocusRing> one;
    if (!one)
        one = new FocusRing(qApp);
}

FocusRing::FocusRing(QObject *parent)
    : QObject(parent)
{
    connect(qApp, &QApplication::focusChanged, this, [this](QWidget *, QWidget *now) { follow(now); });
    follow(QApplication::focusWidget());
}

QRect FocusRing::placeOf(const QWidget &widget)
{
    constexpr int outside = 2; // layouts leave more than that between widgets
    return clipped(partOf(widget).adjusted(-outside, -outside, outside, outside), widget, Cuts::Scrolled);
}

void FocusRing::bringIntoSight(QWidget &widget)
{
    for (QWidget *outer = widget.parentWidget(); outer; outer = outer->parentWidget())
        if (auto *scrolled = qobject_cast<QScrollArea *>(outer))
            scrolled->ensureWidgetVisible(&widget);
}

void FocusRing::follow(QWidget *focus)
{
    for (const QPointer<QWidget> &each : std::as_const(m_watched))
        if (each)
            each->removeEventFilter(this);
    m_watched.clear();
    m_focus = focus;
    for (QWidget *each = focus; each; each = each->isWindow() ? nullptr : each->parentWidget()) {
        each->installEventFilter(this);
        m_watched << each;
    }
    if (auto *tabs = qobject_cast<QTabBar *>(focus))
        connect(tabs, &QTabBar::currentChanged, this, &FocusRing::place, Qt::UniqueConnection);
    place();
}

void FocusRing::place()
{
    QWidget *window = m_focus ? m_focus->window() : nullptr;
    const QRect place = m_focus ? placeOf(*m_focus) : QRect();
    // A list that drops down, or a menu, shows itself what is chosen. A window that is focused as a whole has its own frame.
    if (!window || m_focus == window || window->windowType() == Qt::Popup || shownPart(*m_focus).isEmpty()
        || place.width() < 2 * width || place.height() < 2 * width) {
        if (m_frame)
            m_frame->hide();
        return;
    }
    if (!m_frame || m_frame->parentWidget() != window) {
        delete m_frame;
        m_frame = new Frame(window);
    }
    const QRect inWindow(m_focus->mapTo(window, place.topLeft()), place.size());
    if (m_frame->geometry() != inWindow) {
        m_frame->setGeometry(inWindow);
        const QRect all(QPoint(), inWindow.size());
        // Nothing of it lies over what it frames, which then is painted as if there were none.
        m_frame->setMask(QRegion(all) - QRegion(all.adjusted(width, width, -width, -width)));
    }
    m_frame->show();
    m_frame->raise();
}

bool FocusRing::eventFilter(QObject *watched, QEvent *event)
{
    switch (event->type()) {
    case QEvent::ParentChange: // it lies in others now
        follow(m_focus);
        break;
    case QEvent::Move:
    case QEvent::Resize:
    case QEvent::Show:
    case QEvent::Hide:
    case QEvent::LayoutRequest:
    case QEvent::ZOrderChange:
        place();
        break;
    default:
        break;
    }
    return QObject::eventFilter(watched, event);
}

} // namespace zigzag
