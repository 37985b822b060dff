// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/models/plotted_maps.h"
#include "views/widgets/plot_header.h"

#include <algorithm>

namespace zigzag {

/// Ticks at the contexts that are drawn, written as 512, 1K, 128K; every second one where there are many.
class ContextTicker : public QCPAxisTicker
{
public:
    void setContexts(const std::vector<std::int64_t> &contexts);

protected:
    QVector<double> createTickVector(double tickStep, const QCPRange &range) override;
    QVector<double> createSubTickVector(int subTickCount, const QVector<double> &ticks) override;
    QString getTickLabel(double tick, const QLocale &locale, QChar formatChar, int precision) override;

private:
    QVector<double> m_contexts;
};

/// Round numbers in the one unit that suits the range, which the axis title names: 1, 2, 5 in each decade of a logarithmic axis
/// (powers of two where bytes are counted).
class UnitTicker : public QCPAxisTicker
{
public:
    enum class Unit { Time, Bytes, Keys };
    void show(Unit unit, bool logarithmic);
    /// Chooses the unit for a range of milliseconds, bytes or keys.
    void suit(double low, double high);
    /// A title for the axis: "time per token (µs)".
    QString titled(const QString &what) const;
    /// How many ticks have room beside each other.
    void setRoom(int ticks) { m_room = std::max(2, ticks); }
    /// The unit alone: "µs", "MiB", "keys".
    QString unit() const;
    QString text(double value) const;

protected:
    double getTickStep(const QCPRange &range) override; ///< round in the unit: whole MiB, not millions of bytes
    QVector<double> createTickVector(double tickStep, const QCPRange &range) override;
    QVector<double> createSubTickVector(int subTickCount, const QVector<double> &ticks) override;
    QString getTickLabel(double tick, const QLocale &locale, QChar formatChar, int precision) override;

private:
    Unit m_unit = Unit::Time;
    bool m_logarithmic = true;
    double m_scale = 1; ///< of the chosen unit, in what values are counted in
    QString m_unitName;
    int m_room = 8;
};

} // namespace zigzag
