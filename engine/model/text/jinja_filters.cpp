// SPDX-License-Identifier: GPL-3.0-or-later
// Methods, filters and tests, as far as chat templates use them.
#include "engine/model/text/jinja_syntax.h"

#include "engine/base/printable.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/format.h>

namespace zigzag::jinja {

namespace {

/// What Python's strip() takes for white space, in UTF-8.
constexpr std::array<std::string_view, 29> whiteSpace
    = {" ",      "\t",     "\n",     "\v",     "\f",     "\r",     "\x1c",   "\x1d",   "\x1e",   "\x1f",
       "\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
       "\u2007", "\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};

bool isStripped(std::string_view character, const Value &set)
{
    if (set.is_string())
        return set.get_ref<const std::string &>().find(character) != std::string::npos;
    return std::find(whiteSpace.begin(), whiteSpace.end(), character) != whiteSpace.end();
}

std::string stripped(std::string_view text, bool left, bool right, const Value &set)
{
    while (left && !text.empty()) {
        const std::size_t length = std::max<std::size_t>(1, utf8Length(text));
        if (!isStripped(text.substr(0, length), set))
            break;
        text.remove_prefix(length);
    }
    while (right && !text.empty()) {
        std::size_t begin = text.size() - 1;
        while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xc0) == 0x80)
            --begin;
        if (!isStripped(text.substr(begin), set))
            break;
        text.remove_suffix(text.size() - begin);
    }
    return std::string(text);
}

/// ASCII letters alone: no template needs others.
std::string recased(std::string text, bool (*upperAt)(const std::string &, std::size_t))
{
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool isUpper = upperAt(text, i);
        if (isUpper && text[i] >= 'a' && text[i] <= 'z')
            text[i] = static_cast<char>(text[i] - 'a' + 'A');
        else if (!isUpper && text[i] >= 'A' && text[i] <= 'Z')
            text[i] = static_cast<char>(text[i] - 'A' + 'a');
    }
    return text;
}

bool isLetter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string caseOf(const std::string &name, const std::string &text)
{
    if (name == "upper")
        return recased(text, [](const std::string &, std::size_t) { return true; });
    if (name == "lower")
        return recased(text, [](const std::string &, std::size_t) { return false; });
    if (name == "capitalize")
        return recased(text, [](const std::string &, std::size_t i) { return i == 0; });
    return recased(text, [](const std::string &all, std::size_t i) { return i == 0 || !isLetter(all[i - 1]); }); // title
}

const std::string &textArgument(const std::vector<Value> &arguments, std::size_t i, const std::string &name)
{
    if (i >= arguments.size() || !arguments[i].is_string())
        throw Fault{fmt::format("{} needs a text", name)};
    return arguments[i].get_ref<const std::string &>();
}

std::string replaced(const std::string &text, const std::string &from, const std::string &to)
{
    if (from.empty())
        throw Fault{"replace needs a text that is not empty"};
    std::string out;
    std::size_t at = 0;
    for (std::size_t found; (found = text.find(from, at)) != std::string::npos; at = found + from.size())
        out.append(text, at, found - at).append(to);
    return out.append(text, at);
}

Value split(const std::string &text, const std::vector<Value> &arguments)
{
    Value parts = Value::array();
    if (arguments.empty() || arguments[0].is_null()) { // at white space
        std::string part;
        for (const char c : text + " ") {
            if (std::string_view(" \t\n\r\f\v").find(c) == std::string_view::npos)
                part += c;
            else if (!part.empty())
                parts.push_back(std::exchange(part, {}));
        }
        return parts;
    }
    const std::string &by = textArgument(arguments, 0, "split");
    if (by.empty())
        throw Fault{"split needs a text that is not empty"};
    std::int64_t rest = arguments.size() > 1 && arguments[1].is_number_integer() ? arguments[1].get<std::int64_t>() : -1;
    std::size_t at = 0;
    for (std::size_t found; rest != 0 && (found = text.find(by, at)) != std::string::npos; at = found + by.size(), --rest)
        parts.push_back(text.substr(at, found - at));
    parts.push_back(text.substr(at));
    return parts;
}

bool beginsOrEnds(const std::string &text, const Value &with, bool begins)
{
    if (with.is_array())
        return std::any_of(with.begin(), with.end(), [&](const Value &each) { return beginsOrEnds(text, each, begins); });
    if (!with.is_string())
        throw Fault{"startswith and endswith need a text"};
    const std::string &part = with.get_ref<const std::string &>();
    return text.size() >= part.size() && text.compare(begins ? 0 : text.size() - part.size(), part.size(), part) == 0;
}

