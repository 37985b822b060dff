// SPDX-License-Identifier: GPL-3.0-or-later
// The inside of a tag as names, texts, numbers and signs.
#include "engine/model/text/jinja_syntax.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

namespace zigzag::jinja {

namespace {

std::string unescaped(std::string_view quoted)
{
    std::string text;
    for (std::size_t i = 0; i < quoted.size(); ++i) {
        if (quoted[i] != '\\' || i + 1 == quoted.size()) {
            text += quoted[i];
            continue;
        }
        switch (const char c = quoted[++i]) {
        case 'n':
            text += '\n';
            break;
        case 't':
            text += '\t';
            break;
        case 'r':
            text += '\r';
            break;
        case '\\':
        case '\'':
        case '"':
            text += c;
            break;
        case '\n':
            break; // a line that goes on
        case 'u':
        case 'x': {
            const std::size_t digits = c == 'u' ? 4 : 2;
            unsigned int code = 0;
            const std::string_view hex = quoted.substr(i + 1, digits);
            if (hex.size() != digits || std::from_chars(hex.data(), hex.data() + digits, code, 16).ptr != hex.data() + digits)
                throw Fault{"an escape in a text is not whole"};
            if (code < 0x80) {
                text += static_cast<char>(code);
            } else if (code < 0x800) {
                text += static_cast<char>(0xc0 | (code >> 6));
                text += static_cast<char>(0x80 | (code & 0x3f));
            } else if (code >= 0xd800 && code < 0xe000) {
                throw Fault{"an escape in a text is half a character"};
            } else {
                text += static_cast<char>(0xe0 | (code >> 12));
                text += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
                text += static_cast<char>(0x80 | (code & 0x3f));
            }
            i += digits;
            break;
        }
        default:
            text += '\\', text += c;
        }
    }
    return text;
}

bool isNameStart(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool isDigit(char c)
{
    return c >= '0' && c <= '9';
}

} // namespace

std::vector<Token> tokensOf(std::string_view text)
{
    std::vector<Token> tokens;
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        if (std::string_view(" \t\n\r").find(c) != std::string_view::npos) {
            ++i;
        } else if (isNameStart(c)) {
            std::size_t end = i;
            while (end < text.size() && (isNameStart(text[end]) || isDigit(text[end])))
                ++end;
            tokens.push_back({Token::Kind::Name, std::string(text.substr(i, end - i))});
            i = end;
        } else if (isDigit(c)) {
            double real = 0;
            std::int64_t whole = 0;
            const auto [wholeEnd, wholeError] = std::from_chars(text.data() + i, text.data() + text.size(), whole);
            const auto [realEnd, realError] = std::from_chars(text.data() + i, text.data() + text.size(), real);
            if (wholeError != std::errc() || realError != std::errc())
                throw Fault{"a number is too large"};
            tokens.push_back({Token::Kind::Number, "", realEnd == wholeEnd ? Value(whole) : Value(real)});
            i = static_cast<std::size_t>(realEnd - text.data());
        } else if (c == '\'' || c == '"') {
            std::size_t end = i + 1;
            while (end < text.size() && text[end] != c)
                end += text[end] == '\\' ? 2 : 1;
            if (end >= text.size())
                throw Fault{"a text has no end"};
            tokens.push_back({Token::Kind::Text, unescaped(text.substr(i + 1, end - i - 1))});
            i = end + 1;
        } else {
            static constexpr std::array<std::string_view, 6> pairs = {"==", "!=", "<=", ">=", "//", "**"};
            const std::string_view two = text.substr(i, 2);
            const bool isPair = std::find(pairs.begin(), pairs.end(), two) != pairs.end();
            if (!isPair && std::string_view("+-*/%~|.,:()[]{}<>=").find(c) == std::string_view::npos)
                throw Fault{fmt::format("the sign \"{}\" is not understood", c)};
            tokens.push_back({Token::Kind::Sign, std::string(isPair ? two : text.substr(i, 1))});
            i += isPair ? 2 : 1;
        }
    }
    tokens.push_back({});
    return tokens;
}

} // namespace zigzag::jinja
