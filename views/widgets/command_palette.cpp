// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/command_palette.h"

#include <QCoreApplication>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QTimer>
#include <QVBoxLayout>

#include <algorithm>

namespace zigzag {

QString plainText(const QAction &action)
{
    return action.text().remove(QLatin1Char('&'));
}

CommandPalette::CommandPalette(const QList<QAction *> &actions, QWidget *parent)
    : QDialog(parent)
    , m_actions(actions)
    , m_input(new QLineEdit(this))
    , m_list(new QListWidget(this))
{
    setWindowTitle(tr("Commands"));
    setObjectName(QStringLiteral("commandPalette"));
    m_input->setPlaceholderText(tr("Type a command"));
    m_input->setAccessibleName(tr("Command"));
    m_input->setClearButtonEnabled(true);
    m_list->setAccessibleName(tr("Matching commands"));
    auto *column = new QVBoxLayout(this);
    column->addWidget(m_input);
    column->addWidget(m_list);
    resize(fontMetrics().averageCharWidth() * 70, fontMetrics().height() * 24);
    connect(m_input, &QLineEdit::textChanged, this, &CommandPalette::filter);
    connect(m_input, &QLineEdit::returnPressed, this, &CommandPalette::runChosen);
    connect(m_list, &QListWidget::itemActivated, this, &CommandPalette::runChosen);
    m_input->installEventFilter(this);
    filter({});
}

void CommandPalette::filter(const QString &text)
{
    const QStringList words = text.split(QLatin1Char(' '), Qt::SkipEmptyParts);
    m_list->clear();
    for (qsizetype index = 0; index < m_actions.size(); ++index) {
        const QAction *action = m_actions[index];
        const QString name = plainText(*action);
        const bool matches = std::all_of(words.begin(), words.end(),
                                         [&](const QString &word) { return name.contains(word, Qt::CaseInsensitive); });
        if (!matches)
            continue;
        const QString keys = action->shortcut().toString(QKeySequence::NativeText);
        auto *item = new QListWidgetItem(keys.isEmpty() ? name : QStringLiteral("%1\t%2").arg(name, keys), m_list);
        item->setData(Qt::UserRole, static_cast<int>(index));
        if (!action->isEnabled())
            item->setFlags(item->flags() & ~Qt::ItemIsEnabled);
    }
    for (int row = 0; row < m_list->count(); ++row)
        if (m_list->item(row)->flags() & Qt::ItemIsEnabled) {
            m_list->setCurrentRow(row);
            break;
        }
}

void CommandPalette::runChosen()
{
    const QListWidgetItem *item = m_list->currentItem();
    if (!item || !(item->flags() & Qt::ItemIsEnabled))
        return;
    QAction *action = m_actions[item->data(Qt::UserRole).toInt()];
    accept();
    // After the palette has gone, so that the action finds the window's focus where it was.
    QTimer::singleShot(0, action, &QAction::trigger);
}

bool CommandPalette::eventFilter(QObject *watched, QEvent *event)
{
    if (watched == m_input && event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent *>(event)->key();
        if (key == Qt::Key_Up || key == Qt::Key_Down || key == Qt::Key_PageUp || key == Qt::Key_PageDown) {
            QCoreApplication::sendEvent(m_list, event);
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

} // namespace zigzag
