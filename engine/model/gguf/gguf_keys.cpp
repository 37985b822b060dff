// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/gguf/gguf_keys.h"

#include <charconv>
#include <cmath>
#include <fmt/format.h>

namespace zigzag {

namespace {

tl::unexpected<Error> wrongType(const GgufFile &file, const std::string &key, std::string_view wanted)
{
    return badInput(fmt::format("{}: {} in its metadata must be {}; the file is damaged, or made wrongly", file.path().string(),
                                key, wanted));
}

/// The value that all of an array are, if they are.
std::optional<std::int64_t> sameForAll(const GgufArray &array)
{
    if (array.size() == 0 || array.hasStrings())
        return {};
    const std::optional<std::int64_t> first = array.integer(0);
    for (std::size_t i = 1; i < array.size(); ++i)
        if (array.integer(i) != first)
            return {};
    return first;
}

double asWritten(float number)
{
    const std::string digits = fmt::format("{}", number);
    double value = number;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

} // namespace

Result<std::optional<std::int64_t>> ggufInteger(const GgufFile &file, const std::string &key)
{
    const GgufValue *value = file.find(key);
    if (!value)
        return std::nullopt;
    std::optional<std::int64_t> integer;
    if (const auto *whole = std::get_if<std::uint64_t>(value); whole && *whole <= INT64_MAX)
        integer = static_cast<std::int64_t>(*whole);
    else if (const auto *number = std::get_if<std::int64_t>(value))
        integer = *number;
    else if (const auto *array = std::get_if<GgufArray>(value))
        integer = sameForAll(*array);
    if (!integer || *integer < 0)
        return wrongType(file, key, "an integer from 0 on, the same for all layers");
    return integer;
}

Result<std::optional<double>> ggufNumber(const GgufFile &file, const std::string &key)
{
    const GgufValue *value = file.find(key);
    if (!value)
        return std::nullopt;
    std::optional<double> number;
    if (const auto *single = std::get_if<float>(value))
        number = asWritten(*single);
    else if (const auto *wide = std::get_if<double>(value))
        number = *wide;
    else if (const auto *flag = std::get_if<bool>(value))
        number = *flag ? 1 : 0;
    else if (const auto *whole = std::get_if<std::uint64_t>(value))
        number = static_cast<double>(*whole);
    else if (const auto *integer = std::get_if<std::int64_t>(value))
        number = static_cast<double>(*integer);
    if (!number || !std::isfinite(*number))
        return wrongType(file, key, "a finite number");
    return number;
}

Result<std::optional<std::string_view>> ggufText(const GgufFile &file, const std::string &key)
{
    const GgufValue *value = file.find(key);
    if (!value)
        return std::nullopt;
    const auto *text = std::get_if<std::string_view>(value);
    if (!text)
        return wrongType(file, key, "a string");
    return *text;
}

Result<std::optional<bool>> ggufFlag(const GgufFile &file, const std::string &key)
{
    const GgufValue *value = file.find(key);
    if (!value)
        return std::nullopt;
    const auto *flag = std::get_if<bool>(value);
    if (!flag)
        return wrongType(file, key, "true or false");
    return *flag;
}

Result<const GgufArray *> ggufArray(const GgufFile &file, const std::string &key)
{
    const GgufValue *value = file.find(key);
    if (!value)
        return nullptr;
    const auto *array = std::get_if<GgufArray>(value);
    if (!array)
        return wrongType(file, key, "an array");
    return array;
}

} // namespace zigzag
