// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/series_legend.h"

#include "views/models/colors.h"
#include "views/models/glossary.h"
#include "views/widgets/cost_plot.h"

#include <QPicture>

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
    setToolTip(explained(Term::Disturbed)); // the one word here that needs it
    setWhatsThis(explained(Term::Disturbed));
}

std::vector<SeriesLegend::Entry> SeriesLegend::entriesOf(const PlottedMaps &plotted)
{
    std::vector<Entry> entries;
    for (const Series series : allSeries)
        if (plotted.map(series))
            entries.push_back({static_cast<std::size_t>(series), nameOf(series, plotted)});
    constexpr qsizetype longest = 40; // a person's name for it may be any
    for (std::size_t variant = 0; variant < plotted.variantCount(); ++variant) {
        const QString &name = plotted.variantName(variant);
        entries.push_back(
            {allSeries.size() + variant, name.size() > longest ? name.left(longest - 1) + QStringLiteral("…") : name});
    }
    return entries;
}

void SeriesLegend::show(const PlottedMaps &plotted)
{
    std::vector<Entry> entries = entriesOf(plotted);
    if (entries == m_entries)
        return;
    m_entries = std::move(entries);
    QStringList names;
    for (const Entry &entry : m_entries)
        names << entry.name;
    setAccessibleDescription((names + keys()).join(QStringLiteral(", ")));
    updateGeometry();
    update();
}

std::vector<QRect> SeriesLegend::layOut(const std::vector<Entry> &entries, const QFontMetrics &metrics, int width)
{
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
    for (const Entry &entry : entries)
        place(entry.name, 2 * em + em / 2);
    x = width; // on a line of their own
    for (const QString &key : keys())
        place(key, 0);
    return places;
}

int SeriesLegend::heightForWidth(int width) const
{
    return layOut(m_entries, fontMetrics(), width).back().bottom() + fontMetrics().height() / 4;
}

QSize SeriesLegend::sizeHint() const
{
    return {fontMetrics().averageCharWidth() * 56, heightForWidth(fontMetrics().averageCharWidth() * 56)};
}

void SeriesLegend::paint(QCPPainter &painter, const std::vector<Entry> &entries, const QPalette &palette, int width)
{
    painter.setAntialiasing(true);
    const std::vector<QRect> places = layOut(entries, painter.fontMetrics(), width);
    const int em = painter.fontMetrics().height();
    const bool dark = isDark(palette);
    for (std::size_t index = 0; index < entries.size(); ++index) {
        const QRect &place = places[index];
        const QColor color = curveColor(entries[index].curve, dark);
        painter.setPen(dashesOf(entries[index].curve, color));
        const int middle = place.center().y();
        painter.drawLine(QLineF(place.left(), middle, place.left() + 2 * em, middle));
        const QCPScatterStyle marker = markerOf(entries[index].curve, color, em * 0.55);
        marker.applyTo(&painter, QPen(color));
        marker.drawShape(&painter, QPointF(place.left() + em, middle));
        painter.setPen(palette.color(QPalette::Text));
        painter.drawText(place.adjusted(2 * em + em / 3, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, entries[index].name);
    }
    painter.setPen(mixed(palette.color(QPalette::Text), palette.color(QPalette::Base), 0.3));
    std::size_t index = entries.size();
    for (const QString &key : keys())
        painter.drawText(places[index++], Qt::AlignVCenter | Qt::AlignLeft, key);
}

void SeriesLegend::paintEvent(QPaintEvent *)
{
    QCPPainter painter(this);
    paint(painter, m_entries, palette(), width());
}

int paintSeriesLegend(const PlottedMaps &plotted, QPainter &painter, const QFont &font, const QPalette &palette, int width)
{
    const std::vector<SeriesLegend::Entry> entries = SeriesLegend::entriesOf(plotted);
    QPicture picture; // the markers want QCustomPlot's own painter; a picture stays vectors
    QCPPainter own;
    own.begin(&picture);
    own.setFont(font);
    SeriesLegend::paint(own, entries, palette, width);
    const int height = SeriesLegend::layOut(entries, QFontMetrics(font), width).back().bottom() + QFontMetrics(font).height() / 4;
    own.end();
    painter.drawPicture(0, 0, picture);
    return height;
}

} // namespace zigzag
