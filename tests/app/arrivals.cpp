// SPDX-License-Identifier: GPL-3.0-or-later
#include "arrivals.h"

#include <QCoreApplication>
#include <QKeyEvent>

namespace zigzag::test {

namespace {

bool isHeld(int key)
{
    return key == Qt::Key_Shift || key == Qt::Key_Control || key == Qt::Key_Alt || key == Qt::Key_Meta || key == Qt::Key_AltGr;
}

} // namespace

Arrivals::Arrivals()
{
    qApp->installEventFilter(this);
}

bool Arrivals::eventFilter(QObject *watched, QEvent *event)
{
    if (watched->isWindowType() && event->spontaneous()) // as it comes, before it is handed on to a widget
        switch (event->type()) {
        case QEvent::ShortcutOverride: // each key is one first, and a shortcut's key nothing else
        case QEvent::KeyPress:
            m_keys += isHeld(static_cast<QKeyEvent *>(event)->key()) ? 0 : 1;
            break;
        case QEvent::MouseButtonPress:
        case QEvent::MouseButtonDblClick:
            ++m_clicks;
            break;
        default:
            break;
        }
    return QObject::eventFilter(watched, event);
}

} // namespace zigzag::test
