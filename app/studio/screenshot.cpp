// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/screenshot.h"

#include "app/studio/main_window.h"
#include "app/studio/pages/profile_page.h"
#include "app/studio/window_actions.h"
#include "engine/base/files.h"
#include "views/models/layer_ranking.h"
#include "views/models/native_path.h"
#include "views/widgets/message_bar.h"

#include <QAction>
#include <QApplication>
#include <QBuffer>
#include <QPixmap>
#include <QTimer>

#include <cstdio>

namespace zigzag {

Screenshot::Screenshot(MainWindow &window, QString path, bool measure, QString page)
    : QObject(&window)
    , m_window(window)
    , m_path(std::move(path))
    , m_page(std::move(page))
{
    constexpr double mostSeconds = 25; // of all runs, before those that others disturb are cut short
    if (measure)
        m_window.studio().setJobTime(JobTime(mostSeconds));
    if (measure)
        m_steps = {m_window.actions().measure, m_window.profile().recordAction(), m_window.actions().needle};
    // What a page has to show comes from a run of its own.
    const QString own = m_page == QLatin1String("quality") ? QStringLiteral("sweepQuality")
        : m_page == QLatin1String("find")                  ? QStringLiteral("searchLayers")
        : m_page == QLatin1String("inspector")             ? QStringLiteral("showAttention")
                                                           : QString();
    if (measure && !own.isEmpty()) // findChild takes an empty name for any
        m_steps.append(window.findChild<QAction *>(own));
    connect(&m_window.runs(), &RunController::busyChanged, this, [this] { QTimer::singleShot(0, this, &Screenshot::step); });
    connect(&m_window.runs(), &RunController::progressed, this, [last = QString()](double, const QString &text) mutable {
        const QString what = text.section(QLatin1String(": "), 0, 0); // "Measuring: sample 3 of 90" is said once
        if (what != last)
            std::fprintf(stderr, "%s\n", qPrintable(what));
        last = what;
    });
    QTimer::singleShot(0, this, &Screenshot::step);
}

void Screenshot::step()
{
    if (m_window.runs().isBusy() || m_done)
        return;
    while (!m_steps.isEmpty()) {
        m_window.refreshNow();
        const DocumentState &state = m_window.document().state();
        if (m_page == QLatin1String("inspector") && state.scores && m_window.studio().selection().isEmpty())
            m_window.studio().selection().set({rankLayers(*state.scores, state.map).order.front()}); // one with a story
        QAction *next = m_steps.takeFirst();
        if (next->isEnabled())
            return next->trigger();
    }
    m_done = true;
    QTimer::singleShot(0, this, &Screenshot::write);
}

void Screenshot::write()
{
    if (m_window.studio().isHurried())
        std::fprintf(stderr, "note: other programs slowed the machine: samples and questions are fewer than usual\n");
    if (!m_page.isEmpty())
        m_window.showPage(m_page);
    m_window.refreshNow();
    for (int round = 0; round < 4; ++round) // a label that grows moves plots, and these are drawn anew when they have moved
        QCoreApplication::processEvents();
    const MessageBar &messages = m_window.messages();
    if (messages.isVisible())
        std::fprintf(stderr, "%s: %s\n", messages.kind() == MessageBar::Kind::Error ? "error" : "note",
                     qPrintable(messages.text()));
    QAction *asking = m_page == QLatin1String("export") ? m_window.actions().exportMap
        : m_page == QLatin1String("check")              ? m_window.actions().checkServer
        : m_page == QLatin1String("recommending")       ? m_window.actions().recommend
                                                        : nullptr;
    if (!asking)
        return save(m_window);
    QTimer::singleShot(0, this, [this] { // the dialog has an event loop of its own
        QWidget *dialog = QApplication::activeModalWidget();
        if (!dialog) {
            std::fprintf(stderr, "error: this dialog is about a map: open a model, scores or a map\n");
            return QCoreApplication::exit(1);
        }
        save(*dialog);
        dialog->close();
    });
    asking->trigger();
}

void Screenshot::save(QWidget &shown)
{
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    shown.grab().save(&buffer, "PNG");
    const auto written
        = writeFileAtomically(pathOf(m_path), std::string_view(bytes.constData(), static_cast<std::size_t>(bytes.size())));
    if (!written)
        std::fprintf(stderr, "error: %s\n", written.error().message.c_str());
    QCoreApplication::exit(written ? 0 : 1);
}

} // namespace zigzag
