// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace zigzag {

/// Unicode normalization form C (Unicode Standard Annex 15) of valid UTF-8.
std::string composed(std::string_view text);

} // namespace zigzag
