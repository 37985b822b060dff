// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QAction>
#include <QDialog>
#include <utility>

namespace zigzag {

/// Every action that has a shortcut, and what the mouse does.
class ShortcutsDialog : public QDialog
{
    Q_OBJECT
public:
    ShortcutsDialog(const QList<QAction *> &actions, const QList<std::pair<QString, QString>> &gestures, QWidget *parent);
};

/// What the program is, its version, and the licences of what it is made of.
class AboutDialog : public QDialog
{
    Q_OBJECT
public:
    explicit AboutDialog(QWidget *parent);
};

} // namespace zigzag
