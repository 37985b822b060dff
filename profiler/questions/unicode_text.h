// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

// Texts as Python's str has them, for which the rules of publishers are written: code points, and Unicode's classes of them.
namespace zigzag::unicode {

/// Bytes that are no UTF-8 become U+FFFD.
std::u32string codePoints(std::string_view utf8);

/// str.lower
std::u32string lowered(std::u32string_view text);
/// str.upper
std::u32string uppered(std::u32string_view text);
/// str.isspace of one character: what str.split and str.strip go by.
bool isSpace(char32_t c);
/// str.strip
std::u32string_view stripped(std::u32string_view text);
/// str.split
std::vector<std::u32string> words(std::u32string_view text);
/// str.split of one character: parts may be empty.
std::vector<std::u32string> splitAt(std::u32string_view text, char32_t separator);
/// str.replace of single characters by a space.
std::u32string spacesFor(std::u32string_view characters, std::u32string text);
/// str.replace
std::u32string replaced(std::u32string_view text, std::u32string_view part, std::u32string_view by);
bool contains(std::u32string_view text, std::u32string_view part);

/// \d of Python's re: a digit's value, or −1.
int digit(char32_t c);
/// \d+ of Python's re, all of them.
std::vector<std::u32string> numbers(std::u32string_view text);
/// Of string.punctuation.
bool isAsciiPunctuation(char32_t c);
/// \w of Python's re.
bool isOfWord(char32_t c);

} // namespace zigzag::unicode
