// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace zigzag::check {

/// Counts the pieces of an answer that comes as server-sent events, whose lines may be cut anywhere. What is no event counts as
/// nothing.
class EventCounter
{
public:
    /// The number of events that carry a piece of an answer and end in this part.
    int take(std::string_view part);
    /// As the server counted them; 0 where it did not say.
    int tokens() const { return m_tokens; }
    /// What the server said instead of going on; empty where it said nothing.
    const std::string &error() const { return m_error; }

private:
    int takeEvent(std::string_view data);

    int m_tokens = 0;
    std::string m_error;
    std::string m_rest; ///< of a line that has not ended
};

} // namespace zigzag::check
