// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/command_palette.h"

#include <QCoreApplication>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QTimer>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>
#include <vector>

namespace zigzag {

QString plainText(const QAction &action)
{
    return action.text().remove(QLatin1Char('&'));
}

namespace {

/// How well a word that was typed fits a text: 0 its beginning, 1 the beginning of a word in it, 2 anything in it; −1 not at all.
int fitIn(const QString &text, const QString &word)
{
    int best = -1;
    for (qsizetype at = text.indexOf(word, 0, Qt::CaseInsensitive); at >= 0;
         at = text.indexOf(word, at + 1, Qt::CaseInsensitive)) {
        const int fit = at == 0 ? 0 : text[at - 1].isLetterOrNumber() ? 2 : 1;
        best = best < 0 ? fit : std::min(best, fit);
    }
    return best;
}

/// Of all words together, the smaller the better; −1 where one of them fits nothing. Its own name counts more than its kind and
/// its other names.
int fitOf(const QAction &action, const QStringList &words)
{
    constexpr int elsewhere = 3;
    const QString name = plainText(action);
    const QString other
        = action.property(CommandPalette::prefix).toString() + action.property(CommandPalette::synonyms).toString();
    int sum = 0;
    for (const QString &word : words) {
        const int own = fitIn(name, word), others = fitIn(other, word);
        if (own < 0 && others < 0)
            return -1;
        sum += own >= 0 ? own : elsewhere + others;
    }
    return sum;
}

} // namespace

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
    std::vector<std::pair<int, qsizetype>> found; // fit and index
    for (qsizetype index = 0; index < m_actions.size(); ++index)
        if (const int fit = fitOf(*m_actions[index], words); fit >= 0 && !m_actions[index]->property(hidden).toBool())
            found.emplace_back(fit, index);
    std::sort(found.begin(), found.end());
    for (const auto &[fit, index] : found) {
        const QAction *action = m_actions[index];
        const QString name = action->property(prefix).toString() + plainText(*action);
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
