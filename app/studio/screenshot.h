// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/theme.h"

#include <QList>
#include <QObject>
#include <QSize>
#include <QString>
#include <deque>
#include <optional>

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
    /// All of them into a folder: every page and both dialogs, light and dark, in one size or in both of the usual ones.
    Screenshot(MainWindow &window, const QString &folder, bool measure, const std::optional<QSize> &size);

private:
    struct Picture {
        QString path;
        QString page;
        std::optional<QSize> size = {}; ///< nothing: as the window is
        std::optional<Theme> theme = {};
    };

    void begin(bool measure, const QStringList &pages);
    void step();
    void next();
    void take(const Picture &picture);
    void save(QWidget &shown, const QString &path);

    MainWindow &m_window;
    std::deque<Picture> m_pictures; ///< still to be taken
    QList<QAction *> m_steps; ///< runs still to be asked for
    bool m_done = false;
};

} // namespace zigzag
