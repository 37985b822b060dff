// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/start_options.h"

#include "app/about/version_text.h"
#include "app/studio/describe.h"
#include "app/studio/language.h"
#include "views/models/native_path.h"
#include "views/models/text.h"

#include <QCommandLineParser>
#include <QFile>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <unistd.h>

namespace zigzag {

namespace {

[[noreturn]] void refuse(const QString &line)
{
    std::fprintf(stderr, "error: %s\n", qPrintable(line));
    std::exit(2);
}

[[noreturn]] void showVersion()
{
    std::fputs(versionText("zigzag-studio").c_str(), stdout);
    std::exit(0);
}

std::optional<QSize> parseSize(const QString &text)
{
    const QStringList parts = text.split(QLatin1Char('x'));
    bool wideOk = false, highOk = false;
    const int wide = parts.value(0).toInt(&wideOk);
    const int high = parts.value(1).toInt(&highOk);
    constexpr int least = 200, most = 16384;
    if (parts.size() != 2 || !wideOk || !highOk || std::min(wide, high) < least || std::max(wide, high) > most)
        return {};
    return QSize(wide, high);
}

QString codesOf(const std::vector<Language> &languages)
{
    QStringList codes;
    for (const Language &each : languages)
        codes << each.code;
    return codes.join(tr(" or "));
}

} // namespace

bool choosePlatform(int argc, char **argv)
{
    if (std::getenv("QT_QPA_PLATFORM"))
        return true;
    for (int index = 1; index < argc; ++index)
        for (const char *option :
             {"--screenshot", "--pictures", "--startup-time", "--help", "-h", "--version", "-v", "--describe"})
            if (std::strncmp(argv[index], option, std::strlen(option)) == 0) {
                setenv("QT_QPA_PLATFORM", "offscreen", 1);
                return true;
            }
    if (std::getenv("DISPLAY") || std::getenv("WAYLAND_DISPLAY"))
        return true;
    std::fprintf(stderr,
                 "error: there is no display to open a window on: use --screenshot PATH, or the command line program zigzag\n");
    return false;
}

StartOptions parseStart(int argc, char **argv)
{
    QStringList arguments;
    for (int index = 0; index < argc; ++index)
        arguments << textOfPath(QByteArray(argv[index]));
    QCommandLineParser parser;
    parser.setApplicationDescription(tr("Which layers of a language model can stream, what that gains and what it loses."));
    const QCommandLineOption help = parser.addHelpOption();
    const QCommandLineOption version = parser.addVersionOption();
    const QString files
        = tr("Sessions, head maps, scores, traces, runs (the JSON of bench and predict), model folders, GGUF files, "
             "preset:NAME or bundled:NAME, opened in "
             "this order (default: the last session, or bundled:zigzag-tiny).");
    parser.addPositionalArgument(QStringLiteral("file"), files, QStringLiteral("[FILE|MODEL …]"));
    const QCommandLineOption screenshot(QStringLiteral("screenshot"), tr("Write a picture of the window to PATH and end."),
                                        QStringLiteral("PATH"));
    const QCommandLineOption pictures(QStringLiteral("pictures"),
                                      tr("Write pictures of every page and dialog into FOLDER, in 1280x720 and 1920x1080 (or as "
                                         "--size says), light and dark, and "
                                         "end."),
                                      QStringLiteral("FOLDER"));
    const QCommandLineOption measure(
        QStringLiteral("measure"),
        tr("With --screenshot or --pictures: measure, record a trace, ask needles and do what the page needs first."));
    const QCommandLineOption page(
        QStringLiteral("page"),
        tr("The page to show, such as profile; with --screenshot, export, check and recommending show these dialogs."),
        QStringLiteral("NAME"));
    const QCommandLineOption theme(QStringLiteral("theme"), tr("light, dark or system."), QStringLiteral("THEME"));
    const QCommandLineOption size(QStringLiteral("size"), tr("Size of the window, such as 1440x900."), QStringLiteral("WxH"));
    const QCommandLineOption language(QStringLiteral("language"),
                                      tr("Of the window: en or de (default: as the preferences and the desktop say)."),
                                      QStringLiteral("CODE"));
    const QCommandLineOption startup(QStringLiteral("startup-time"),
                                     tr("Print the milliseconds from start to first paint and end."));
    // For those who install or package the program: its manual page, or what a shell completes.
    QCommandLineOption describe(QStringLiteral("describe"), QString(), QStringLiteral("FORM"));
    describe.setFlags(QCommandLineOption::HiddenFromHelp);
    const QList<QCommandLineOption> shown = {screenshot, pictures, measure, page, theme, language, size, startup};
    parser.addOptions(shown);
    parser.addOption(describe);
    if (!parser.parse(arguments))
        refuse(tr("%1 See --help").arg(parser.errorText()));
    if (parser.isSet(QStringLiteral("version")))
        showVersion();
    if (parser.isSet(QStringLiteral("help")))
        parser.showHelp();
    if (parser.isSet(describe)) {
        if (!describeProgram(parser.value(describe), parser.applicationDescription(), files, QList{help, version} + shown))
            refuse(tr("--describe %1 is unknown: give man, bash, zsh or fish").arg(parser.value(describe)));
        std::exit(0);
    }

    StartOptions options;
    if (!parser.positionalArguments().isEmpty())
        options.open = parser.positionalArguments();
    options.openAsked = !parser.positionalArguments().isEmpty();
    options.screenshot = parser.value(screenshot);
    options.measure = parser.isSet(measure);
    options.startupTime = parser.isSet(startup);
    if (parser.isSet(screenshot) && options.screenshot.isEmpty())
        refuse(tr("--screenshot needs the path of the picture to write"));
    options.pictures = parser.value(pictures);
    if (parser.isSet(pictures) && options.pictures.isEmpty())
        refuse(tr("--pictures needs the folder to write them into"));
    if (!options.pictures.isEmpty() && !options.screenshot.isEmpty())
        refuse(tr("--pictures and --screenshot do not go together"));
    if (options.measure && options.screenshot.isEmpty() && options.pictures.isEmpty())
        refuse(tr("--measure goes with --screenshot or --pictures"));
    options.page = parser.value(page);
    if (parser.isSet(theme)) {
        options.theme = parseTheme(parser.value(theme));
        if (!options.theme)
            refuse(tr("--theme %1 is unknown: give light, dark or system").arg(parser.value(theme)));
    }
    if (parser.isSet(language)) {
        options.language = parser.value(language);
        const std::vector<Language> known = languages();
        if (std::none_of(known.begin(), known.end(), [&](const Language &each) { return each.code == options.language; }))
            refuse(tr("--language %1 is unknown: give %2").arg(options.language, codesOf(known)));
    }
    if (parser.isSet(size)) {
        options.size = parseSize(parser.value(size));
        if (!options.size)
            refuse(tr("--size %1 is not a size: give width and height in pixels, such as 1440x900").arg(parser.value(size)));
    }
    return options;
}

double millisecondsSinceStart()
{
    // Field 22 of /proc/self/stat: start time in clock ticks since boot. The name in field 2 may hold spaces.
    QFile file(QStringLiteral("/proc/self/stat"));
    timespec now{};
    if (!file.open(QIODevice::ReadOnly) || clock_gettime(CLOCK_BOOTTIME, &now) != 0)
        return -1;
    const QByteArray stat = file.readAll();
    const QList<QByteArray> fields = stat.mid(stat.lastIndexOf(')') + 2).split(' ');
    constexpr int startField = 22 - 3;
    const double ticks = fields.value(startField).toDouble();
    return (static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9
            - ticks / static_cast<double>(sysconf(_SC_CLK_TCK)))
        * 1e3;
}

} // namespace zigzag
