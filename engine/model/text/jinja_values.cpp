// SPDX-License-Identifier: GPL-3.0-or-later
// Values as Python has them: what they are as text, whether they are true, operators and items.
#include "engine/model/text/jinja_syntax.h"

#include "engine/base/printable.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace zigzag::jinja {

namespace {

/// The characters of a text.
std::vector<std::string> charactersOf(const std::string &text)
{
    constexpr std::size_t longest = 1 << 20; // each takes a string of its own
    if (text.size() > longest)
        throw Fault{"a text is too long to be looked at by its characters"};
    std::vector<std::string> characters;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = std::max<std::size_t>(1, utf8Length(std::string_view(text).substr(i)));
        characters.push_back(text.substr(i, length));
        i += length;
    }
    return characters;
}

bool isPlain(const std::string &text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string pythonText(const std::string &text)
{
    const bool hasQuote = text.find('\'') != std::string::npos && text.find('"') == std::string::npos;
    const char quote = hasQuote ? '"' : '\'';
    std::string out(1, quote);
    for (const char c : text) {
        if (c == '\n')
            out += "\\n";
        else if (c == '\t')
            out += "\\t";
        else if (c == '\r')
            out += "\\r";
        else if (c == '\\' || c == quote)
            out += '\\', out += c;
        else
            out += c;
    }
    return out + quote;
}

/// repr().
std::string written(const Value &value)
{
    if (value.is_string())
        return pythonText(value.get_ref<const std::string &>());
    if (!value.is_structured())
        return textOf(value);
    std::string out(1, value.is_array() ? '[' : '{');
    bool isFirst = true;
    for (const auto &item : value.items()) {
        if (!isFirst)
            out += ", ";
        isFirst = false;
        if (value.is_object())
            out += pythonText(item.key()) + ": ";
        out += written(item.value());
    }
    return out + (value.is_array() ? ']' : '}');
}

double numberOf(const Value &value, const std::string &op)
{
    if (value.is_boolean())
        return value.get<bool>() ? 1 : 0;
    if (!value.is_number())
        throw Fault{fmt::format("{} of {} has no value", op, value.is_discarded() ? "something undefined" : value.type_name())};
    return value.get<double>();
}

bool isWhole(const Value &value)
{
    return value.is_number_integer() || value.is_boolean();
}

Value arithmetic(const std::string &op, const Value &left, const Value &right)
{
    const double a = numberOf(left, op), b = numberOf(right, op);
    if ((op == "/" || op == "//" || op == "%") && b == 0)
        throw Fault{"a division by zero"};
    const double result = op == "+" ? a + b
        : op == "-"                 ? a - b
        : op == "*"                 ? a * b
        : op == "/"                 ? a / b
        : op == "//"                ? std::floor(a / b)
                                    : a - b * std::floor(a / b);
    if (op != "/" && isWhole(left) && isWhole(right)) {
        if (std::abs(result) > 9e15) // where doubles count no further
            throw Fault{"a number is too large"};
        return static_cast<std::int64_t>(result);
    }
    return result;
}

bool isIn(const Value &what, const Value &where)
{
    if (where.is_string()) {
        if (!what.is_string())
            throw Fault{"only a text can be in a text"};
        return where.get_ref<const std::string &>().find(what.get_ref<const std::string &>()) != std::string::npos;
    }
    if (where.is_object())
        return what.is_string() && where.contains(what.get_ref<const std::string &>());
    if (where.is_array())
        return std::any_of(where.begin(), where.end(), [&](const Value &each) { return each == what; });
    if (where.is_discarded())
        return false;
    throw Fault{fmt::format("nothing can be in a value of type {}", where.type_name())};
}

bool isLess(const Value &left, const Value &right, const std::string &op)
{
    if (left.is_string() && right.is_string())
        return left.get_ref<const std::string &>() < right.get_ref<const std::string &>();
    return numberOf(left, op) < numberOf(right, op);
}

bool isEqual(const Value &left, const Value &right)
{
    if (left.is_discarded() || right.is_discarded())
        return left.is_discarded() && right.is_discarded();
    if ((left.is_number() || left.is_boolean()) && (right.is_number() || right.is_boolean()))
        return numberOf(left, "==") == numberOf(right, "==");
    return left == right;
}

std::int64_t indexOf(const Value &value, std::int64_t fallback)
{
    if (value.is_discarded() || value.is_null())
        return fallback;
    if (!isWhole(value))
        throw Fault{"a place in a list must be a whole number"};
    return value.is_boolean() ? (value.get<bool>() ? 1 : 0) : value.get<std::int64_t>();
}

} // namespace

bool isTrue(const Value &value)
{
    if (value.is_discarded() || value.is_null())
        return false;
    if (value.is_boolean())
        return value.get<bool>();
    if (value.is_number())
        return value.get<double>() != 0;
    if (value.is_string())
        return !value.get_ref<const std::string &>().empty();
    return !value.empty();
}

