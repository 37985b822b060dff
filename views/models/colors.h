// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/models/plotted_maps.h"

#include <QColor>
#include <QPalette>
#include <initializer_list>

namespace zigzag {

/// A score in [0, 1] as a colour of viridis: perceptually uniform, and ordered by lightness for colour-blind eyes.
QColor scoreColor(double score);
/// A difference in [−1, 1]: vermilion below zero, blue above, the background at zero; apart for colour-blind eyes.
QColor differenceColor(double difference, const QColor &background);
/// Contrast ratio of WCAG 2, 1 to 21.
double contrastRatio(const QColor &a, const QColor &b);
/// Black or white, whichever reads better on the background.
QColor inkOn(const QColor &background);
/// A colour as it is, or as far towards black or white as it must go to stand out from all of these grounds: a contrast of at
/// least 3, which WCAG 2 asks of anything that a person has to see.
QColor standingOut(const QColor &color, std::initializer_list<QColor> grounds);
inline constexpr double leastContrast = 3.0;
/// Between two colours: 0 = from, 1 = to.
QColor mixed(const QColor &from, const QColor &to, double share);

bool isDark(const QPalette &palette);
/// Colours that stay apart for colour-blind eyes; each series has a marker of its own besides.
QColor seriesColor(Series series, bool dark);
/// Of another variant of the map, the same again after six.
QColor variantColor(std::size_t variant, bool dark);

} // namespace zigzag
