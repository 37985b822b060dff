// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QList>
#include <QObject>
#include <QString>

class QAction;
class QWidget;

namespace zigzag {

class MainWindow;

/// Waits until the window has what it loads by itself (and, where asked, has measured, recorded a trace and asked needles),
/// writes a picture of it and ends the program: 0, or 1 with a line on stderr.
class Screenshot : public QObject
{
    Q_OBJECT
public:
    /// `page`: the object name of the page to bring to the front; empty = as the window begins; "export", "check" = the
    /// dialog of the export targets, or that of a server, instead of the window.
    Screenshot(MainWindow &window, QString path, bool measure, QString page);

private:
    void step();
    void write();
    void save(QWidget &shown);

    MainWindow &m_window;
    QString m_path;
    QString m_page;
    QList<QAction *> m_steps; ///< runs still to be asked for
    bool m_done = false;
};

} // namespace zigzag
