// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/guide_window.h"

#include "views/widgets/guide_text.h"

#include <QAction>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QSplitter>
#include <QStyle>
#include <QToolBar>
#include <QVBoxLayout>

namespace zigzag {

GuideWindow::GuideWindow(Guide guide, QWidget *parent)
    : QWidget(parent, Qt::Window)
    , m_guide(std::move(guide))
    , m_search(new QLineEdit(this))
    , m_index(new QListWidget(this))
    , m_text(new GuideText(m_guide, this))
{
    setObjectName(QStringLiteral("guide"));
    setWindowTitle(tr("Guide – Zigzag Studio"));
    m_search->setPlaceholderText(tr("Search the guide"));
    m_search->setAccessibleName(tr("Search the guide"));
    m_search->setClearButtonEnabled(true);
    m_index->setAccessibleName(tr("Pages of the guide"));
    connect(m_search, &QLineEdit::textChanged, this, &GuideWindow::fillIndex);
    connect(m_search, &QLineEdit::returnPressed, this, [this] {
        if (m_index->count() > 0)
            m_index->setCurrentRow(0);
    });
    connect(m_index, &QListWidget::currentItemChanged, this, [this](const QListWidgetItem *item) {
        if (item && item->data(Qt::UserRole).toString() != m_text->page())
            m_text->showPlace(item->data(Qt::UserRole).toString());
    });
    connect(m_text, &GuideText::historyChanged, this, &GuideWindow::follow); // once source() is the new page
    buildLayout();
    fillIndex({});
}

void GuideWindow::buildLayout()
{
    auto *tools = new QToolBar(this);
    const auto offer = [&](QStyle::StandardPixmap picture, const QString &text, const QKeySequence &keys, auto &&slot) {
        QAction *action = tools->addAction(style()->standardIcon(picture), text);
        action->setShortcut(keys);
        action->setToolTip(tr("%1 (%2)").arg(text, keys.toString(QKeySequence::NativeText)));
        connect(action, &QAction::triggered, this, slot);
        return action;
    };
    QAction *back = offer(QStyle::SP_ArrowBack, tr("Back"), QKeySequence(Qt::ALT | Qt::Key_Left), [this] { m_text->backward(); });
    QAction *forward
        = offer(QStyle::SP_ArrowForward, tr("Forward"), QKeySequence(Qt::ALT | Qt::Key_Right), [this] { m_text->forward(); });
    offer(QStyle::SP_DirHomeIcon, tr("First page"), QKeySequence(Qt::ALT | Qt::Key_Home),
          [this] { m_text->showPlace(QStringLiteral("index")); });
    back->setEnabled(false);
    forward->setEnabled(false);
    connect(m_text, &GuideText::backwardAvailable, back, &QAction::setEnabled);
    connect(m_text, &GuideText::forwardAvailable, forward, &QAction::setEnabled);
    auto *find = new QAction(this);
    find->setShortcut(QKeySequence::Find);
    connect(find, &QAction::triggered, m_search, qOverload<>(&QWidget::setFocus));
    addAction(find);

    auto *left = new QWidget(this);
    auto *column = new QVBoxLayout(left);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(tools);
    column->addWidget(m_search);
    column->addWidget(m_index, 1);
    auto *halves = new QSplitter(this);
    halves->addWidget(left);
    halves->addWidget(m_text);
    halves->setStretchFactor(1, 1);
    auto *whole = new QVBoxLayout(this);
    whole->addWidget(halves);
    const int em = fontMetrics().averageCharWidth(), line = fontMetrics().height();
    halves->setSizes({em * 30, em * 110});
    resize(em * 140, line * 44);
}

void GuideWindow::fillIndex(const QString &words)
{
    const QSignalBlocker quiet(m_index);
    m_index->clear();
    for (const int row : m_guide.search(words)) {
        const Guide::Page &page = m_guide.pages()[static_cast<std::size_t>(row)];
        auto *item = new QListWidgetItem(page.title, m_index);
        item->setData(Qt::UserRole, page.name);
    }
    if (m_index->count() == 0) {
        auto *none = new QListWidgetItem(tr("No page has these words"), m_index);
        none->setFlags(Qt::NoItemFlags);
    }
    m_text->setMarked(words);
    follow();
}

/// The list shows which page it is, however it came to be shown.
void GuideWindow::follow()
{
    const QSignalBlocker quiet(m_index);
    m_index->setCurrentRow(-1);
    for (int row = 0; row < m_index->count(); ++row)
        if (m_index->item(row)->data(Qt::UserRole).toString() == m_text->page())
            m_index->setCurrentRow(row);
}

void GuideWindow::open(const QString &place)
{
    show(); // first: where a heading is depends on the width
    m_text->showPlace(place);
    raise();
    activateWindow();
    m_text->setFocus(Qt::OtherFocusReason);
}

void GuideWindow::keyPressEvent(QKeyEvent *event)
{
    if (event->key() != Qt::Key_Escape)
        return QWidget::keyPressEvent(event);
    if (m_search->hasFocus() && !m_search->text().isEmpty())
        return m_search->clear();
    close();
}

} // namespace zigzag
