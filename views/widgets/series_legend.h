// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/models/study.h"

#include <QWidget>
#include <vector>

namespace zigzag {

/// The legend of all plots: colour and marker per series, and what dashes and markers mean.
class SeriesLegend : public QWidget
{
    Q_OBJECT
public:
    explicit SeriesLegend(QWidget *parent = nullptr);
    void show(const Study &study);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {0, heightForWidth(width())}; }
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    struct Entry {
        Series series;
        QString name;
        bool operator==(const Entry &) const = default;
    };
    /// Where each entry goes when the row is `width` wide; the last rectangle is the note's.
    std::vector<QRect> layOut(int width) const;

    std::vector<Entry> m_entries;
};

} // namespace zigzag
