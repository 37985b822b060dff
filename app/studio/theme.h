// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPalette>
#include <QString>
#include <optional>

namespace zigzag {

enum class Theme { System, Light, Dark };

std::optional<Theme> parseTheme(const QString &name);
QString nameOf(Theme theme);
/// Style and palette of the whole program. System: light or dark as the desktop is.
void applyTheme(Theme theme);

} // namespace zigzag