Value callOnText(const std::string &text, const std::string &name, const std::vector<Value> &arguments)
{
    const Value first = arguments.empty() ? Value(nullptr) : arguments[0];
    if (name == "strip" || name == "lstrip" || name == "rstrip")
        return stripped(text, name != "rstrip", name != "lstrip", first);
    if (name == "startswith" || name == "endswith")
        return beginsOrEnds(text, first, name == "startswith");
    if (name == "upper" || name == "lower" || name == "capitalize" || name == "title")
        return caseOf(name, text);
    if (name == "split")
        return split(text, arguments);
    if (name == "replace")
        return replaced(text, textArgument(arguments, 0, name), textArgument(arguments, 1, name));
    if (name == "removeprefix")
        return beginsOrEnds(text, first, true) ? text.substr(textArgument(arguments, 0, name).size()) : text;
    if (name == "removesuffix")
        return beginsOrEnds(text, first, false) ? text.substr(0, text.size() - textArgument(arguments, 0, name).size()) : text;
    if (name == "find") {
        const std::size_t found = text.find(textArgument(arguments, 0, name));
        return found == std::string::npos ? -1 : static_cast<std::int64_t>(itemsOf(text.substr(0, found)).size());
    }
    if (name == "splitlines")
        return split(text, {"\n"});
    throw Fault{fmt::format("\"{}\" of a text is not supported", name)};
}

std::int64_t lengthOf(const Value &value)
{
    if (!value.is_string())
        return value.is_discarded() ? 0 : static_cast<std::int64_t>(itemsOf(value).size());
    const std::string &text = value.get_ref<const std::string &>();
    return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

Value pairsOf(const Value &object)
{
    Value pairs = Value::array();
    for (const auto &item : object.items())
        pairs.push_back(Value::array({item.key(), item.value()}));
    return pairs;
}

/// json.dumps as transformers has it: letters of all languages as they are.
std::string dumped(const Value &value, int indent, int level)
{
    if (value.is_discarded())
        throw Fault{"something undefined cannot be written as JSON"};
    if (!value.is_structured() || value.empty())
        return value.dump(-1, ' ', false, Value::error_handler_t::replace);
    const std::string line = indent < 0 ? std::string() : "\n" + std::string(static_cast<std::size_t>(indent * (level + 1)), ' ');
    std::string out(1, value.is_array() ? '[' : '{');
    bool isFirst = true;
    for (const auto &item : value.items()) {
        if (!isFirst)
            out += indent < 0 ? ", " : ",";
        isFirst = false;
        out += line;
        if (value.is_object())
            out += Value(item.key()).dump(-1, ' ', false, Value::error_handler_t::replace) + ": ";
        out += dumped(item.value(), indent, level + 1);
    }
    if (indent >= 0)
        out += "\n" + std::string(static_cast<std::size_t>(indent * level), ' ');
    return out + (value.is_array() ? ']' : '}');
}

/// select, reject, selectattr, rejectattr and map.
Value chosen(const std::string &name, const Value &from, const std::vector<Value> &arguments, const Value &named)
{
    Value result = Value::array();
    if (!isTrue(from)) // also of nothing at all
        return result;
    const bool byAttribute = name == "selectattr" || name == "rejectattr", selects = name == "select" || name == "selectattr";
    for (const Value &item : itemsOf(from)) {
        if (name == "map") {
            if (named.contains("attribute")) {
                result.push_back(itemOf(item, named["attribute"]));
            } else {
                const std::string &filter = textArgument(arguments, 0, name);
                result.push_back(
                    applyFilter(filter, item, std::vector<Value>(arguments.begin() + 1, arguments.end()), Value::object()));
            }
            continue;
        }
        const std::size_t testAt = byAttribute ? 1 : 0;
        const Value subject = byAttribute ? itemOf(item, Value(textArgument(arguments, 0, name))) : item;
        const bool fits = arguments.size() > testAt
            ? holds(textArgument(arguments, testAt, name), subject,
                    std::vector<Value>(arguments.begin() + static_cast<std::ptrdiff_t>(testAt) + 1, arguments.end()))
            : isTrue(subject);
        if (fits == selects)
            result.push_back(item);
    }
    return result;
}

Value joined(const Value &list, const std::string &between)
{
    std::string text;
    bool isFirst = true;
    for (const Value &item : itemsOf(list)) {
        text += (isFirst ? "" : between) + textOf(item);
        isFirst = false;
    }
    return text;
}

} // namespace

