// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QItemSelectionModel>
#include <QRect>
#include <QString>
#include <functional>

class QAbstractItemModel;
class QAccessibleEvent;
class QWidget;

namespace zigzag {

/// What a screen reader is told of a widget that paints a table itself.
struct AccessibleGrid {
    QAbstractItemModel *model = nullptr; ///< shape, headings, and Qt::AccessibleTextRole of every cell
    QItemSelectionModel *selection = nullptr; ///< null: nothing can be selected
    std::function<QRect(int row, int column)> cell; ///< where it is now, in the widget's coordinates
    std::function<QString(int row)> rowName; ///< "layer 3"
    std::function<QString(int column)> columnName; ///< "KV head 1"
    /// What pressing a cell, or the header of a row, does: an action named "toggle"; empty: nothing can be pressed.
    std::function<void(int row, int column)> toggleCell = {};
    std::function<void(int row)> toggleRow = {};
};

/// Makes the cells of such a widget known to assistive technology (AT-SPI): a table with a name for every cell. Says by itself
/// when the current cell and the contents change.
void makeAccessible(QWidget *widget, const AccessibleGrid &grid);

/// Hears whatever assistive technology is told of cells, whether or not any is there: Qt passes news on only to what is.
using CellListener = std::function<void(const QAccessibleEvent &)>;
void listenToCells(CellListener wanted);

/// Combo boxes, plots and the timeline as a person names them. Qt names a combo box by its value alone, and a plot a filler.
/// Called once, by who makes the application; again does nothing.
void nameWidgetsForScreenReaders();

} // namespace zigzag
