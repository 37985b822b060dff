// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/series_legend.h"

#include "views/models/colors.h"
#include "views/widgets/cost_plot.h"

namespace zigzag {

namespace {

/// What lines and marks mean, whatever the series.
QStringList keys()
{
    return {SeriesLegend::tr("dashed: predicted"), SeriesLegend::tr("markers: measured"), SeriesLegend::tr("pale: disturbed")};
}

} // namespace

SeriesLegend::SeriesLegend(QWidget *parent)
    : QWidget(parent)
{
    QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    setAccessibleName(tr("Legend of the plots"));
}

void SeriesLegend::show(const Study &study)
{
    std::vector<Entry> entries;
    for (const Series series : allSeries)
        if (study.map(series))
            entries.push_back({series, nameOf(series, study)});
    if (entries == m_entries)
        return;
    m_entries = std::move(entries);
    updateGeometry();
    update();
}

std::vector<QRect> SeriesLegend::layOut(int width) const
{
    const QFontMetrics metrics = fontMetrics();
    const int em = metrics.height();
    const int line = em + em / 3;
    std::vector<QRect> places;
    int x = em, y = em / 3;
    const auto place = [&](const QString &name, int symbol) {
        const int needed = symbol + metrics.horizontalAdvance(name) + em;
        if (x > em && x + needed > width) {
            x = em;
            y += line;
        }
        places.emplace_back(x, y, needed, line);
        x += needed;
    };
    for (const Entry &entry : m_entries)
        place(entry.name, 2 * em + em / 2);
    x = width; // on a line of their own
    for (const QString &key : keys())
        place(key, 0);
    return places;
}

int SeriesLegend::heightForWidth(int width) const
{
    return layOut(width).back().bottom() + fontMetrics().height() / 4;
}

QSize SeriesLegend::sizeHint() const
{
    return {fontMetrics().averageCharWidth() * 56, heightForWidth(fontMetrics().averageCharWidth() * 56)};
}

void SeriesLegend::paintEvent(QPaintEvent *)
{
    QCPPainter painter(this);
    painter.setAntialiasing(true);
    const std::vector<QRect> places = layOut(width());
    const int em = fontMetrics().height();
    const bool dark = isDark(palette());
    for (std::size_t index = 0; index < m_entries.size(); ++index) {
        const QRect &place = places[index];
        const QColor color = seriesColor(m_entries[index].series, dark);
        painter.setPen(dashesOf(m_entries[index].series, color));
        const int middle = place.center().y();
        painter.drawLine(QLineF(place.left(), middle, place.left() + 2 * em, middle));
        const QCPScatterStyle marker = markerOf(m_entries[index].series, color, em * 0.55);
        marker.applyTo(&painter, QPen(color));
        marker.drawShape(&painter, QPointF(place.left() + em, middle));
        painter.setPen(palette().color(QPalette::Text));
        painter.drawText(place.adjusted(2 * em + em / 3, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, m_entries[index].name);
    }
    painter.setPen(mixed(palette().color(QPalette::Text), palette().color(QPalette::Base), 0.3));
    std::size_t index = m_entries.size();
    for (const QString &key : keys())
        painter.drawText(places[index++], Qt::AlignVCenter | Qt::AlignLeft, key);
}

} // namespace zigzag
