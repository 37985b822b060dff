// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/language.h"

#include <QCoreApplication>
#include <QDir>
#include <QLibraryInfo>
#include <QLocale>
#include <QTranslator>

#include <algorithm>
#include <memory>

namespace zigzag {

namespace {

const QString folder = QStringLiteral(":/translations"), english = QStringLiteral("en");

/// Which of ours a person reads, by the order in the desktop's settings.
QString ofDesktop()
{
    const std::vector<Language> ours = languages();
    for (const QString &wanted : QLocale::system().uiLanguages())
        for (const Language &each : ours)
            if (wanted.section(QLatin1Char('-'), 0, 0) == each.code)
                return each.code;
    return english;
}

bool install(std::unique_ptr<QTranslator> &translator, const QString &file, const QString &in)
{
    translator = std::make_unique<QTranslator>(); // the one before takes itself out of the application
    return translator->load(file, in) && QCoreApplication::installTranslator(translator.get());
}

} // namespace

std::vector<Language> languages()
{
    std::vector<Language> found{{english, QStringLiteral("English")}};
    for (const QString &file : QDir(folder).entryList({QStringLiteral("zigzag_*.qm")}, QDir::Files, QDir::Name)) {
        const QString code = file.section(QLatin1Char('_'), 1).section(QLatin1Char('.'), 0, 0);
        QString name = QLocale(code).nativeLanguageName();
        found.push_back({code, name.isEmpty() ? code : name.replace(0, 1, name.at(0).toUpper())});
    }
    return found;
}

bool speak(const QString &code)
{
    const QString wanted = code.isEmpty() ? ofDesktop() : code;
    static std::unique_ptr<QTranslator> ours, toolkit;
    ours.reset();
    toolkit.reset();
    if (wanted == english)
        return true;
    // Buttons of dialogs are the toolkit's words; where its translations are not installed, they stay English.
    install(toolkit, QStringLiteral("qtbase_") + wanted, QLibraryInfo::path(QLibraryInfo::TranslationsPath));
    return install(ours, QStringLiteral("zigzag_") + wanted, folder);
}

} // namespace zigzag
