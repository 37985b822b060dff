// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace zigzag::test {

/// What a line includes, with the opening quote or bracket in front; empty when it includes nothing.
inline std::string included(const std::string &line)
{
    const auto skipBlanks = [&](std::size_t at) { return std::min(line.find_first_not_of(" \t", at), line.size()); };
    std::size_t at = skipBlanks(0);
    if (at == line.size() || line[at] != '#')
        return {};
    at = skipBlanks(at + 1);
    constexpr std::string_view word = "include";
    if (line.compare(at, word.size(), word) != 0)
        return {};
    at = skipBlanks(at + word.size());
    const std::size_t end = line.find_first_of("\">", std::min(at + 1, line.size()));
    return end == line.npos ? std::string() : line.substr(at, end - at);
}

} // namespace zigzag::test