Value callMethod(const Value &of, const std::string &name, const std::vector<Value> &arguments)
{
    if (of.is_string())
        return callOnText(of.get_ref<const std::string &>(), name, arguments);
    if (of.is_object() && name == "items")
        return pairsOf(of);
    if (of.is_object() && name == "keys")
        return itemsOf(of);
    if (of.is_object() && name == "values") {
        Value values = Value::array();
        for (const auto &item : of.items())
            values.push_back(item.value());
        return values;
    }
    if (of.is_object() && name == "get" && !arguments.empty()) {
        Value found = itemOf(of, arguments[0]);
        return found.is_discarded() ? (arguments.size() > 1 ? arguments[1] : Value(nullptr)) : found;
    }
    throw Fault{fmt::format("\"{}\" of {} is not supported", name, of.is_discarded() ? "something undefined" : of.type_name())};
}

Value applyFilter(const std::string &name, const Value &to, const std::vector<Value> &arguments, const Value &named)
{
    if (name == "trim" || name == "upper" || name == "lower" || name == "capitalize" || name == "title" || name == "replace")
        return callOnText(textOf(to), name == "trim" ? "strip" : name, arguments);
    if (name == "length" || name == "count")
        return lengthOf(to);
    if (name == "string" || name == "safe")
        return textOf(to);
    if (name == "list")
        return itemsOf(to);
    if (name == "default" || name == "d") {
        const bool alsoFalse = arguments.size() > 1 && isTrue(arguments[1]);
        return to.is_discarded() || (alsoFalse && !isTrue(to)) ? (arguments.empty() ? Value("") : arguments[0]) : to;
    }
    if (name == "tojson") {
        const Value indent = !arguments.empty() ? arguments[0] : named.contains("indent") ? named["indent"] : Value(nullptr);
        return dumped(to, indent.is_number_integer() ? std::clamp(indent.get<int>(), 0, 16) : -1, 0);
    }
    if (name == "join")
        return joined(to, arguments.empty() ? std::string() : textOf(arguments[0]));
    if (name == "first" || name == "last") {
        const std::vector<Value> items = itemsOf(to);
        return items.empty() ? undefined() : name == "first" ? items.front() : items.back();
    }
    if (name == "reverse") {
        std::vector<Value> items = itemsOf(to);
        std::reverse(items.begin(), items.end());
        return items;
    }
    if ((name == "items" || name == "dictsort") && to.is_object()) {
        Value pairs = pairsOf(to);
        if (name == "dictsort")
            std::sort(pairs.begin(), pairs.end());
        return pairs;
    }
    if (name == "int" || name == "float") {
        const double number = to.is_number() ? to.get<double>() : std::strtod(textOf(to).c_str(), nullptr);
        return name == "float" ? Value(number) : Value(static_cast<std::int64_t>(std::clamp(number, -9e15, 9e15)));
    }
    if (name == "select" || name == "reject" || name == "selectattr" || name == "rejectattr" || name == "map")
        return chosen(name, to, arguments, named);
    throw Fault{fmt::format("the filter \"{}\" is not supported", name)};
}

bool holds(const std::string &test, const Value &of, const std::vector<Value> &arguments)
{
    if (test == "defined" || test == "undefined")
        return of.is_discarded() == (test == "undefined");
    if (test == "none")
        return of.is_null();
    if (test == "string")
        return of.is_string();
    if (test == "mapping")
        return of.is_object();
    if (test == "iterable" || test == "sequence")
        return of.is_string() || of.is_structured();
    if (test == "number")
        return of.is_number() || of.is_boolean();
    if (test == "integer" || test == "float")
        return test == "integer" ? of.is_number_integer() : of.is_number_float();
    if (test == "boolean")
        return of.is_boolean();
    if (test == "true" || test == "false")
        return of.is_boolean() && of.get<bool>() == (test == "true");
    if (arguments.size() == 1) {
        if (test == "equalto" || test == "eq")
            return binary("==", of, arguments[0]).get<bool>();
        if (test == "ne" || test == "in")
            return binary(test == "ne" ? "!=" : "in", of, arguments[0]).get<bool>();
        if (test == "divisibleby")
            return !isTrue(binary("%", of, arguments[0]));
    }
    if (test == "odd" || test == "even")
        return isTrue(binary("%", of, 2)) == (test == "odd");
    throw Fault{fmt::format("the test \"{}\" is not supported", test)};
}

} // namespace zigzag::jinja
