// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/question_records.h"

#include "engine/base/json_brackets.h"
#include "engine/base/printable.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag::questions {
namespace {

constexpr std::string_view blanks = " \t\r\n";

/// Behind the bracket that closes the one at `from`; npos: none does.
std::size_t endOfBrackets(std::string_view text, std::size_t from)
{
    std::size_t depth = 0, end = std::string_view::npos;
    json::walkBrackets(text, from, [&](std::size_t at, bool opens) {
        depth += opens ? 1 : 0;
        if (!opens && --depth == 0)
            end = at + 1;
        return depth > 0;
    });
    return end;
}

} // namespace

Result<void> checkUtf8(std::string_view text, const std::string &file)
{
    std::size_t line = 1;
    for (std::size_t at = 0; at < text.size();) {
        if (static_cast<unsigned char>(text[at]) < 0x80) {
            line += text[at++] == '\n' ? 1 : 0;
            continue;
        }
        const std::size_t length = utf8Length(text.substr(at, 4));
        if (length == 0)
            return badInput(fmt::format("{}: line {}: not UTF-8; save the file as UTF-8", file, line));
        at += length;
    }
    return {};
}

RecordCutter::RecordCutter(std::string_view text, const std::string &file)
    : m_text(text)
    , m_file(file)
{
    if (m_text.starts_with("\xef\xbb\xbf"))
        m_text.remove_prefix(3);
    skipBlanks();
    if (m_at == m_text.size())
        return;
    if (m_text[m_at] == '[') {
        m_form = Form::Array;
        ++m_at;
    } else if (m_text[m_at] == '{') {
        // An object that does not end in its line is the whole file, or broken; then its line says so.
        const std::size_t lineEnd = std::min(m_text.find('\n', m_at), m_text.size());
        const std::size_t end = endOfBrackets(m_text, m_at);
        if (end != std::string_view::npos && end > lineEnd && m_text.find_first_not_of(blanks, end) == std::string_view::npos)
            m_form = Form::Whole;
    }
}

void RecordCutter::skipBlanks()
{
    for (; m_at < m_text.size() && blanks.find(m_text[m_at]) != std::string_view::npos; ++m_at)
        m_line += m_text[m_at] == '\n' ? 1 : 0;
}

tl::unexpected<Error> RecordCutter::wrong(std::string_view what) const
{
    return badInput(fmt::format("{}: line {}: {}", m_file, m_line, what));
}

Result<std::optional<Record>> RecordCutter::next()
{
    Result<std::optional<Record>> record = std::nullopt;
    if (m_form == Form::Array) {
        record = nextMember();
    } else if (m_form == Form::Lines) {
        record = nextLine();
    } else if (m_at < m_text.size()) {
        record = Record{m_text.substr(m_at), m_line};
        m_at = m_text.size();
    }
    if (record && *record && (*record)->text.size() > longestRecord)
        return badInput(fmt::format("{}: line {}: a question of {} bytes, and at most {} are read; shorten it", m_file,
                                    (*record)->line, (*record)->text.size(), longestRecord));
    return record;
}

Result<std::optional<Record>> RecordCutter::nextLine()
{
    skipBlanks();
    if (m_at == m_text.size())
        return std::nullopt;
    const std::size_t end = std::min(m_text.find('\n', m_at), m_text.size());
    Record record{m_text.substr(m_at, end - m_at), m_line};
    if (record.text[0] != '{')
        return wrong("an object of JSON was expected, as in every line; mend or remove this one");
    m_at = end;
    return record;
}

Result<std::optional<Record>> RecordCutter::nextMember()
{
    if (m_at == std::string_view::npos)
        return std::nullopt;
    skipBlanks();
    const auto is = [&](char c) { return m_at < m_text.size() && m_text[m_at] == c; };
    if (is(']')) {
        ++m_at;
        skipBlanks();
        if (m_at != m_text.size())
            return wrong("something stands behind the end of the list; remove it");
        m_at = std::string_view::npos;
        return std::nullopt;
    }
    if (!m_isFirst && m_at < m_text.size()) {
        if (!is(','))
            return wrong("a comma or the end of the list was expected; write or fetch the file anew");
        ++m_at;
        skipBlanks();
    }
    m_isFirst = false;
    if (m_at == m_text.size())
        return wrong("the file ends within the list; write or fetch it whole");
    if (!is('{'))
        return wrong("an object of JSON was expected, as every member of the list; mend or remove this one");
    const std::size_t end = endOfBrackets(m_text, m_at);
    if (end == std::string_view::npos)
        return wrong("the file ends within the question that begins here; write or fetch it whole");
    const Record record{m_text.substr(m_at, end - m_at), m_line};
    m_line += static_cast<std::size_t>(std::count(record.text.begin(), record.text.end(), '\n'));
    m_at = end;
    return record;
}

} // namespace zigzag::questions
