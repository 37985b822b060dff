// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace zigzag {

/// Text of a foreign file as it may stand in an error line: control characters as spaces, bytes that are no UTF-8 as '?', at most
/// `longest` bytes and no half character.
std::string printable(std::string_view text, std::size_t longest = 80);

/// How many bytes the UTF-8 character at the beginning has; 0: there is none. The text is not empty.
std::size_t utf8Length(std::string_view text);

} // namespace zigzag
