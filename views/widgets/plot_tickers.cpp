// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/plot_tickers.h"

#include "views/models/text.h"

#include <cmath>

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

QVector<double> UnitTicker::createTickVector(double tickStep, const QCPRange &range)
{
    if (!m_logarithmic)
        return QCPAxisTicker::createTickVector(tickStep, range);
    QVector<double> ticks;
    if (!(range.lower > 0) || !std::isfinite(range.upper))
        return ticks;
    if (m_unit != Unit::Time) {
        const int first = static_cast<int>(std::floor(std::log2(range.lower)));
        const int last = static_cast<int>(std::ceil(std::log2(range.upper)));
        const int step = std::max(1, (last - first) / 5);
        for (int power = first; power <= last; power += step)
            ticks.append(std::exp2(power));
        return ticks;
    }
    const int first = static_cast<int>(std::floor(std::log10(range.lower)));
    const int last = static_cast<int>(std::ceil(std::log10(range.upper)));
    const bool decadesOnly = std::log10(range.upper / range.lower) > 3.2;
    for (int power = first; power <= last; ++power)
        for (const double mantissa : {1.0, 2.0, 5.0})
            if (mantissa == 1.0 || !decadesOnly)
                ticks.append(mantissa * std::pow(10.0, power));
    return ticks;
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

QString UnitTicker::getTickLabel(double tick, const QLocale &, QChar, int)
{
    QString label = text(tick);
    // Ticks are round: 2.00 ms says no more than 2 ms.
    static const QRegularExpression zeros(QStringLiteral("(\\.\\d*?)0+(?=\\D|$)"));
    label.replace(zeros, QStringLiteral("\\1"));
    return label.replace(QStringLiteral(". "), QStringLiteral(" "));
}

} // namespace zigzag
