// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/state/job_list.h"

#include <QWidget>
#include <functional>

class QSystemTrayIcon;

namespace zigzag {

/// Says on the desktop that a long run has ended, where its window is not the one that is looked at.
class LongRunNotice : public QObject
{
    Q_OBJECT
public:
    /// Called with a title and a line; the default flashes the window in the desktop's bar and, where there is a tray, shows the
    /// message there.
    using Tell = std::function<void(const QString &title, const QString &text)>;

    LongRunNotice(JobList &jobs, QWidget &window);
    void setTell(Tell tell) { m_tell = std::move(tell); }
    /// Whether the person looks at the window; the default asks whether any of the program's windows is the active one.
    void setIsInFront(std::function<bool()> isInFront) { m_isInFront = std::move(isInFront); }
    /// Runs shorter than this end unheard.
    void setLeastSeconds(double seconds) { m_leastSeconds = seconds; }

private:
    void hear(const Job &job);
    void tellDesktop(const QString &title, const QString &text);

    QWidget &m_window;
    QSystemTrayIcon *m_tray = nullptr; ///< made when it is first needed
    Tell m_tell;
    std::function<bool()> m_isInFront;
    double m_leastSeconds = 20;
};

} // namespace zigzag
