// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to engine/model/text: it includes nlohmann/json.

#include "engine/base/result.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag::jinja {

/// Objects keep the order of their keys, as in Python. An undefined value is a discarded one.
using Value = nlohmann::ordered_json;

inline Value undefined()
{
    return Value(Value::value_t::discarded); // in braces it would be a list
}

/// What goes wrong inside a template. It is thrown within the parser and the interpreter, which would be mostly error handling
/// otherwise, and leaves neither.
struct Fault {
    std::string what;
};

struct Expression {
    enum class Kind {
        Literal,
        Name, ///< text
        Attribute, ///< of parts[0], text
        Item, ///< parts[0][parts[1]]
        Slice, ///< parts[0][parts[1]:parts[2]:parts[3]], where a literal undefined is left out
        Call, ///< parts[0](the other parts, named)
        Filter, ///< parts[0] | text(the other parts, named)
        Test, ///< parts[0] is text(the other parts)
        Not,
        Negative,
        Binary, ///< parts[0] text parts[1]
        And,
        Or,
        Choice, ///< parts[0] if parts[1] else parts[2]
        List,
        Dictionary ///< keys and values in turns
    };
    Kind kind = Kind::Literal;
    std::string text;
    Value literal = nullptr;
    std::vector<Expression> parts;
    struct Named;
    std::vector<Named> named;
};
/// A struct of its own, since a pair would have to be complete before the expression is.
struct Expression::Named {
    std::string name;
    Expression value;
};

struct Statement {
    enum class Kind {
        Text,
        Output, ///< expressions[0]
        If, ///< bodies[i] where expressions[i] holds; one body more is the else
        For, ///< names in expressions[0], where expressions[1] holds; bodies: each, and where there was none
        Set, ///< names[0], or names[1] of the namespace names[0], = expressions[0], or bodies[0] as text
        Macro, ///< names[0] with the other names as parameters, expressions: their defaults, undefined where there is none
        Block, ///< bodies[0], as it is
        Break,
        Continue
    };
    Kind kind = Kind::Text;
    std::string text;
    std::vector<std::string> names;
    std::vector<Expression> expressions;
    std::vector<std::vector<Statement>> bodies;
};

/// A piece of a template: text between tags, or the inside of a tag. White space is already cut as trim_blocks, lstrip_blocks
/// and the signs at the tags say.
struct Piece {
    enum class Kind { Text, Output, Tag };
    Kind kind = Kind::Text;
    std::string text;
};
/// Throws Fault.
std::vector<Piece> cutTemplate(std::string_view text);
/// What the inside of a tag is made of.
struct Token {
    enum class Kind { Name, Text, Number, Sign, End };
    Kind kind = Kind::End;
    std::string text;
    Value number = nullptr;
};
/// The last one is an End. Throws Fault.
std::vector<Token> tokensOf(std::string_view text);
/// Throws Fault.
std::vector<Statement> parseTemplate(std::string_view text);

// Python's ways with values, for the interpreter. All throw Fault.

bool isTrue(const Value &value);
/// As print writes it.
std::string textOf(const Value &value);
Value callMethod(const Value &of, const std::string &name, const std::vector<Value> &arguments);
Value applyFilter(const std::string &name, const Value &to, const std::vector<Value> &arguments, const Value &named);
bool holds(const std::string &test, const Value &of, const std::vector<Value> &arguments);
Value binary(const std::string &op, const Value &left, const Value &right);
Value itemOf(const Value &of, const Value &index);
Value sliceOf(const Value &of, const Value &start, const Value &stop, const Value &step);
/// As items of a loop: of an object its keys, of a text its characters.
std::vector<Value> itemsOf(const Value &value);

} // namespace zigzag::jinja
