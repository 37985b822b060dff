// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/map_difference.h"

#include <QAbstractTableModel>
#include <QString>

namespace zigzag {

/// Where two maps differ: a row for each layer that does, then a row for all layers. Each cost stands as "this map → the
/// other", so that a row reads as one sentence.
class MapDifferenceModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Layer, Heads, Streaming, Kv, Demoted, Transport, ColumnCount };

    using QAbstractTableModel::QAbstractTableModel;

    /// `bytesPerSlot`: of keys and values of one head; 0 where the head size is not known, and tokens are shown then.
    void show(MapDifference difference, int heads, double bytesPerSlot);
    const MapDifference &difference() const { return m_difference; }
    /// −1 in the row of all layers.
    int layerAt(int row) const;
    /// One line on the whole; it says so when there is no difference.
    QString summary() const;

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    QVariantList csvValues(int row, int column) const;
    QString text(int row, int column) const;
    QString kvText(const MapSide &side) const;

    MapDifference m_difference;
    int m_heads = 0;
    double m_bytesPerSlot = 0;
};

} // namespace zigzag
