// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/preferences.h"

#include <QRegularExpression>
#include <QSettings>
#include <QStringList>

#include <algorithm>
#include <cmath>

namespace zigzag {

namespace {

constexpr std::int64_t longestContext = std::int64_t{1} << 31;
constexpr std::int64_t mostMemory = std::int64_t{1} << 50;
constexpr qsizetype mostContexts = 16;
const QString threadsKey = QStringLiteral("preferences/threads"), memoryKey = QStringLiteral("preferences/memoryBytes"),
              patienceKey = QStringLiteral("preferences/patienceSeconds"), contextsKey = QStringLiteral("preferences/contexts"),
              fontKey = QStringLiteral("preferences/fontPoints"), languageKey = QStringLiteral("preferences/language");

/// `usual` where there is no such number between the two.
template <class Number> Number within(double number, double least, double most, Number usual)
{
    return std::isfinite(number) && number >= least && number <= most ? static_cast<Number>(number) : usual;
}

} // namespace

Preferences readPreferences(const QSettings &settings)
{
    const Preferences usual;
    Preferences found;
    found.threads = within(settings.value(threadsKey).toDouble(), 0, Preferences::mostThreads, usual.threads);
    found.memoryBytes = within(settings.value(memoryKey).toDouble(), 0, static_cast<double>(mostMemory), usual.memoryBytes);
    found.patienceSeconds = within(settings.value(patienceKey, usual.patienceSeconds).toDouble(), 0, Preferences::mostPatience,
                                   usual.patienceSeconds);
    found.contexts = parseContexts(settings.value(contextsKey).toString()).value_or(usual.contexts);
    found.fontPoints
        = within(settings.value(fontKey).toDouble(), Preferences::leastFont, Preferences::mostFont, usual.fontPoints);
    static const QRegularExpression code(QStringLiteral("^[a-z]{2,3}$"));
    if (const QString language = settings.value(languageKey).toString(); code.match(language).hasMatch())
        found.language = language;
    return found;
}

void writePreferences(const Preferences &preferences, QSettings &settings)
{
    settings.setValue(threadsKey, preferences.threads);
    settings.setValue(memoryKey, static_cast<qint64>(preferences.memoryBytes));
    settings.setValue(patienceKey, preferences.patienceSeconds);
    settings.setValue(contextsKey, contextsText(preferences.contexts));
    settings.setValue(fontKey, preferences.fontPoints);
    settings.setValue(languageKey, preferences.language);
    settings.sync();
}

std::optional<std::vector<std::int64_t>> parseContexts(const QString &text)
{
    const QStringList words = text.split(QRegularExpression(QStringLiteral("[,;\\s]+")), Qt::SkipEmptyParts);
    if (words.size() > mostContexts)
        return {};
    std::vector<std::int64_t> contexts;
    for (const QString &word : words) {
        bool number = false;
        const qlonglong context = word.toLongLong(&number);
        if (!number || context < 1 || context > longestContext)
            return {};
        contexts.push_back(context);
    }
    std::sort(contexts.begin(), contexts.end());
    contexts.erase(std::unique(contexts.begin(), contexts.end()), contexts.end());
    return contexts;
}

QString contextsText(const std::vector<std::int64_t> &contexts)
{
    QStringList words;
    for (const std::int64_t context : contexts)
        words << QString::number(context);
    return words.join(QStringLiteral(", "));
}

void chooseThreads(const Preferences &preferences)
{
    constexpr const char *variable = "OMP_NUM_THREADS";
    if (preferences.threads > 0 && qEnvironmentVariableIsEmpty(variable))
        qputenv(variable, QByteArray::number(preferences.threads));
}

} // namespace zigzag
