// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/serve/answer_text.h"

#include "engine/base/printable.h"

#include <algorithm>
#include <utility>

namespace zigzag::serve {

namespace {

/// How many bytes at the end are the beginning of a character that is not whole.
std::size_t halfCharacter(std::string_view text)
{
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if (byte < 0x80)
            return 0;
        if (byte >= 0xc0) // the first byte says how many there are
            return static_cast<std::size_t>(byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
    }
    return 0;
}

} // namespace

AnswerText::AnswerText(const Tokenizer *tokenizer, std::span<const int> prompt, std::vector<std::string> stops)
    : m_tokenizer(tokenizer)
    , m_stops(std::move(stops))
{
    if (!m_tokenizer)
        return;
    m_promptText = m_tokenizer->decode(prompt).size();
    if (m_promptText == 0)
        m_start.assign(prompt.begin(), prompt.end());
}

void AnswerText::add(int token)
{
    if (!m_tokenizer || m_isStopped)
        return;
    const std::size_t before = m_text.size();
    if (m_promptText == 0 && m_text.empty()) {
        m_start.push_back(token);
        m_text = m_tokenizer->decode(m_start);
    } else if (!m_tokenizer->isSpecial(token)) {
        m_text += m_tokenizer->piece(token);
    }
    findStop(before);
}

void AnswerText::findStop(std::size_t before)
{
    std::size_t first = std::string::npos;
    for (const std::string &stop : m_stops)
        first = std::min(first, m_text.find(stop, before - std::min(before, stop.size())));
    if (first == std::string::npos)
        return;
    m_text.resize(first);
    m_isStopped = true;
}

std::string_view AnswerText::text() const
{
    const std::string_view all = m_text;
    if (m_isStopped || m_isComplete)
        return all;
    std::size_t held = halfCharacter(all);
    for (const std::string &stop : m_stops)
        for (std::size_t length = std::min(stop.size() - 1, all.size()); length > held; --length)
            if (all.substr(all.size() - length) == std::string_view(stop).substr(0, length)) {
                held = length;
                break;
            }
    return all.substr(0, all.size() - held);
}

} // namespace zigzag::serve
