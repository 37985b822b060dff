// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/token_file.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace zigzag {

Result<std::vector<int>> parseTokens(std::string_view text, int vocabulary, const std::string &where)
{
    constexpr std::string_view space = " \t\r\n";
    std::vector<int> tokens;
    std::size_t position = 0;
    while ((position = text.find_first_not_of(space, position)) != std::string_view::npos) {
        const std::size_t end = std::min(text.find_first_of(space, position), text.size());
        int token = -1;
        const auto parsed = std::from_chars(text.data() + position, text.data() + end, token);
        if (parsed.ec != std::errc() || parsed.ptr != text.data() + end || token < 0 || token >= vocabulary)
            return badInput(fmt::format("{}: entry {} is not a token id from 0 to {}; give whitespace-separated ids", where,
                                        tokens.size() + 1, vocabulary - 1));
        tokens.push_back(token);
        position = end;
    }
    if (tokens.empty())
        return badInput(fmt::format("{}: there are no token ids in this file; give whitespace-separated ids", where));
    return tokens;
}

} // namespace zigzag
