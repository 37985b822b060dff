// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/text.h"

#include <QCoreApplication>
#include <array>
#include <cmath>

namespace zigzag {

namespace {

/// Three significant digits without an exponent: 0.85, 12.3, 640.
QString threeDigits(double value)
{
    const double size = std::abs(value);
    return QString::number(value, 'f', size >= 99.95 || size == 0 ? 0 : size >= 9.995 ? 1 : 2);
}

} // namespace

QString tr(const char *source, const char *comment, int n)
{
    return QCoreApplication::translate("zigzag", source, comment, n);
}

QString plain(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QString contextText(std::int64_t tokens)
{
    constexpr std::int64_t kilo = 1024;
    if (tokens >= kilo * kilo && tokens % (kilo * kilo) == 0)
        return QString::number(tokens / (kilo * kilo)) + QLatin1Char('M');
    if (tokens >= kilo && tokens % kilo == 0)
        return QString::number(tokens / kilo) + QLatin1Char('K');
    return QString::number(tokens);
}

QString bytesText(double bytes)
{
    constexpr std::array units = {"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    while (bytes >= 1024.0 && unit + 1 < units.size()) {
        bytes /= 1024.0;
        ++unit;
    }
    return QStringLiteral("%1 %2").arg(unit == 0 ? QString::number(std::llround(bytes)) : threeDigits(bytes),
                                       QLatin1String(units[unit]));
}

QString keysText(double keys)
{
    constexpr double kilo = 1024;
    constexpr std::array units = {"", "K", "M", "G", "T"};
    std::size_t unit = 0;
    for (; keys >= kilo && unit + 1 < units.size(); ++unit)
        keys /= kilo;
    return QString::number(keys, 'g', 4) + QLatin1String(units[unit]);
}

QString timeText(double ms)
{
    if (ms < 1.0)
        return threeDigits(ms * 1000.0) + QStringLiteral(" µs");
    if (ms < 1000.0)
        return threeDigits(ms) + QStringLiteral(" ms");
    return threeDigits(ms / 1000.0) + QStringLiteral(" s");
}

QString changeText(double value, double reference)
{
    if (!(reference > 0))
        return {};
    return signedPercentText(value / reference - 1.0);
}

QString signedPercentText(double difference)
{
    const auto percent = std::lround(difference * 100.0);
    if (percent == 0)
        return QStringLiteral("±0 %");
    return QStringLiteral("%1%2 %").arg(percent < 0 ? QStringLiteral("−") : QStringLiteral("+")).arg(std::abs(percent));
}

QString signedText(double value, int digits)
{
    return (value < 0 ? QStringLiteral("−") : QStringLiteral("+")) + QString::number(std::abs(value), 'f', digits);
}

QString percentText(double fraction)
{
    return QStringLiteral("%1 %").arg(std::lround(fraction * 100.0));
}

} // namespace zigzag
