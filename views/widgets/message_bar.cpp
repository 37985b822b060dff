// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/message_bar.h"

#include "views/models/colors.h"

#include <QAccessible>
#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QStyle>
#include <QToolButton>

namespace zigzag {

MessageBar::MessageBar(QWidget *parent)
    : QFrame(parent)
    , m_icon(new QLabel(this))
    , m_text(new QLabel(this))
{
    m_text->setObjectName(QStringLiteral("message"));
    m_text->setTextFormat(Qt::PlainText);
    m_text->setWordWrap(true);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto *dismiss = new QToolButton(this);
    dismiss->setAutoRaise(true);
    dismiss->setIcon(style()->standardIcon(QStyle::SP_TitleBarCloseButton));
    dismiss->setToolTip(tr("Dismiss"));
    dismiss->setAccessibleName(tr("Dismiss the message"));
    connect(dismiss, &QToolButton::clicked, this, &MessageBar::close);
    auto *row = new QHBoxLayout(this);
    const int gap = fontMetrics().height() / 4;
    row->setContentsMargins(2 * gap, gap, 2 * gap, gap);
    row->addWidget(m_icon);
    row->addWidget(m_text, 1);
    row->addWidget(dismiss);
    m_life.setSingleShot(true);
    setNoteLife(std::chrono::seconds(30));
    connect(&m_life, &QTimer::timeout, this, &MessageBar::close);
    if (parent)
        parent->installEventFilter(this);
    hide();
}

void MessageBar::say(Kind kind, const QString &line)
{
    m_kind = kind;
    const int side = fontMetrics().height();
    m_icon->setPixmap(style()
                          ->standardIcon(kind == Kind::Error ? QStyle::SP_MessageBoxWarning : QStyle::SP_MessageBoxInformation)
                          .pixmap(side, side));
    m_text->setText(line);
    setAccessibleName(kind == Kind::Error ? tr("Error") : tr("Note"));
    setAccessibleDescription(line);
    m_life.stop();
    if (kind == Kind::Note && !underMouse())
        m_life.start();
    place();
    show();
    raise();
    update();
    QAccessibleEvent alert(this, QAccessible::Alert);
    QAccessible::updateAccessibility(&alert);
}

void MessageBar::close()
{
    m_life.stop();
    m_text->clear();
    hide();
}

void MessageBar::takeBack(const QString &line)
{
    if (!line.isEmpty() && text() == line)
        close();
}

void MessageBar::place()
{
    if (const QWidget *parent = parentWidget())
        setGeometry(0, 0, parent->width(), layout()->heightForWidth(parent->width()));
}

bool MessageBar::eventFilter(QObject *watched, QEvent *event)
{
    if (event->type() == QEvent::Resize)
        place();
    return QFrame::eventFilter(watched, event);
}

void MessageBar::enterEvent(QEnterEvent *event)
{
    m_life.stop(); // it is being read
    QFrame::enterEvent(event);
}

void MessageBar::leaveEvent(QEvent *event)
{
    if (m_kind == Kind::Note && isVisible())
        m_life.start();
    QFrame::leaveEvent(event);
}

QString MessageBar::text() const
{
    return m_text->text();
}

void MessageBar::paintEvent(QPaintEvent *event)
{
    QPainter painter(this);
    const QColor accent = m_kind == Kind::Error ? QColor(0xd0, 0x50, 0x20) : palette().color(QPalette::Highlight);
    painter.fillRect(rect(), mixed(palette().color(QPalette::Window), accent, 0.18));
    painter.fillRect(QRect(0, 0, fontMetrics().height() / 4, height()), accent);
    QFrame::paintEvent(event);
}

} // namespace zigzag
