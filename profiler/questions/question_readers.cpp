// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/question_readers.h"

#include "engine/base/files.h"
#include "engine/model/resources.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace zigzag::questions {
namespace {

constexpr std::size_t mostNotes = 20, longestName = 120;

std::string quoted(std::string_view key)
{
    return fmt::format("\"{}\"", key);
}

/// A blank at the beginning of a text, in bytes; 0: none.
std::size_t blankLength(std::string_view text)
{
    constexpr std::string_view small = " \t\n\r\v\f\x1c\x1d\x1e\x1f";
    constexpr std::array<std::string_view, 19> wide
        = {"\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
           "\u2007", "\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};
    if (text.empty())
        return 0;
    if (small.find(text[0]) != std::string_view::npos)
        return 1;
    const auto found = std::find_if(wide.begin(), wide.end(), [&](std::string_view blank) { return text.starts_with(blank); });
    return found == wide.end() ? 0 : found->size();
}

Result<void> addReference(std::vector<std::string> &references, const json::Value &value, std::string_view key,
                          const std::string &where)
{
    if (!value.is_string() && !value.is_number())
        return badInput(
            fmt::format("{}: {} must be a text, a number or a list of these, not {}", where, quoted(key), value.type_name()));
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (text.size() > longestReference)
        return badInput(fmt::format("{}: {} has {} bytes, and at most {} are read; shorten it", where, quoted(key), text.size(),
                                    longestReference));
    if (!text.empty())
        references.push_back(std::move(text));
    return {};
}

} // namespace

void addNote(std::vector<std::string> &notes, std::string note)
{
    if (notes.size() > mostNotes || std::find(notes.begin(), notes.end(), note) != notes.end())
        return;
    notes.push_back(notes.size() == mostNotes ? std::string("and more was left out") : std::move(note));
}

bool has(const json::Value &record, std::string_view key)
{
    return json::find(record, key) != nullptr;
}

bool hasText(const json::Value &record, std::string_view key)
{
    const json::Value *value = json::find(record, key);
    return value && value->is_string();
}

Result<std::vector<std::string>> referencesIn(const json::Value &record, std::string_view key, const std::string &where,
                                              std::size_t most)
{
    std::vector<std::string> references;
    const json::Value *value = json::find(record, key);
    if (!value)
        return references;
    if (!value->is_array()) {
        ZIGZAG_CHECK(addReference(references, *value, key, where));
        return references;
    }
    if (value->size() > most)
        return badInput(fmt::format("{}: {} has {} answers, and at most {} are read; leave some out", where, quoted(key),
                                    value->size(), most));
    for (const json::Value &each : *value)
        ZIGZAG_CHECK(addReference(references, each, key, where));
    return references;
}

Result<std::vector<std::string>> classesIn(const json::Value &record, std::string_view key, const std::string &where)
{
    std::vector<std::string> classes;
    if (!has(record, key))
        return classes;
    ZIGZAG_TRY(list, json::arrayIn(record, key, where));
    if (list->size() > mostClasses)
        return badInput(fmt::format("{}: {} has {} names, and at most {} are read; leave some out", where, quoted(key),
                                    list->size(), mostClasses));
    for (const json::Value &each : *list) {
        ZIGZAG_TRY(name, json::asString(each, fmt::format("a member of {}", quoted(key)), where));
        classes.push_back(std::move(name));
    }
    return classes;
}

Result<int> answerTokensIn(const json::Value &record, int fallback, const std::string &where)
{
    ZIGZAG_TRY(tokens, json::integerOr(record, "max_new_tokens", fallback, 1, mostAnswerTokens, where));
    return static_cast<int>(tokens);
}

Result<std::string> nameIn(const json::Value &record, std::string_view key, std::string fallback, const std::string &where)
{
    const json::Value *value = json::find(record, key);
    if (!value)
        return fallback;
    if (!value->is_string() && !value->is_number_integer())
        return badInput(fmt::format("{}: {} must be a text or a whole number, not {}", where, quoted(key), value->type_name()));
    const std::string text = value->is_string() ? value->get<std::string>() : value->dump();
    return text.empty() ? fallback : printable(text, longestName);
}

Result<std::vector<ChatMessage>> conversationOf(const json::Value &list, const std::string &where)
{
    if (!list.is_array() || list.empty() || list.size() > mostMessages)
        return badInput(fmt::format("{}: a conversation must be a list of 1 to {} messages", where, mostMessages));
    std::vector<ChatMessage> messages;
    messages.reserve(list.size());
    for (const json::Value &each : list) {
        ZIGZAG_TRY(role, json::stringIn(each, "role", where));
        ZIGZAG_TRY(content, json::stringIn(each, "content", where));
        if (role != "system" && role != "user" && role != "assistant")
            return badInput(fmt::format("{}: the role \"{}\" of a message is none of system, user and assistant", where,
                                        printable(role, longestName)));
        messages.push_back({std::move(role), std::move(content)});
    }
    if (messages.back().role != "user")
        return badInput(fmt::format("{}: the conversation must end with the user's message, which is answered", where));
    return messages;
}

std::string filled(std::string_view prompt, Filling values)
{
    std::string text;
    while (!prompt.empty()) {
        const std::size_t brace = std::min(prompt.find('{'), prompt.size());
        text += prompt.substr(0, brace);
        prompt.remove_prefix(brace);
        const auto *value = std::find_if(values.begin(), values.end(), [&](const auto &each) {
            return prompt.substr(0, each.first.size() + 2) == fmt::format("{{{}}}", each.first);
        });
        if (value != values.end())
            text += value->second;
        else if (!prompt.empty())
            text += prompt[0];
        prompt.remove_prefix(value != values.end() ? value->first.size() + 2 : std::min<std::size_t>(1, prompt.size()));
    }
    return text;
}

std::string_view stripped(std::string_view text)
{
    while (const std::size_t length = blankLength(text))
        text.remove_prefix(length);
    while (!text.empty()) {
        // A blank of one byte ends in itself; wider ones have two or three.
        std::size_t length = 0;
        for (std::size_t bytes = 1; bytes <= std::min<std::size_t>(3, text.size()) && length == 0; ++bytes)
            if (blankLength(text.substr(text.size() - bytes)) == bytes)
                length = bytes;
        if (length == 0)
            break;
        text.remove_suffix(length);
    }
    return text;
}

Result<json::Value> publishedPrompts(std::string_view file)
{
    const std::filesystem::path path = resourceFolder() / "tasks" / file;
    ZIGZAG_TRY(text, readTextFile(path, 1 << 20));
    ZIGZAG_TRY(document, json::parse(text, path.string()));
    ZIGZAG_CHECK(json::checkFormat(document, "zigzag-published-prompts", 1, path.string()));
    ZIGZAG_CHECK(json::objectIn(document, "prompts", path.string()));
    return std::move(document);
}

} // namespace zigzag::questions
