// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QString>

namespace zigzag {

class MainWindow;

/// Waits until the window has what it loads by itself (and, where asked, has scored, measured and asked needles), writes a
/// picture of it and ends the program: 0, or 1 with a line on stderr.
class Screenshot : public QObject
{
    Q_OBJECT
public:
    Screenshot(MainWindow &window, QString path, bool measure);

private:
    void step();
    void write();

    MainWindow &m_window;
    QString m_path;
    int m_steps; ///< runs still to be asked for
    bool m_done = false;
};

} // namespace zigzag
