// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/text/jinja_syntax.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag::jinja {

namespace {

constexpr std::string_view spaces = " \t\n\r\f\v";

/// Where the tag ends whose inside begins at `from`: the closing brackets outside quotes.
std::size_t endOfTag(std::string_view text, std::size_t from, std::string_view closing)
{
    char quote = '\0';
    int open = 0;
    for (std::size_t i = from; i < text.size(); ++i) {
        const char c = text[i];
        if (quote != '\0') {
            if (c == '\\')
                ++i;
            else if (c == quote)
                quote = '\0';
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == '{') {
            ++open;
        } else if (c == '}' && open > 0) { // of an object
            --open;
        } else if (text.substr(i, 2) == closing) {
            return i;
        }
    }
    throw Fault{fmt::format("a tag that begins at byte {} has no {}", from, closing)};
}

void stripRight(std::string &text)
{
    text.resize(text.find_last_not_of(spaces) + 1); // npos + 1 is 0
}

/// Drops the blanks between the last line's beginning and a tag (lstrip_blocks).
void stripIndent(std::string &text, bool isFirst)
{
    const std::size_t last = text.find_last_not_of(" \t");
    if (last == std::string::npos ? isFirst : text[last] == '\n')
        text.resize(last + 1);
}

class Cutter
{
public:
    explicit Cutter(std::string_view text)
        : m_text(text)
    {
        if (!m_text.empty() && m_text.back() == '\n') // a template's last newline is none of its own
            m_text.remove_suffix(m_text.size() > 1 && m_text[m_text.size() - 2] == '\r' ? 2 : 1);
    }

    std::vector<Piece> cut()
    {
        while (m_at < m_text.size())
            next();
        return std::move(m_pieces);
    }

private:
    void next()
    {
        std::size_t begin = m_at;
        while ((begin = m_text.find('{', begin)) != std::string_view::npos && begin + 1 < m_text.size()
               && std::string_view("{%#").find(m_text[begin + 1]) == std::string_view::npos)
            ++begin;
        if (begin == std::string_view::npos || begin + 1 >= m_text.size())
            begin = m_text.size();
        std::string before(m_text.substr(m_at, begin - m_at));
        const bool isLineBegin = m_at == 0;
        if (begin == m_text.size()) {
            m_at = begin;
            addText(std::move(before));
            return;
        }
        const char kind = m_text[begin + 1];
        std::size_t inside = begin + 2;
        const char sign = inside < m_text.size() ? m_text[inside] : '\0';
        if (sign == '-')
            stripRight(before);
        else if (kind != '{' && sign != '+')
            stripIndent(before, isLineBegin || m_cutLine);
        if ((sign == '-' || sign == '+'))
            ++inside;
        addText(std::move(before));
        m_at = inside;
        take(kind);
    }

    void take(char kind)
    {
        const std::size_t end = kind == '#' ? m_text.find("#}", m_at) : endOfTag(m_text, m_at, kind == '{' ? "}}" : "%}");
        if (end == std::string_view::npos)
            throw Fault{"a comment has no end"};
        std::string_view inside = m_text.substr(m_at, end - m_at);
        const char sign = inside.empty() ? '\0' : inside.back();
        if (sign == '-' || (sign == '+' && kind != '{'))
            inside.remove_suffix(1);
        m_at = end + 2;
        m_cutLine = false;
        if (sign == '-') {
            m_at = std::min(m_text.find_first_not_of(spaces, m_at), m_text.size());
        } else if (kind != '{' && sign != '+') { // trim_blocks
            if (m_text.substr(m_at, 2) == "\r\n")
                m_at += 2, m_cutLine = true;
            else if (m_text.substr(m_at, 1) == "\n")
                m_at += 1, m_cutLine = true;
        }
        if (kind != '#')
            m_pieces.push_back({kind == '{' ? Piece::Kind::Output : Piece::Kind::Tag, std::string(inside)});
    }

    void addText(std::string text)
    {
        if (!text.empty())
            m_pieces.push_back({Piece::Kind::Text, std::move(text)});
    }

    std::string_view m_text;
    std::size_t m_at = 0;
    bool m_cutLine = false; ///< what follows begins a line, whose newline was cut
    std::vector<Piece> m_pieces;
};

} // namespace

std::vector<Piece> cutTemplate(std::string_view text)
{
    return Cutter(text).cut();
}

} // namespace zigzag::jinja
