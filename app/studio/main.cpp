// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/language.h"
#include "app/studio/main_window.h"
#include "app/studio/run_until_closed.h"
#include "app/studio/screenshot.h"
#include "app/studio/start_options.h"
#include "views/models/native_path.h"
#include "views/widgets/message_bar.h"

#include <QApplication>
#include <QStandardPaths>
#include <QTimer>

#include <cstdio>

namespace {

/// The offscreen platform says on every start what it cannot do; that is no news to anybody.
void quietly(QtMsgType type, const QMessageLogContext &, const QString &message)
{
    if (type == QtWarningMsg
        && (message.startsWith(QLatin1String("This plugin does not support"))
            || message.startsWith(QLatin1String("QStandardPaths:"))))
        return;
    std::fprintf(stderr, "%s\n", qPrintable(message));
}

/// Where sessions lie that nobody named; beside unfinished searches.
std::filesystem::path sessionFolder()
{
    return zigzag::pathOf(QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) + QStringLiteral("/sessions"));
}

/// Calibrations of this machine, for the next start. The system may clear it.
std::filesystem::path keptFolder()
{
    const QString cache = QStandardPaths::writableLocation(QStandardPaths::CacheLocation);
    return cache.isEmpty() ? std::filesystem::path() : zigzag::pathOf(cache + QStringLiteral("/kept"));
}

/// What of the first picture is there, for who measures how long it takes.
void printStart(zigzag::MainWindow &window)
{
    const auto yes = [](bool is) { return is ? "yes" : "no"; };
    const zigzag::PlottedMaps &plotted = window.plotted();
    std::printf("startup_ms %.0f\nscores %s\ntimes %s\nkept %s\n", zigzag::millisecondsSinceStart(),
                yes(window.document().state().scores != nullptr), yes(plotted.hasTimes()), yes(plotted.isKept()));
}

} // namespace

int main(int argc, char **argv)
{
    using namespace zigzag;
    if (!choosePlatform(argc, argv))
        return 1;
    if (qgetenv("QT_QPA_PLATFORM") == "offscreen")
        qInstallMessageHandler(quietly);
    QApplication application(argc, argv);
    QApplication::setApplicationName(QStringLiteral("zigzag-studio"));
    QApplication::setApplicationDisplayName(QString());
    QApplication::setOrganizationName(QStringLiteral("zigzag"));
    QApplication::setApplicationVersion(QStringLiteral(ZIGZAG_VERSION));
    QApplication::setDesktopFileName(QStringLiteral("zigzag-studio")); // by which a desktop knows whose window it is
    const StartOptions options = parseStart(argc, argv);
    const bool alone = !options.screenshot.isEmpty() || !options.pictures.isEmpty()
        || options.startupTime; // nobody looks: the user's settings stay as they are

    const Preferences preferences = alone ? Preferences() : readPreferences(QSettings());
    chooseThreads(preferences);
    speak(!options.language.isEmpty() ? options.language : alone ? QStringLiteral("en") : preferences.language);
    MainWindow window({std::make_unique<EngineWorker>(), std::make_unique<DialogPrompts>(alone),
                       alone ? nullptr : std::make_unique<QSettings>(), alone ? std::filesystem::path() : sessionFolder(),
                       alone ? std::filesystem::path() : keptFolder()});
    if (options.theme || alone)
        window.setTheme(options.theme.value_or(Theme::Light));
    if (options.size || alone || !QSettings().contains(QStringLiteral("geometry")))
        window.resize(options.size.value_or(QSize(1440, 900)));
    window.show();
    const QString last = options.openAsked ? QString() : window.lastSession();
    std::error_code none;
    const bool isRestored = !last.isEmpty() && std::filesystem::exists(pathOf(last), none) && window.open(last);
    for (const QString &name : isRestored ? QStringList() : options.open)
        if (!window.open(name)) {
            if (!alone)
                break; // the window says why
            std::fprintf(stderr, "error: %s\n", qPrintable(window.messages().text()));
            return 2;
        }
    if (options.startupTime) {
        // The first painting comes with the events that showing the window queued.
        QTimer::singleShot(0, &window, [&window] {
            QCoreApplication::processEvents(); // plots are drawn in the turn after the one that changed them
            window.repaint();
            printStart(window);
            QCoreApplication::quit();
        });
    }
    if (!options.page.isEmpty() && options.screenshot.isEmpty())
        window.showPage(options.page);
    if (!options.screenshot.isEmpty())
        new Screenshot(window, options.screenshot, options.measure, options.page);
    if (!options.pictures.isEmpty())
        new Screenshot(window, options.pictures, options.measure, options.size);
    return runUntilClosed(window);
}
