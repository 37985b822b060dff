// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/plot_tickers.h"

#include "views/models/text.h"

#include <QCoreApplication>

#include <cmath>
#include <vector>

namespace zigzag {

void ContextTicker::setContexts(const std::vector<std::int64_t> &contexts)
{
    m_contexts.clear();
    const std::size_t step = contexts.size() > 6 ? 2 : 1;
    for (std::size_t index = (contexts.size() + step - 1) % step; index < contexts.size(); index += step)
        m_contexts.append(static_cast<double>(contexts[index]));
}

QVector<double> ContextTicker::createTickVector(double, const QCPRange &)
{
    return m_contexts;
}

QVector<double> ContextTicker::createSubTickVector(int, const QVector<double> &)
{
    return {};
}

QString ContextTicker::getTickLabel(double tick, const QLocale &, QChar, int)
{
    return contextText(std::llround(tick));
}

void UnitTicker::show(Unit unit, bool logarithmic)
{
    m_unit = unit;
    m_logarithmic = logarithmic;
}

namespace {

/// Every second, third, … of them, so that `room` are left at most, and the largest stays.
QVector<double> thinned(const QVector<double> &ticks, const QCPRange &range, int room)
{
    QVector<double> inside;
    for (const double tick : ticks)
        if (range.contains(tick))
            inside.append(tick);
    const qsizetype step = std::max<qsizetype>(1, (inside.size() + room - 1) / room);
    QVector<double> kept;
    for (qsizetype index = (inside.size() + step - 1) % step; index < inside.size(); index += step)
        kept.append(inside[index]);
    return kept;
}

} // namespace

double UnitTicker::getTickStep(const QCPRange &range)
{
    return m_scale * QCPAxisTicker::getTickStep({range.lower / m_scale, range.upper / m_scale});
}

QVector<double> UnitTicker::createTickVector(double tickStep, const QCPRange &range)
{
    if (!m_logarithmic)
        return thinned(QCPAxisTicker::createTickVector(tickStep, range), range, m_room);
    QVector<double> ticks;
    if (!(range.lower > 0) || !std::isfinite(range.upper))
        return ticks;
    if (m_unit != Unit::Time) {
        const int first = static_cast<int>(std::floor(std::log2(range.lower)));
        const int last = static_cast<int>(std::ceil(std::log2(range.upper)));
        const int step = std::max(1, (last - first) / 5);
        for (int power = first; power <= last; power += step)
            ticks.append(std::exp2(power));
        return thinned(ticks, range, m_room);
    }
    const int first = static_cast<int>(std::floor(std::log10(range.lower)));
    const int last = static_cast<int>(std::ceil(std::log10(range.upper)));
    const double decades = std::log10(range.upper / range.lower);
    const bool decadesOnly = decades > 3.2 || 3 * decades > m_room;
    for (int power = first; power <= last; ++power)
        for (const double mantissa : {1.0, 2.0, 5.0})
            if (mantissa == 1.0 || !decadesOnly)
                ticks.append(mantissa * std::pow(10.0, power));
    return thinned(ticks, range, m_room);
}

QVector<double> UnitTicker::createSubTickVector(int subTickCount, const QVector<double> &ticks)
{
    return m_logarithmic ? QVector<double>() : QCPAxisTicker::createSubTickVector(subTickCount, ticks);
}

QString UnitTicker::text(double value) const
{
    switch (m_unit) {
    case Unit::Time:
        return value == 0 ? QStringLiteral("0") : timeText(value);
    case Unit::Bytes:
        return bytesText(value);
    case Unit::Keys:
        return keysText(value);
    }
    return {};
}

void UnitTicker::suit(double low, double high)
{
    struct Choice {
        double scale;
        const char *name;
    };
    static const std::vector<Choice> times = {{1e-3, "µs"}, {1.0, "ms"}, {1e3, "s"}};
    static const std::vector<Choice> sizes = {{1.0, "bytes"}, {0x1p10, "KiB"}, {0x1p20, "MiB"}, {0x1p30, "GiB"}, {0x1p40, "TiB"}};
    m_scale = 1;
    m_unitName.clear();
    if (m_unit == Unit::Keys)
        return; // the title says keys, and a tick may say 8M
    const double typical = m_logarithmic && low > 0 ? std::sqrt(low * high) : high / 2;
    for (const Choice &each : m_unit == Unit::Time ? times : sizes)
        if (m_unitName.isEmpty() || typical >= each.scale) {
            m_scale = each.scale;
            m_unitName = QString::fromUtf8(each.name);
        }
}

QString UnitTicker::unit() const
{
    return m_unit == Unit::Keys ? QCoreApplication::translate("zigzag::UnitTicker", "keys") : m_unitName;
}

QString UnitTicker::titled(const QString &what) const
{
    return m_unitName.isEmpty() ? what : QStringLiteral("%1 (%2)").arg(what, m_unitName);
}

QString UnitTicker::getTickLabel(double tick, const QLocale &, QChar, int)
{
    if (m_unit == Unit::Keys)
        return text(tick);
    const double value = tick / m_scale;
    QString label = QString::number(value, 'f', value >= 100 ? 0 : value >= 1 ? 2 : 5);
    if (label.contains(QLatin1Char('.'))) // ticks are round: 2.00 says no more than 2
        while (label.endsWith(QLatin1Char('0')) || label.endsWith(QLatin1Char('.'))) {
            const bool point = label.endsWith(QLatin1Char('.'));
            label.chop(1);
            if (point)
                break;
        }
    return label;
}

} // namespace zigzag
