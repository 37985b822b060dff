// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/printable.h"

namespace zigzag {

std::size_t utf8Length(std::string_view text)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80)
        return 1;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length)
        return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
    // Too long a form, halves of UTF-16 pairs, and what lies beyond Unicode.
    const unsigned char second = byte(1);
    const bool isWrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90)
        || (first == 0xf4 && second > 0x8f);
    return isWrong ? 0 : length;
}

std::string printable(std::string_view text, std::size_t longest)
{
    std::string line;
    while (!text.empty()) {
        const std::size_t length = utf8Length(text);
        if (line.size() + (length == 0 ? 1 : length) > longest)
            return line + "...";
        const auto first = static_cast<unsigned char>(text[0]);
        // U+0080 to U+009F are control characters too, and terminals obey some of them.
        const bool isControl
            = first < 0x20 || first == 0x7f || (length == 2 && first == 0xc2 && text[1] < static_cast<char>(0xa0));
        if (length == 0)
            line += '?';
        else if (isControl)
            line += ' ';
        else
            line += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return line;
}

} // namespace zigzag
