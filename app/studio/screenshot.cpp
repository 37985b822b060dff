// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/screenshot.h"

#include "app/studio/main_window.h"
#include "app/studio/pages/page.h"
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
    , m_pictures{{std::move(path), page}}
{
    begin(measure, {page});
}

Screenshot::Screenshot(MainWindow &window, const QString &folder, bool measure, const std::optional<QSize> &size)
    : QObject(&window)
    , m_window(window)
{
    QStringList pages;
    for (const Page *page : window.findChildren<Page *>())
        pages << page->objectName();
    pages << QStringLiteral("export") << QStringLiteral("check") << QStringLiteral("recommending");
    const QList<QSize> sizes = size ? QList<QSize>{*size} : QList<QSize>{{1280, 720}, {1920, 1080}};
    const QString scale = window.devicePixelRatio() > 1 ? QStringLiteral("@%1").arg(window.devicePixelRatio()) : QString();
    for (const QSize &each : sizes)
        for (const Theme theme : {Theme::Light, Theme::Dark})
            for (const QString &page : pages)
                m_pictures.push_back({QStringLiteral("%1/%2-%3x%4%5-%6.png")
                                          .arg(folder, page)
                                          .arg(each.width())
                                          .arg(each.height())
                                          .arg(scale, nameOf(theme)),
                                      page, each, theme});
    begin(measure, pages);
}

void Screenshot::begin(bool measure, const QStringList &pages)
{
    constexpr double mostSeconds = 25; // of all runs, before those that others disturb are cut short
    if (measure)
        m_window.studio().setJobTime(JobTime(mostSeconds));
    if (measure)
        m_steps = {m_window.actions().measure, m_window.profile().recordAction(), m_window.actions().needle};
    // What a page has to show comes from a run of its own.
    for (const auto &[page, run] : {std::pair("quality", "sweepQuality"), std::pair("find", "searchLayers"),
                                    std::pair("inspector", "showAttention"), std::pair("answers", "answersOfWorst")})
        if (measure && pages.contains(QLatin1String(page)))
            m_steps.append(m_window.findChild<QAction *>(QLatin1String(run)));
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
        QAction *step = m_steps.takeFirst();
        if (step->objectName() == QLatin1String("showAttention") && state.scores && m_window.studio().selection().isEmpty())
            m_window.studio().selection().set({rankLayers(*state.scores, state.map).order.front()}); // one with a story
        if (step->isEnabled())
            return step->trigger();
    }
    m_done = true;
    if (m_window.studio().isHurried())
        std::fprintf(stderr, "note: other programs slowed the machine: samples and questions are fewer than usual\n");
    const MessageBar &messages = m_window.messages();
    if (messages.isVisible())
        std::fprintf(stderr, "%s: %s\n", messages.kind() == MessageBar::Kind::Error ? "error" : "note",
                     qPrintable(messages.text()));
    QTimer::singleShot(0, this, &Screenshot::next);
}

void Screenshot::next()
{
    if (m_pictures.empty())
        return QCoreApplication::exit(0);
    const Picture picture = std::move(m_pictures.front());
    m_pictures.pop_front();
    take(picture);
}

void Screenshot::take(const Picture &picture)
{
    if (picture.size)
        m_window.resize(*picture.size);
    if (picture.theme && m_window.theme() != *picture.theme)
        m_window.setTheme(*picture.theme);
    if (!picture.page.isEmpty())
        m_window.showPage(picture.page);
    m_window.refreshNow();
    for (int round = 0; round < 4; ++round) // a label that grows moves plots, and these are drawn anew when they have moved
        QCoreApplication::processEvents();
    QAction *asking = picture.page == QLatin1String("export") ? m_window.actions().exportMap
        : picture.page == QLatin1String("check")              ? m_window.actions().checkServer
        : picture.page == QLatin1String("recommending")       ? m_window.actions().recommend
                                                              : nullptr;
    if (!asking)
        return save(m_window, picture.path);
    if (!asking->isEnabled()) {
        std::fprintf(stderr, "error: this dialog is about a map and its model: open a model, scores or a map\n");
        return m_pictures.empty() ? QCoreApplication::exit(1) : next();
    }
    QTimer::singleShot(0, this, [this, path = picture.path] { // the dialog has an event loop of its own
        QWidget *dialog = QApplication::activeModalWidget();
        if (!dialog)
            return QCoreApplication::exit(1);
        save(*dialog, path);
        dialog->close();
    });
    asking->trigger();
}

void Screenshot::save(QWidget &shown, const QString &path)
{
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    shown.grab().save(&buffer, "PNG");
    const auto written
        = writeFileAtomically(pathOf(path), std::string_view(bytes.constData(), static_cast<std::size_t>(bytes.size())));
    if (!written) {
        std::fprintf(stderr, "error: %s\n", written.error().message.c_str());
        return QCoreApplication::exit(1);
    }
    QTimer::singleShot(0, this, &Screenshot::next);
}

} // namespace zigzag
