// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/json_input.h"

#include "engine/base/json_brackets.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace zigzag::json {

namespace {

bool nestsTooDeep(std::string_view text)
{
    int depth = 0;
    bool isTooDeep = false;
    walkBrackets(text, 0, [&](std::size_t, bool opens) {
        depth += opens ? 1 : -1;
        isTooDeep = depth > deepestNesting;
        return !isTooDeep;
    });
    return isTooDeep;
}

std::string member(std::string_view key)
{
    return fmt::format("\"{}\"", key);
}

tl::unexpected<Error> missing(std::string_view key, const std::string &where)
{
    return badInput(fmt::format("{}: \"{}\" is missing; add it, or fetch the file anew", where, key));
}

tl::unexpected<Error> wrongType(const std::string &what, const Value &value, std::string_view wanted, const std::string &where)
{
    return badInput(fmt::format("{}: {} must be {}, not {}", where, what, wanted, value.type_name()));
}

} // namespace

std::string syntaxFault(std::string_view text, std::size_t byte)
{
    if (byte > text.size())
        return fmt::format("not valid JSON: it is cut off after {} bytes; write or fetch it whole", text.size());
    // Python writes these for numbers that are none. The parser stops at their second character at the latest.
    const std::size_t around = byte - std::min<std::size_t>(byte, 3);
    for (const std::string_view name : {"NaN", "-Infinity", "Infinity"})
        if (text.substr(around, name.size() + 2).find(name) != std::string_view::npos)
            return fmt::format(
                "not valid JSON: {} at byte {} is no number of JSON, though Python writes it; put a number or null "
                "in its place",
                name, byte);
    return fmt::format("not valid JSON at byte {} of {}; write or fetch it anew", byte, text.size());
}

Result<Value> parse(std::string_view text, const std::string &where)
{
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
        return badInput(fmt::format("{}: the file is empty, but JSON was expected; write or fetch it anew", where));
    if (nestsTooDeep(text))
        return badInput(fmt::format("{}: brackets nest deeper than {} levels; this is not a file of the expected kind", where,
                                    deepestNesting));
    try {
        return Value::parse(text);
    } catch (const Value::parse_error &error) {
        return badInput(fmt::format("{}: {}", where, syntaxFault(text, error.byte)));
    } catch (const Value::exception &) {
        return badInput(fmt::format("{}: not valid JSON, a number is out of range; write or fetch it anew", where));
    }
}

const Value *find(const Value &object, std::string_view key)
{
    if (!object.is_object())
        return nullptr;
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

Result<const Value *> objectIn(const Value &object, std::string_view key, const std::string &where)
{
    const Value *value = find(object, key);
    if (!value)
        return missing(key, where);
    if (!value->is_object())
        return wrongType(member(key), *value, "an object", where);
    return value;
}

Result<const Value *> arrayIn(const Value &object, std::string_view key, const std::string &where)
{
    const Value *value = find(object, key);
    if (!value)
        return missing(key, where);
    if (!value->is_array())
        return wrongType(member(key), *value, "an array", where);
    return value;
}

Result<std::string> stringIn(const Value &object, std::string_view key, const std::string &where)
{
    const Value *value = find(object, key);
    if (!value)
        return missing(key, where);
    return asString(*value, member(key), where);
}

Result<std::int64_t> integerIn(const Value &object, std::string_view key, std::int64_t least, std::int64_t most,
                               const std::string &where)
{
    const Value *value = find(object, key);
    if (!value)
        return missing(key, where);
    return asInteger(*value, member(key), least, most, where);
}

Result<double> numberIn(const Value &object, std::string_view key, double least, double most, const std::string &where)
{
    const Value *value = find(object, key);
    if (!value)
        return missing(key, where);
    return asNumber(*value, member(key), least, most, where);
}

Result<std::string> stringOr(const Value &object, std::string_view key, std::string fallback, const std::string &where)
{
    return find(object, key) ? stringIn(object, key, where) : Result<std::string>(std::move(fallback));
}

Result<bool> booleanOr(const Value &object, std::string_view key, bool fallback, const std::string &where)
{
    const Value *value = find(object, key);
    if (!value)
        return fallback;
    if (!value->is_boolean())
        return wrongType(member(key), *value, "true or false", where);
    return value->get<bool>();
}

Result<std::int64_t> integerOr(const Value &object, std::string_view key, std::int64_t fallback, std::int64_t least,
                               std::int64_t most, const std::string &where)
{
    return find(object, key) ? integerIn(object, key, least, most, where) : Result<std::int64_t>(fallback);
}

Result<double> numberOr(const Value &object, std::string_view key, double fallback, double least, double most,
                        const std::string &where)
{
    return find(object, key) ? numberIn(object, key, least, most, where) : Result<double>(fallback);
}

Result<std::int64_t> asInteger(const Value &value, const std::string &what, std::int64_t least, std::int64_t most,
                               const std::string &where)
{
    if (!value.is_number_integer())
        return wrongType(what, value, "an integer", where);
    // Beyond 2^63 the library stores unsigned values, which would wrap to negative ones here.
    const bool huge = value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
    const std::int64_t number = huge ? INT64_MAX : value.get<std::int64_t>();
    if (huge || number < least || number > most)
        return badInput(fmt::format("{}: {} is {}, outside {} to {}", where, what, value.dump(), least, most));
    return number;
}

Result<double> asNumber(const Value &value, const std::string &what, double least, double most, const std::string &where)
{
    if (!value.is_number())
        return wrongType(what, value, "a number", where);
    const double number = value.get<double>();
    if (!std::isfinite(number) || number < least || number > most)
        return badInput(fmt::format("{}: {} is {}, outside {} to {}", where, what, number, least, most));
    return number;
}

Result<std::string> asString(const Value &value, const std::string &what, const std::string &where)
{
    if (!value.is_string())
        return wrongType(what, value, "a string", where);
    return value.get<std::string>();
}

Result<std::int64_t> versionIn(const Value &document, std::string_view format, std::int64_t oldest, std::int64_t newest,
                               const std::string &where)
{
    if (!document.is_object())
        return badInput(fmt::format("{}: a {} document was expected, but this JSON is not an object", where, format));
    if (!find(document, "format"))
        return badInput(fmt::format("{}: this JSON does not say that it is a {}: \"format\" is missing; give a file of that kind",
                                    where, format));
    ZIGZAG_TRY(found, stringIn(document, "format", where));
    if (found != format)
        return badInput(fmt::format("{}: the format is \"{}\", but \"{}\" was expected; give a file of that kind", where,
                                    printable(found), format));
    const Value *number = find(document, "version");
    if (!number)
        return missing("version", where);
    for (std::int64_t version = oldest; version <= newest; ++version)
        if (*number == version)
            return version;
    return badInput(fmt::format("{}: version {} of {} is not known to this program, which reads version{}; use a newer program",
                                where, printable(number->dump(-1, ' ', true)), format,
                                oldest == newest ? fmt::format(" {}", newest) : fmt::format("s {} to {}", oldest, newest)));
}

Result<void> checkFormat(const Value &document, std::string_view format, std::int64_t version, const std::string &where)
{
    ZIGZAG_CHECK(versionIn(document, format, version, version, where));
    return {};
}

} // namespace zigzag::json
