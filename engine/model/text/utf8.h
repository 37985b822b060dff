// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace zigzag::utf8 {

/// The text with every byte that is not part of valid UTF-8 replaced by U+FFFD.
std::string valid(std::string_view text);

/// The code point at `position` of valid text, which is moved behind it.
char32_t next(std::string_view text, std::size_t &position);

void append(std::string &text, char32_t codePoint);

/// Unicode's White_Space property.
bool isSpace(char32_t codePoint);

} // namespace zigzag::utf8
