// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/exhibit.h"

#include "engine/base/files.h"
#include "views/models/csv.h"
#include "views/models/native_path.h"
#include "views/models/text.h"

#include <QAbstractItemModel>
#include <QAbstractItemView>
#include <QBuffer>
#include <QFileInfo>
#include <QImage>
#include <QPageSize>
#include <QPdfWriter>
#include <QSvgGenerator>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace zigzag {

namespace {

constexpr int pixelsPerInch = 96;

constexpr double millimetresPerInch = 25.4;

/// Of a picture that is laid out in logical pixels.
void paintScaled(const Exhibit &exhibit, const Placement &place, QPainter &painter, double scale)
{
    if (std::abs(scale - 1) > 1e-9)
        painter.scale(scale, scale);
    exhibit.paint(painter, place.logical);
}

QSize dotsOf(const Placement &place, double scale)
{
    return (QSizeF(place.logical) * scale).toSize();
}

QByteArray png(const Exhibit &exhibit, PaperSize paper)
{
    const bool isPaper = paper == PaperSize::Column || paper == PaperSize::Page;
    const double dotsPerInch = isPaper ? 600 : 2 * pixelsPerInch;
    const Placement place = placementOf(exhibit, paper);
    const double scale = place.scale(dotsPerInch);
    QImage image(dotsOf(place, scale), QImage::Format_RGB32);
    image.fill(Qt::white);
    const int dotsPerMetre = static_cast<int>(std::lround(dotsPerInch / millimetresPerInch * 1000));
    image.setDotsPerMeterX(
        static_cast<int>(std::lround(pixelsPerInch / millimetresPerInch * 1000))); // letters as on the screen …
    image.setDotsPerMeterY(image.dotsPerMeterX());
    QPainter painter(&image);
    paintScaled(exhibit, place, painter, scale);
    painter.end();
    image.setDotsPerMeterX(dotsPerMetre); // … and the picture as wide as it is meant
    image.setDotsPerMeterY(dotsPerMetre);
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    image.save(&buffer, "PNG");
    return bytes;
}

QByteArray pdf(const Exhibit &exhibit, PaperSize paper)
{
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    const Placement place = placementOf(exhibit, paper);
    const double scale = place.scale(pixelsPerInch);
    writer.setPageSize(QPageSize(QSizeF(place.logical) * (scale * 72.0 / pixelsPerInch), QPageSize::Point));
    writer.setPageMargins({});
    writer.setResolution(pixelsPerInch);
    writer.setTitle(exhibit.name);
    writer.setCreator(QStringLiteral("Zigzag Studio"));
    QPainter painter(&writer);
    paintScaled(exhibit, place, painter, scale);
    painter.end();
    return bytes;
}

/// Widths of the columns so that header and cells fit.
std::vector<int> columnWidths(const QAbstractItemModel &model, const QFontMetrics &metrics)
{
    std::vector<int> widths;
    const int gap = metrics.averageCharWidth() * 3;
    for (int column = 0; column < model.columnCount(); ++column) {
        int widest = metrics.horizontalAdvance(model.headerData(column, Qt::Horizontal).toString());
        for (int row = 0; row < model.rowCount(); ++row)
            widest = std::max(widest, metrics.horizontalAdvance(model.index(row, column).data().toString()));
        widths.push_back(widest + gap);
    }
    return widths;
}

} // namespace

double Placement::scale(double dotsPerInch) const
{
    return millimetres / millimetresPerInch * dotsPerInch / logical.width();
}

Placement placementOf(const Exhibit &exhibit, PaperSize paper)
{
    const QSize natural = exhibit.size();
    const auto placed = [&](const QSize &logical, double millimetres) {
        return Placement{exhibit.fitsAnySize ? logical : natural, millimetres};
    };
    switch (paper) {
    case PaperSize::Column: // of two; letters of 9 points are 7 there
        return placed({420, 300}, 85);
    case PaperSize::Page:
        return placed({740, 440}, 180);
    case PaperSize::Slide: // of 16 : 9, to be read from afar
        return placed({600, 338}, 254);
    case PaperSize::Screen:
        break;
    }
    return {natural, natural.width() * millimetresPerInch / pixelsPerInch};
}

