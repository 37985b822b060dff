// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/theme.h"

#include <QSize>
#include <QStringList>
#include <optional>

namespace zigzag {

struct StartOptions {
    QStringList open = {QStringLiteral("bundled:zigzag-tiny")};
    bool openAsked = false; ///< somebody said what to open; else the last session, where there is one, goes before the default
    QString screenshot; ///< empty: an ordinary start
    QString pictures; ///< folder for a picture of every page; empty: none
    std::optional<QSize> size;
    std::optional<Theme> theme;
    QString language; ///< a code of languages(); empty: as the preferences say
    QString page; ///< object name of the page that the picture shows
    bool measure = false; ///< score, measure and ask needles before the screenshot
    bool startupTime = false;
};

/// Before there is a QApplication: a screenshot and --startup-time need no display, and are the same with and without one.
/// False, with a line on stderr, when the window would have no display to open on.
bool choosePlatform(int argc, char **argv);
/// The arguments that the application has left over, as bytes: names of files need not be UTF-8. Ends the program with its
/// usage, or with one line and exit code 2.
StartOptions parseStart(int argc, char **argv);
/// Milliseconds since this process began, from the system.
double millisecondsSinceStart();

} // namespace zigzag
