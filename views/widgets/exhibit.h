// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <QPainter>
#include <QSize>
#include <QString>
#include <functional>

class QAbstractItemView;

namespace zigzag {

/// A plot or a table that a person can take out of the window: a picture, or its numbers.
struct Exhibit {
    QString name; ///< as in "Save the op table…": a noun
    QString fileName; ///< suggested, without its ending
    std::function<QSize()> size; ///< of the picture, in pixels of the screen
    std::function<void(QPainter &, const QSize &)> paint;
    std::function<QString()> csv; ///< with a header line
};

/// The size of a plot in a document: 7.5 × 5 inches, 1440 × 960 dots as PNG, with letters of the size that they have on the
/// screen.
inline constexpr QSize documentSize(720, 480);

/// Writes what the ending asks for: .png (at twice the size of the screen), .svg, .pdf or .csv; anything else is refused.
/// Whole or not at all.
Result<void> saveExhibit(const Exhibit &exhibit, const QString &path);
/// For a file dialog.
QString exhibitFilter();

/// A table as an exhibit: every row and column, whether or not it can be seen.
Exhibit tableExhibit(const QString &name, const QString &fileName, const QAbstractItemView &table);

} // namespace zigzag