std::string textOf(const Value &value)
{
    if (value.is_string())
        return value.get<std::string>();
    if (value.is_discarded())
        return {};
    if (value.is_null())
        return "None";
    if (value.is_boolean())
        return value.get<bool>() ? "True" : "False";
    if (value.is_number_float()) {
        const auto number = value.get<double>();
        return number == std::floor(number) && std::abs(number) < 1e16 ? fmt::format("{:.1f}", number)
                                                                       : fmt::format("{}", number);
    }
    return value.is_number() ? fmt::format("{}", value.get<std::int64_t>()) : written(value);
}

Value binary(const std::string &op, const Value &left, const Value &right)
{
    if (op == "~")
        return textOf(left) + textOf(right);
    if (op == "==")
        return isEqual(left, right);
    if (op == "!=")
        return !isEqual(left, right);
    if (op == "in")
        return isIn(left, right);
    if (op == "not in")
        return !isIn(left, right);
    if (op == "<" || op == ">=")
        return isLess(left, right, op) == (op == "<");
    if (op == ">" || op == "<=")
        return isLess(right, left, op) == (op == ">");
    if (op == "+" && left.is_string() && right.is_string())
        return left.get_ref<const std::string &>() + right.get_ref<const std::string &>();
    if (op == "+" && left.is_array() && right.is_array()) {
        Value both = left;
        both.insert(both.end(), right.begin(), right.end());
        return both;
    }
    return arithmetic(op, left, right);
}

Value itemOf(const Value &of, const Value &index)
{
    if (of.is_discarded())
        throw Fault{"something undefined has no items"};
    if (of.is_object()) {
        const auto found = index.is_string() ? of.find(index.get_ref<const std::string &>()) : of.end();
        return found == of.end() ? undefined() : *found;
    }
    if ((!of.is_array() && !of.is_string()) || !isWhole(index))
        return undefined();
    if (of.is_string()) {
        const std::vector<std::string> characters = charactersOf(of.get_ref<const std::string &>());
        const std::int64_t at = indexOf(index, 0), place = at < 0 ? at + std::ssize(characters) : at;
        return place < 0 || place >= std::ssize(characters) ? undefined() : Value(characters[static_cast<std::size_t>(place)]);
    }
    const auto size = static_cast<std::int64_t>(of.size());
    const std::int64_t at = indexOf(index, 0), place = at < 0 ? at + size : at;
    return place < 0 || place >= size ? undefined() : of[static_cast<std::size_t>(place)];
}

Value sliceOf(const Value &of, const Value &start, const Value &stop, const Value &step)
{
    if (!of.is_string() && !of.is_array())
        throw Fault{"only texts and lists can be cut"};
    const bool isAscii = of.is_string() && isPlain(of.get_ref<const std::string &>());
    const std::vector<Value> items = isAscii ? std::vector<Value>() : itemsOf(of);
    const std::int64_t size = isAscii ? std::ssize(of.get_ref<const std::string &>()) : std::ssize(items), by = indexOf(step, 1);
    if (by == 0)
        throw Fault{"a list is cut in steps of 0"};
    const auto bound = [&](const Value &value, std::int64_t fallback) {
        std::int64_t at = indexOf(value, fallback);
        if (!value.is_discarded() && !value.is_null() && at < 0)
            at += size;
        return std::clamp<std::int64_t>(at, by > 0 ? 0 : -1, by > 0 ? size : size - 1);
    };
    const std::int64_t first = bound(start, by > 0 ? 0 : size - 1), last = bound(stop, by > 0 ? size : -1);
    Value cut = Value::array();
    std::string text;
    for (std::int64_t i = first; by > 0 ? i < last : i > last; i += by) {
        if (isAscii)
            text += of.get_ref<const std::string &>()[static_cast<std::size_t>(i)];
        else if (of.is_string())
            text += items[static_cast<std::size_t>(i)].get_ref<const std::string &>();
        else
            cut.push_back(items[static_cast<std::size_t>(i)]);
        if (std::abs(by) > size)
            break;
    }
    return of.is_string() ? Value(text) : cut;
}

std::vector<Value> itemsOf(const Value &value)
{
    std::vector<Value> items;
    if (value.is_string()) {
        for (std::string &character : charactersOf(value.get_ref<const std::string &>()))
            items.emplace_back(std::move(character));
    } else if (value.is_array()) {
        items.assign(value.begin(), value.end());
    } else if (value.is_object()) {
        for (const auto &item : value.items())
            items.emplace_back(item.key());
    } else if (!value.is_discarded()) {
        throw Fault{fmt::format("a value of type {} has no items", value.type_name())};
    }
    return items;
}

} // namespace zigzag::jinja
