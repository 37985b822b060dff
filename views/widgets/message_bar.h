// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>

class QLabel;

namespace zigzag {

/// One line above the work that says what went wrong, or what was done, without stopping anybody. Closed by its button.
class MessageBar : public QFrame
{
    Q_OBJECT
public:
    enum class Kind { Note, Error };

    explicit MessageBar(QWidget *parent = nullptr);
    void say(Kind kind, const QString &line);
    void close();
    QString text() const;
    Kind kind() const { return m_kind; }

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    QLabel *m_icon;
    QLabel *m_text;
    Kind m_kind = Kind::Note;
};

} // namespace zigzag
