// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/exhibit.h"

#include "engine/base/files.h"
#include "views/models/csv.h"
#include "views/models/native_path.h"

#include <QAbstractItemModel>
#include <QAbstractItemView>
#include <QBuffer>
#include <QCoreApplication>
#include <QFileInfo>
#include <QImage>
#include <QPageSize>
#include <QPdfWriter>
#include <QSvgGenerator>

#include <algorithm>
#include <numeric>

namespace zigzag {

namespace {

QString tr(const char *source)
{
    return QCoreApplication::translate("zigzag::Exhibit", source);
}

constexpr int pixelsPerInch = 96;

QByteArray png(const Exhibit &exhibit)
{
    constexpr double scale = 2.0;
    const QSize size = exhibit.size();
    QImage image(size * scale, QImage::Format_RGB32);
    image.setDevicePixelRatio(scale);
    image.fill(Qt::white);
    QPainter painter(&image);
    exhibit.paint(painter, size);
    painter.end();
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    image.save(&buffer, "PNG");
    return bytes;
}

QByteArray svg(const Exhibit &exhibit)
{
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize(exhibit.size());
    generator.setViewBox(QRect(QPoint(), exhibit.size()));
    generator.setResolution(pixelsPerInch);
    generator.setTitle(exhibit.name);
    QPainter painter(&generator);
    exhibit.paint(painter, exhibit.size());
    painter.end();
    return bytes;
}

QByteArray pdf(const Exhibit &exhibit)
{
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    const QSize size = exhibit.size();
    writer.setPageSize(QPageSize(QSizeF(size) * (72.0 / pixelsPerInch), QPageSize::Point));
    writer.setPageMargins({});
    writer.setResolution(pixelsPerInch);
    writer.setTitle(exhibit.name);
    writer.setCreator(QStringLiteral("Zigzag Studio"));
    QPainter painter(&writer);
    exhibit.paint(painter, size);
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

Result<void> saveExhibit(const Exhibit &exhibit, const QString &path)
{
    const QString ending = QFileInfo(path).suffix().toLower();
    QByteArray bytes;
    if (ending == QLatin1String("png"))
        bytes = png(exhibit);
    else if (ending == QLatin1String("svg"))
        bytes = svg(exhibit);
    else if (ending == QLatin1String("pdf"))
        bytes = pdf(exhibit);
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
    Exhibit exhibit{name, fileName, {}, {}, {}};
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
