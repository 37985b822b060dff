// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/check/event_stream.h"

#include "engine/base/json_input.h"
#include "profiler/check/completion_reply.h"

namespace zigzag::check {

int EventCounter::take(std::string_view part)
{
    int pieces = 0;
    m_rest += part;
    std::size_t begin = 0;
    for (std::size_t end = m_rest.find('\n'); end != std::string::npos; end = m_rest.find('\n', begin)) {
        const std::string_view line = std::string_view(m_rest).substr(begin, end - begin);
        constexpr std::string_view field = "data:";
        if (line.starts_with(field))
            pieces += takeEvent(line.substr(field.size()));
        begin = end + 1;
    }
    m_rest.erase(0, begin);
    return pieces;
}

/// 1 for a piece of the answer, 0 for what comes behind it: usage alone, and the last mark.
int EventCounter::takeEvent(std::string_view data)
{
    const auto event = json::parse(data, "event");
    if (!event || !event->is_object())
        return 0;
    if (const json::Value *error = json::find(*event, "error"); error && !error->is_null()) {
        m_error = errorText(data);
        return 0;
    }
    if (const json::Value *usage = json::find(*event, "usage"); usage && usage->is_object())
        if (const auto count = json::integerIn(*usage, "completion_tokens", 0, 1 << 20, "event"))
            m_tokens = static_cast<int>(*count);
    const json::Value *choices = json::find(*event, "choices");
    return choices && choices->is_array() && !choices->empty() ? 1 : 0;
}

} // namespace zigzag::check
