// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/models/plotted_maps.h"

#include <QFont>
#include <QPalette>
#include <QWidget>
#include <vector>

class QCPPainter;

namespace zigzag {

/// The legend above a picture that is `width` wide; returns its height.
int paintSeriesLegend(const PlottedMaps &plotted, QPainter &painter, const QFont &font, const QPalette &palette, int width);

/// The legend of all plots: colour and marker per series, and what dashes and markers mean.
class SeriesLegend : public QWidget
{
    Q_OBJECT
public:
    explicit SeriesLegend(QWidget *parent = nullptr);
    void show(const PlottedMaps &plotted);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {0, heightForWidth(width())}; }
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    struct Entry {
        std::size_t curve = 0;
        QString name;
        bool operator==(const Entry &) const = default;
    };
    friend int paintSeriesLegend(const PlottedMaps &plotted, QPainter &painter, const QFont &font, const QPalette &palette,
                                 int width);
    static std::vector<Entry> entriesOf(const PlottedMaps &plotted);
    /// Where each entry goes when the row is `width` wide; the last rectangles are the keys'.
    static std::vector<QRect> layOut(const std::vector<Entry> &entries, const QFontMetrics &metrics, int width);
    static void paint(QCPPainter &painter, const std::vector<Entry> &entries, const QPalette &palette, int width);

    std::vector<Entry> m_entries;
};

} // namespace zigzag
