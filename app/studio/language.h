// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <vector>

namespace zigzag {

/// A language that the window speaks. What the engine and the command line say stays English, and so does the guide.
struct Language {
    QString code; ///< "en", "de"
    QString name; ///< in itself
};

/// English, in which the sources are written, and every translation that is built in (resources/translations).
std::vector<Language> languages();

/// What is made from here on speaks this language; what is there already does not change. Empty: the desktop's first language
/// that is among ours, or English. False where there is no such language: English then.
bool speak(const QString &code);

} // namespace zigzag
