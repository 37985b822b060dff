// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>
#include <vector>

class QLabel;
class QPushButton;

namespace zigzag {

/// Stands where the head map will be, while there is none: says what to open, and offers it.
class EmptyMap : public QWidget
{
    Q_OBJECT
public:
    struct Way {
        QString text; ///< on its button
        QString name; ///< what to open; empty = to be chosen in a dialog
        bool recommends = false; ///< nothing is opened: a recommendation is asked for, whose model is chosen then
        bool operator==(const Way &) const = default;
    };

    explicit EmptyMap(QWidget *parent = nullptr);
    void show(const QString &text, const std::vector<Way> &ways);

Q_SIGNALS:
    void chosen(const QString &name);
    void recommendAsked();

private:
    QLabel *m_text;
    QWidget *m_buttons;
    std::vector<Way> m_ways;
};

} // namespace zigzag
