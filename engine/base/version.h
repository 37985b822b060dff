// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

namespace zigzag {

/// What files and records name as their maker; the number comes from the project's CMakeLists.txt.
inline constexpr std::string_view programVersion = "zigzag " ZIGZAG_VERSION;

} // namespace zigzag
