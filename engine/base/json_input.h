// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to the .cpp files that read JSON from outside: it includes nlohmann/json.

#include "engine/base/printable.h"
#include "engine/base/result.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace zigzag::json {

using Value = nlohmann::json;

/// Parses hostile text: never throws; syntax errors, overlong numbers, invalid UTF-8 and deep nesting are refused.
/// `where` names the file in errors.
Result<Value> parse(std::string_view text, const std::string &where);

/// What is wrong with text that a parser stopped at, `byte` counted from 1, and what to do; without the file's name.
std::string syntaxFault(std::string_view text, std::size_t byte);
/// How deep brackets may nest in documents from outside.
inline constexpr int deepestNesting = 64;

/// The member, or null where it is absent or JSON null, or where `object` is not an object.
const Value *find(const Value &object, std::string_view key);

// A member that must be there, with its type. The reference lives as long as `object`.
Result<const Value *> objectIn(const Value &object, std::string_view key, const std::string &where);
Result<const Value *> arrayIn(const Value &object, std::string_view key, const std::string &where);
Result<std::string> stringIn(const Value &object, std::string_view key, const std::string &where);
/// An integer (not 3.0) in [least, most].
Result<std::int64_t> integerIn(const Value &object, std::string_view key, std::int64_t least, std::int64_t most,
                               const std::string &where);
/// A finite number in [least, most].
Result<double> numberIn(const Value &object, std::string_view key, double least, double most, const std::string &where);

// The same with a value for a member that is absent or null.
Result<std::string> stringOr(const Value &object, std::string_view key, std::string fallback, const std::string &where);
Result<bool> booleanOr(const Value &object, std::string_view key, bool fallback, const std::string &where);
Result<std::int64_t> integerOr(const Value &object, std::string_view key, std::int64_t fallback, std::int64_t least,
                               std::int64_t most, const std::string &where);
Result<double> numberOr(const Value &object, std::string_view key, double fallback, double least, double most,
                        const std::string &where);

// A value by itself, such as an element of an array; `what` names it in errors.
Result<std::int64_t> asInteger(const Value &value, const std::string &what, std::int64_t least, std::int64_t most,
                               const std::string &where);
Result<double> asNumber(const Value &value, const std::string &what, double least, double most, const std::string &where);
Result<std::string> asString(const Value &value, const std::string &what, const std::string &where);

/// The "version" of a document of this format; refuses another format, and versions outside of [oldest, newest].
Result<std::int64_t> versionIn(const Value &document, std::string_view format, std::int64_t oldest, std::int64_t newest,
                               const std::string &where);
/// The same for a format of one version.
Result<void> checkFormat(const Value &document, std::string_view format, std::int64_t version, const std::string &where);

using zigzag::printable; // what is quoted from such a file

} // namespace zigzag::json