QByteArray svgOf(const Exhibit &exhibit, PaperSize paper)
{
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    const Placement place = placementOf(exhibit, paper);
    const double scale = place.scale(pixelsPerInch);
    generator.setSize(dotsOf(place, scale));
    generator.setViewBox(QRect(QPoint(), dotsOf(place, scale)));
    generator.setResolution(pixelsPerInch);
    generator.setTitle(exhibit.name);
    QPainter painter(&generator);
    paintScaled(exhibit, place, painter, scale);
    painter.end();
    return bytes;
}

Result<void> saveExhibit(const Exhibit &exhibit, const QString &path, PaperSize paper)
{
    const QString ending = QFileInfo(path).suffix().toLower();
    QByteArray bytes;
    if (ending == QLatin1String("png"))
        bytes = png(exhibit, paper);
    else if (ending == QLatin1String("svg"))
        bytes = svgOf(exhibit, paper);
    else if (ending == QLatin1String("pdf"))
        bytes = pdf(exhibit, paper);
    else if (ending == QLatin1String("csv"))
        bytes = exhibit.csv().toUtf8();
    else
        return badInput(
            tr("%1: the ending says what is written: give .png, .svg, .pdf or .csv").arg(shownPath(path)).toStdString());
    return writeFileAtomically(pathOf(path), std::string_view(bytes.constData(), static_cast<std::size_t>(bytes.size())));
}

QString exhibitFilter()
{
    return tr("PNG picture (*.png);;SVG drawing (*.svg);;PDF document (*.pdf);;Numbers as CSV (*.csv)");
}

Exhibit tableExhibit(const QString &name, const QString &fileName, const QAbstractItemView &table)
{
    const QAbstractItemView *view = &table;
    Exhibit exhibit{name, fileName, {}, {}, {}, true, false};
    exhibit.size = [view] {
        const QFontMetrics metrics(view->font());
        const std::vector<int> widths = columnWidths(*view->model(), metrics);
        const int line = metrics.height() * 3 / 2;
        return QSize(std::max(100, std::accumulate(widths.begin(), widths.end(), metrics.height())),
                     line * (view->model()->rowCount() + 1) + metrics.height());
    };
    exhibit.paint = [view](QPainter &painter, const QSize &size) {
        const QAbstractItemModel &model = *view->model();
        const QFontMetrics metrics(view->font());
        const std::vector<int> widths = columnWidths(model, metrics);
        const int line = metrics.height() * 3 / 2, margin = metrics.height() / 2;
        painter.fillRect(QRect(QPoint(), size), view->palette().color(QPalette::Base));
        painter.setPen(view->palette().color(QPalette::Text));
        for (int row = -1; row < model.rowCount(); ++row) {
            QFont font = view->font();
            font.setBold(row < 0);
            painter.setFont(font);
            int x = margin;
            for (int column = 0; column < model.columnCount(); ++column) {
                const int width = widths[static_cast<std::size_t>(column)];
                const QVariant text = row < 0 ? model.headerData(column, Qt::Horizontal) : model.index(row, column).data();
                const QVariant alignment = row < 0 ? model.headerData(column, Qt::Horizontal, Qt::TextAlignmentRole)
                                                   : model.index(row, column).data(Qt::TextAlignmentRole);
                painter.drawText(QRect(x, margin + (row + 1) * line, width - metrics.averageCharWidth(), line),
                                 alignment.isValid() ? alignment.toInt() : static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter),
                                 text.toString());
                x += width;
            }
        }
        painter.drawLine(margin, margin + line, size.width() - margin, margin + line);
    };
    exhibit.csv = [view] { return csvOf(*view->model()); };
    return exhibit;
}

} // namespace zigzag
