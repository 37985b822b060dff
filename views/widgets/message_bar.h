// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>
#include <QTimer>
#include <chrono>

class QLabel;

namespace zigzag {

/// One line that says what went wrong, or what was done, without stopping anybody. It lies over the top of its parent and moves
/// nothing. Closed by its button; a note goes by itself after a while, unless the pointer is on it.
class MessageBar : public QFrame
{
    Q_OBJECT
public:
    enum class Kind { Note, Error };

    explicit MessageBar(QWidget *parent = nullptr);
    void say(Kind kind, const QString &line);
    void close();
    /// Closes it if it says this.
    void takeBack(const QString &line);
    QString text() const;
    Kind kind() const { return m_kind; }
    void setNoteLife(std::chrono::milliseconds life) { m_life.setInterval(life); }

protected:
    bool eventFilter(QObject *watched, QEvent *event) override;
    void enterEvent(QEnterEvent *event) override;
    void leaveEvent(QEvent *event) override;
    void paintEvent(QPaintEvent *event) override;

private:
    void place();

    QLabel *m_icon;
    QLabel *m_text;
    Kind m_kind = Kind::Note;
    QTimer m_life;
};

} // namespace zigzag
