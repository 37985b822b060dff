// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/text/utf8.h"

#include <array>

namespace zigzag::utf8 {

namespace {

constexpr char32_t replacement = 0xfffd;

struct Decoded {
    char32_t codePoint;
    std::size_t length; ///< 0 where the bytes are not valid
};

Decoded decode(std::string_view text)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80)
        return {first, 1};
    const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length == 0 || text.size() < length)
        return {replacement, 0};
    char32_t codePoint = first & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80)
            return {replacement, 0};
        codePoint = codePoint << 6 | (byte(i) & 0x3fu);
    }
    static constexpr std::array<char32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = codePoint >= 0xd800 && codePoint < 0xe000;
    if (codePoint < least[length] || codePoint > 0x10ffff || surrogate)
        return {replacement, 0};
    return {codePoint, length};
}

} // namespace

std::string valid(std::string_view text)
{
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const Decoded decoded = decode(text.substr(i));
        if (decoded.length == 0)
            append(result, replacement);
        else
            result.append(text, i, decoded.length);
        i += decoded.length == 0 ? 1 : decoded.length;
    }
    return result;
}

char32_t next(std::string_view text, std::size_t &position)
{
    const Decoded decoded = decode(text.substr(position));
    position += decoded.length == 0 ? 1 : decoded.length;
    return decoded.codePoint;
}

void append(std::string &text, char32_t codePoint)
{
    const auto put = [&](char32_t value) { text += static_cast<char>(static_cast<unsigned char>(value)); };
    if (codePoint < 0x80) {
        put(codePoint);
        return;
    }
    if (codePoint < 0x800) {
        put(0xc0 | codePoint >> 6);
    } else {
        if (codePoint < 0x10000) {
            put(0xe0 | codePoint >> 12);
        } else {
            put(0xf0 | codePoint >> 18);
            put(0x80 | (codePoint >> 12 & 0x3f));
        }
        put(0x80 | (codePoint >> 6 & 0x3f));
    }
    put(0x80 | (codePoint & 0x3f));
}

bool isSpace(char32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a)
        || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

} // namespace zigzag::utf8
