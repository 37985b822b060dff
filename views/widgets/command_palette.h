// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAction>
#include <QDialog>

class QLineEdit;
class QListWidget;

namespace zigzag {

/// Every action of the window, found by typing a part of its name or of what else it may be called. The best match comes first.
class CommandPalette : public QDialog
{
    Q_OBJECT
public:
    // Properties of an action that the palette reads.
    static constexpr const char *prefix = "palettePrefix"; ///< before its name here: "Open recent: "
    static constexpr const char *synonyms = "paletteSynonyms"; ///< words, divided by spaces
    static constexpr const char *hidden = "paletteHidden"; ///< true: another action does the same

    CommandPalette(const QList<QAction *> &actions, QWidget *parent);

protected:
    bool eventFilter(QObject *watched, QEvent *event) override;

private:
    void filter(const QString &text);
    void runChosen();

    QList<QAction *> m_actions;
    QLineEdit *m_input;
    QListWidget *m_list;
};

/// The name of an action without mnemonics and the dots of a dialog.
QString plainText(const QAction &action);

} // namespace zigzag
