// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>

namespace zigzag {

// What an option's number may be, for `check()`. CLI11's own checks print a bound as a double, in up to 309 digits, and let
// "nan" through. Errors read "65 is not in 1 to 64", "must be at least 1, not 0" or "'x' is no whole number".

CLI::Validator integerIn(std::int64_t least, std::int64_t most);
/// At least `least`, and no more than an int (or the named type) holds.
CLI::Validator integerFrom(std::int64_t least, std::int64_t most = std::numeric_limits<int>::max());
inline CLI::Validator longIntegerFrom(std::int64_t least)
{
    return integerFrom(least, std::numeric_limits<std::int64_t>::max());
}
CLI::Validator numberIn(double least, double most);
/// Finite.
CLI::Validator numberFrom(double least);
CLI::Validator numberAbove(double bound);

} // namespace zigzag
