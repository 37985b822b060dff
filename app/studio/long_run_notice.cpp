// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/long_run_notice.h"

#include "views/models/text.h"

#include <QApplication>
#include <QStyle>
#include <QSystemTrayIcon>
#include <QTimer>

namespace zigzag {

LongRunNotice::LongRunNotice(JobList &jobs, QWidget &window)
    : QObject(&window)
    , m_window(window)
    , m_tell([this](const QString &title, const QString &text) { tellDesktop(title, text); })
    , m_isInFront([] { return QApplication::activeWindow() != nullptr; })
{
    connect(&jobs, &JobList::ended, this, &LongRunNotice::hear);
}

void LongRunNotice::hear(const Job &job)
{
    const bool byItself = job.state == Job::State::Done || job.state == Job::State::Failed; // who stopped it knows
    if (!byItself || job.seconds < m_leastSeconds || m_isInFront())
        return;
    const QString took = timeText(1e3 * job.seconds);
    m_tell(job.state == Job::State::Done ? tr("%1 is done").arg(job.request.title) : tr("%1 failed").arg(job.request.title),
           job.state == Job::State::Done ? tr("It took %1.").arg(took) : tr("After %1: %2").arg(took, job.said));
}

void LongRunNotice::tellDesktop(const QString &title, const QString &text)
{
    QApplication::alert(&m_window);
    if (!QSystemTrayIcon::isSystemTrayAvailable() || !QSystemTrayIcon::supportsMessages())
        return;
    if (!m_tray) {
        const QIcon own = m_window.windowIcon();
        m_tray = new QSystemTrayIcon(own.isNull() ? QApplication::style()->standardIcon(QStyle::SP_ComputerIcon) : own, this);
        connect(m_tray, &QSystemTrayIcon::messageClicked, &m_window, [this] {
            m_window.raise();
            m_window.activateWindow();
        });
    }
    constexpr int shownFor = 10'000; // ms
    m_tray->show();
    m_tray->showMessage(title, text, QSystemTrayIcon::Information, shownFor);
    QTimer::singleShot(shownFor + 1000, m_tray, &QSystemTrayIcon::hide); // it is there for its messages alone
}

} // namespace zigzag
