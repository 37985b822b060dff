// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/session/session_manifest.h"

#include "engine/base/json_input.h"
#include "engine/base/version.h"
#include "engine/map/checks.h"
#include "engine/map/shape_json.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <fmt/format.h>
#include <functional>
#include <set>

namespace zigzag {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t longestKind = 64, longestName = 1000, longestNotes = 1 << 20, longestDetail = 1 << 20, mostDetails = 100;
constexpr std::int64_t latestTime = 253'402'300'799; // the last second of the year 9999
constexpr std::array sessionMembers = {"tool", "asked", "model", "notes", "current", "parts"};
constexpr std::array partMembers = {"kind", "name", "notes", "when", "locked", "details", "bytes", "sha256"};

std::string line(const Json &value)
{
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// "2026-11-28T15:44:41Z"
std::string timeText(std::int64_t when)
{
    const auto seconds = static_cast<std::time_t>(when);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                       parts.tm_hour, parts.tm_min, parts.tm_sec);
}

/// 0 for what is no such time: nothing but the order in a list hangs on it.
std::int64_t parseTime(const std::string &text)
{
    std::tm parts{};
    const char *end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (!end || *end != '\0')
        return 0;
    return std::clamp<std::int64_t>(timegm(&parts), 0, latestTime);
}

template <std::size_t count> std::string unknownMembers(const json::Value &object, const std::array<const char *, count> &known)
{
    json::Value others = json::Value::object();
    for (const auto &[key, value] : object.items())
        if (std::find(known.begin(), known.end(), key) == known.end())
            others[key] = value;
    return others.empty() ? std::string() : others.dump(-1, ' ', false, json::Value::error_handler_t::replace);
}

void addOthers(Json &entry, const std::string &others)
{
    if (others.empty())
        return;
    const Json value = Json::parse(others, nullptr, false);
    if (value.is_object())
        entry.update(value);
}

Json partJson(const SessionPart &part, const std::string &hash)
{
    Json entry = {{"kind", part.kind}, {"name", part.name}};
    if (!part.notes.empty())
        entry["notes"] = part.notes;
    if (part.when > 0)
        entry["when"] = timeText(std::min(part.when, latestTime));
    if (!part.locked.empty())
        entry["locked"] = part.locked;
    if (!part.details.empty())
        entry["details"] = part.details;
    entry["bytes"] = part.content->size();
    entry["sha256"] = hash;
    addOthers(entry, part.others);
    return entry;
}

bool isKind(std::string_view kind)
{
    const auto allowed
        = [](char letter) { return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-'; };
    return !kind.empty() && kind.size() <= longestKind && std::all_of(kind.begin(), kind.end(), allowed);
}

Result<void> checkPart(const SessionPart &part, const std::string &where)
{
    const std::string what = fmt::format("{}: the part \"{}\"", where, json::printable(part.name));
    if (!isKind(part.kind))
        return badInput(
            fmt::format("{} is of kind \"{}\", which is no word of small letters, digits and dashes; save the session "
                        "anew",
                        what, json::printable(part.kind)));
    if (part.name.empty() || part.name.size() > longestName)
        return badInput(fmt::format("{}: a name has 1 to {} bytes; give another name", what, longestName));
    if (part.notes.size() > longestNotes || part.details.size() > mostDetails)
        return badInput(
            fmt::format("{} has more than {} bytes of notes or {} details; shorten them", what, longestNotes, mostDetails));
    for (const auto &[key, value] : part.details)
        if (key.size() > longestName || value.size() > longestDetail)
            return badInput(fmt::format("{} has a detail of more than {} bytes; make it a part of its own", what, longestDetail));
    if (std::adjacent_find(part.locked.begin(), part.locked.end(), std::greater_equal<>()) != part.locked.end()
        || part.locked.size() > static_cast<std::size_t>(maxLayers)
        || (!part.locked.empty() && (part.locked.front() < 0 || part.locked.back() >= maxLayers)))
        return badInput(fmt::format("{}: \"locked\" must be layers, each once and rising; save the session anew", what));
    return {};
}

Result<void> checkWhole(const SavedSession &session, const std::string &where)
{
    if (session.parts.size() > mostParts)
        return badInput(fmt::format("{}: more than {} parts; begin another session", where, mostParts));
    if (session.notes.size() > longestNotes || session.asked.size() > longestDetail || session.current.size() > longestName)
        return badInput(fmt::format("{}: more than {} bytes of notes; shorten them", where, longestNotes));
    std::set<std::pair<std::string_view, std::string_view>> names;
    for (const SessionPart &part : session.parts) {
        ZIGZAG_CHECK(checkPart(part, where));
        if (!names.emplace(part.kind, part.name).second)
            return badInput(fmt::format("{}: two parts of kind {} are called \"{}\"; give one another name", where, part.kind,
                                        json::printable(part.name)));
    }
    return {};
}

Result<SessionPart> readPart(const json::Value &entry, const std::string &where)
{
    if (!entry.is_object())
        return badInput(fmt::format("{}: an entry of \"parts\" is no object; save the session anew", where));
    SessionPart part;
    ZIGZAG_TRY(kind, json::stringIn(entry, "kind", where));
    ZIGZAG_TRY(name, json::stringIn(entry, "name", where));
    ZIGZAG_TRY(notes, json::stringOr(entry, "notes", {}, where));
    ZIGZAG_TRY(when, json::stringOr(entry, "when", {}, where));
    part.kind = std::move(kind);
    part.name = std::move(name);
    part.notes = std::move(notes);
    part.when = parseTime(when);
    if (json::find(entry, "locked")) {
        ZIGZAG_TRY(locked, json::arrayIn(entry, "locked", where));
        if (locked->size() > static_cast<std::size_t>(maxLayers))
            return badInput(fmt::format("{}: \"locked\" has more than {} layers; save the session anew", where, maxLayers));
        for (const json::Value &value : *locked) {
            ZIGZAG_TRY(layer, json::asInteger(value, "an entry of \"locked\"", 0, maxLayers - 1, where));
            part.locked.push_back(static_cast<int>(layer));
        }
    }
    if (json::find(entry, "details")) {
        ZIGZAG_TRY(details, json::objectIn(entry, "details", where));
        if (details->size() > mostDetails)
            return badInput(fmt::format("{}: more than {} details of one part; save the session anew", where, mostDetails));
        for (const auto &[key, value] : details->items()) {
            ZIGZAG_TRY(text, json::asString(value, "a detail", where));
            part.details[key] = std::move(text);
        }
    }
    part.others = unknownMembers(entry, partMembers);
    return part;
}

Result<ContentName> readContentName(const json::Value &entry, const std::string &where)
{
    ZIGZAG_TRY(bytes, json::integerIn(entry, "bytes", 0, static_cast<std::int64_t>(largestSession), where));
    ZIGZAG_TRY(hash, json::stringIn(entry, "sha256", where));
    const auto isHex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (hash.size() != 64 || !std::all_of(hash.begin(), hash.end(), isHex))
        return badInput(fmt::format("{}: \"sha256\" must be 64 hexadecimal digits; save the session anew", where));
    return ContentName{std::move(hash), static_cast<std::uint64_t>(bytes)};
}

} // namespace

std::string manifestText(const SavedSession &session, const std::function<std::string(const SessionPart &)> &hashOf)
{
    std::string text
        = fmt::format("{{\"tool\": {},\n \"asked\": {}", jsonString(std::string(programVersion)), jsonString(session.asked));
    if (session.model.layers > 0)
        text += ",\n \"model\": " + modelJson(session.model);
    if (!session.notes.empty())
        text += ",\n \"notes\": " + jsonString(session.notes);
    if (!session.current.empty())
        text += ",\n \"current\": " + jsonString(session.current);
    Json others = Json::object();
    addOthers(others, session.others);
    for (const auto &[key, value] : others.items())
        text += fmt::format(",\n {}: {}", jsonString(key), line(value));
    text += ",\n \"parts\": [";
    const char *between = "";
    for (const SessionPart &part : session.parts) {
        text += fmt::format("{}\n  {}", between, line(partJson(part, hashOf(part))));
        between = ",";
    }
    return text + "]}";
}

Result<void> checkSession(const SavedSession &session, const std::string &where)
{
    ZIGZAG_CHECK(checkWhole(session, where));
    std::uint64_t bytes = 0;
    for (const SessionPart &part : session.parts)
        bytes += part.content->size();
    if (bytes > largestSession - largestManifest)
        return badInput(fmt::format("{}: more than {} bytes; begin another session", where, largestSession));
    return {};
}

Result<Manifest> parseManifest(std::string_view text, const std::string &where)
{
    ZIGZAG_TRY(document, json::parse(text, where));
    if (!document.is_object())
        return badInput(fmt::format("{}: the manifest is no object; open an earlier copy", where));
    Manifest manifest;
    SavedSession &session = manifest.session;
    ZIGZAG_TRY(asked, json::stringOr(document, "asked", {}, where));
    session.asked = std::move(asked);
    if (json::find(document, "model")) {
        ZIGZAG_TRY(model, readModel(document, where));
        session.model = std::move(model);
    }
    ZIGZAG_TRY(notes, json::stringOr(document, "notes", {}, where));
    ZIGZAG_TRY(current, json::stringOr(document, "current", {}, where));
    session.notes = std::move(notes);
    session.current = std::move(current);
    session.others = unknownMembers(document, sessionMembers);
    ZIGZAG_TRY(parts, json::arrayIn(document, "parts", where));
    if (parts->size() > mostParts)
        return badInput(fmt::format("{}: more than {} parts; save the session anew", where, mostParts));
    for (const json::Value &entry : *parts) {
        ZIGZAG_TRY(part, readPart(entry, where));
        ZIGZAG_TRY(name, readContentName(entry, where));
        session.parts.push_back(std::move(part));
        manifest.contents.push_back(std::move(name));
    }
    ZIGZAG_CHECK(checkWhole(session, where));
    return manifest;
}

} // namespace zigzag
