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
    bool isTable = false; ///< words and numbers alone
    bool fitsAnySize = false; ///< it is laid out anew for a paper's size; others are scaled to its width
};

/// What a picture is for: a document's size as on the screen, a column or the width of a page in a paper, a slide.
enum class PaperSize { Screen, Column, Page, Slide };

/// A picture's place on paper: laid out in `logical` pixels, in which letters have the size that they have on the screen, and
/// `millimetres` wide.
struct Placement {
    QSize logical;
    double millimetres = 0;
    /// From logical pixels to dots.
    double scale(double dotsPerInch) const;
};
Placement placementOf(const Exhibit &exhibit, PaperSize paper);

/// The size of a plot in a document: 7.5 × 5 inches, 1440 × 960 dots as PNG, with letters of the size that they have on the
/// screen.
inline constexpr QSize documentSize(720, 480);

/// Writes what the ending asks for: .png (at twice the size of the screen, for paper at 600 dots an inch, for a slide at 192),
/// .svg, .pdf or .csv; anything else is refused. Whole or not at all.
Result<void> saveExhibit(const Exhibit &exhibit, const QString &path, PaperSize paper = PaperSize::Screen);
/// An SVG drawing, as it would be saved.
QByteArray svgOf(const Exhibit &exhibit, PaperSize paper = PaperSize::Screen);
/// For a file dialog.
QString exhibitFilter();

/// A table as an exhibit: every row and column, whether or not it can be seen.
Exhibit tableExhibit(const QString &name, const QString &fileName, const QAbstractItemView &table);

} // namespace zigzag
