// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/models/plotted_maps.h"

#include <QWidget>
#include <array>

namespace zigzag {

class CostPlot;
class SeriesLegend;

/// TTFT, TPOT and KV memory above each other, under one legend.
class PlotsPanel : public QWidget
{
    Q_OBJECT
public:
    explicit PlotsPanel(QWidget *parent = nullptr);

    /// `waiting` says in plain words why there are no times; empty when there are.
    void show(const PlottedMaps &plotted, const QString &waiting);
    void markContext(std::int64_t context);
    const std::array<CostPlot *, 3> &plots() const { return m_plots; }

private:
    SeriesLegend *m_legend;
    std::array<CostPlot *, 3> m_plots; // [quantity]
};

} // namespace zigzag
