// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/number_checks.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <optional>
#include <string>

namespace zigzag {
namespace {

/// The whole text as a number; infinite where it is too large for a double.
std::optional<double> numberOf(const std::string &text)
{
    char *end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    return text.empty() || *end != '\0' || std::isnan(value) ? std::nullopt : std::optional(value);
}

struct Integer {
    std::int64_t value = 0;
    bool isTooLarge = false; ///< for 64 bits, in either direction; then the value is the nearest one
};

/// The whole text as an integer, as CLI11 reads it.
std::optional<Integer> integerOf(const std::string &text)
{
    char *end = nullptr;
    errno = 0;
    const std::int64_t value = std::strtoll(text.c_str(), &end, 0);
    return text.empty() || *end != '\0' ? std::nullopt : std::optional(Integer{value, errno == ERANGE});
}

CLI::Validator validator(std::function<std::string(std::string &)> check, std::string range)
{
    return {std::move(check), std::move(range)};
}

} // namespace

CLI::Validator integerIn(std::int64_t least, std::int64_t most)
{
    const auto check = [least, most](const std::string &text) {
        const auto number = integerOf(text);
        if (!number)
            return fmt::format("'{}' is no whole number", text);
        const bool isInside = !number->isTooLarge && number->value >= least && number->value <= most;
        return isInside ? std::string() : fmt::format("{} is not in {} to {}", text, least, most);
    };
    return validator(check, fmt::format("in {} to {}", least, most));
}

CLI::Validator integerFrom(std::int64_t least, std::int64_t most)
{
    const auto check = [least, most](const std::string &text) {
        const auto number = integerOf(text);
        return number && number->value < least ? fmt::format("must be at least {}, not {}", least, text)
                                               : integerIn(least, most)(text);
    };
    return validator(check, fmt::format("at least {}", least));
}

CLI::Validator numberIn(double least, double most)
{
    const auto check = [least, most](const std::string &text) {
        const auto value = numberOf(text);
        return !value                         ? fmt::format("'{}' is no number", text)
            : *value < least || *value > most ? fmt::format("{} is not in {} to {}", text, least, most)
                                              : std::string();
    };
    return validator(check, fmt::format("in {} to {}", least, most));
}

CLI::Validator numberFrom(double least)
{
    const auto check = [least](const std::string &text) {
        const auto value = numberOf(text);
        return !value || std::isinf(*value) ? fmt::format("'{}' is no finite number", text)
            : *value < least                ? fmt::format("must be at least {}, not {}", least, text)
                                            : std::string();
    };
    return validator(check, fmt::format("at least {}", least));
}

CLI::Validator numberAbove(double bound)
{
    const auto check = [bound](const std::string &text) {
        const auto value = numberOf(text);
        return !value || std::isinf(*value) ? fmt::format("'{}' is no finite number", text)
            : *value <= bound               ? fmt::format("must be more than {}, not {}", bound, text)
                                            : std::string();
    };
    return validator(check, fmt::format("more than {}", bound));
}

} // namespace zigzag
