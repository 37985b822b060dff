// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string_view>

namespace zigzag::json {

/// Walks over the brackets of a text of JSON that stand outside of its strings, from `from` on, without building anything:
/// `at(place, opens)` is called for each of them, and ends the walk with false. Which bracket closes which is not looked at:
/// whether the text is JSON, its parser says.
template <class At> void walkBrackets(std::string_view text, std::size_t from, At &&at)
{
    bool inString = false;
    for (std::size_t i = from; i < text.size(); ++i) {
        const char c = text[i];
        if (inString) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                inString = false;
        } else if (c == '"') {
            inString = true;
        } else if (c == '{' || c == '[' || c == '}' || c == ']') {
            if (!at(i, c == '{' || c == '['))
                return;
        }
    }
}

} // namespace zigzag::json
