// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/check/completion_reply.h"

#include "engine/base/json_input.h"

#include <charconv>
#include <fmt/format.h>

namespace zigzag::check {

using json::Value;

namespace {

constexpr std::size_t mostTokens = 1 << 16, mostModels = 1 << 12, longestError = 300;
constexpr std::int64_t mostPromptTokens = std::int64_t{1} << 40;
constexpr double leastLogprob = -1e6;
constexpr std::string_view idPrefix = "token_id:";

std::optional<int> namedById(std::string_view text)
{
    if (!text.starts_with(idPrefix))
        return {};
    text.remove_prefix(idPrefix.size());
    int id = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), id);
    return fault == std::errc() && end == text.data() + text.size() ? std::optional(id) : std::nullopt;
}

/// `bytes:\xd9`, as completions name a token that is no UTF-8: its bytes.
std::optional<std::string> namedByBytes(std::string_view text)
{
    constexpr std::string_view prefix = "bytes:", byte = "\\x";
    if (!text.starts_with(prefix))
        return {};
    text.remove_prefix(prefix.size());
    std::string bytes;
    for (; !text.empty(); text.remove_prefix(4)) {
        unsigned int value = 0;
        if (text.size() < 4 || !text.starts_with(byte)
            || std::from_chars(text.data() + 2, text.data() + 4, value, 16).ptr != text.data() + 4)
            return {};
        bytes += static_cast<char>(value);
    }
    return bytes;
}

Result<int> idOfName(const Value &name, const TokenNames &names, const std::string &where)
{
    ZIGZAG_TRY(text, json::asString(name, "a token", where));
    if (const auto id = namedById(text))
        return *id;
    if (const auto id = names.idOf(text))
        return *id;
    if (const auto bytes = namedByBytes(text))
        if (const auto id = names.idOf(*bytes))
            return *id;
    return badInput(
        fmt::format("{}: names a token \"{}\", which is not one token of the model's tokenizer: is it the same model?", where,
                    json::printable(text)));
}

Result<double> logprobOf(const Value &value, const std::string &where)
{
    return json::asNumber(value, "a log-probability", leastLogprob, 1e-3, where);
}

/// As chat completions have them, and llama.cpp's server everywhere.
Result<ServedTokens> fromContent(const Value &content, const TokenNames &names, const std::string &where)
{
    ServedTokens served;
    for (const Value &entry : content) {
        if (json::find(entry, "id")) {
            ZIGZAG_TRY(id, json::integerIn(entry, "id", 0, names.vocabulary() - 1, where));
            served.tokens.push_back(static_cast<int>(id));
        } else if (const Value *name = json::find(entry, "token")) {
            ZIGZAG_TRY(id, idOfName(*name, names, where));
            served.tokens.push_back(id);
        }
        ZIGZAG_TRY(logprob, json::numberIn(entry, "logprob", leastLogprob, 1e-3, where));
        served.logprobs.push_back(logprob);
    }
    return served;
}

/// As completions have them.
Result<ServedTokens> fromLists(const Value &choice, const Value &logprobs, const TokenNames &names, const std::string &where)
{
    ServedTokens served;
    ZIGZAG_TRY(given, json::arrayIn(logprobs, "token_logprobs", where));
    for (const Value &value : *given) {
        ZIGZAG_TRY(logprob, logprobOf(value, where));
        served.logprobs.push_back(logprob);
    }
    if (json::find(choice, "token_ids")) {
        ZIGZAG_TRY(ids, json::arrayIn(choice, "token_ids", where));
        for (const Value &value : *ids) {
            ZIGZAG_TRY(id, json::asInteger(value, "a token id", 0, names.vocabulary() - 1, where));
            served.tokens.push_back(static_cast<int>(id));
        }
        return served;
    }
    ZIGZAG_TRY(texts, json::arrayIn(logprobs, "tokens", where));
    for (const Value &text : *texts) {
        ZIGZAG_TRY(id, idOfName(text, names, where));
        served.tokens.push_back(id);
    }
    return served;
}

} // namespace

TokenNames::TokenNames(const Tokenizer *tokenizer, int vocabulary)
    : m_vocabulary(vocabulary)
{
    for (int id = 0; tokenizer && id < tokenizer->vocabulary(); ++id)
        if (std::string text = tokenizer->piece(id); !text.empty())
            if (const auto [at, isNew] = m_ids.emplace(std::move(text), id); !isNew)
                at->second = -1;
}

std::optional<int> TokenNames::idOf(const std::string &text) const
{
    const auto found = m_ids.find(text);
    return found != m_ids.end() && found->second >= 0 ? std::optional(found->second) : std::nullopt;
}

Result<ServedTokens> parseServedTokens(std::string_view body, const TokenNames &names, const std::string &where)
{
    ZIGZAG_TRY(reply, json::parse(body, where));
    ZIGZAG_TRY(choices, json::arrayIn(reply, "choices", where));
    if (choices->size() != 1)
        return badInput(fmt::format("{}: gave {} answers to one prompt", where, choices->size()));
    const Value &choice = choices->front();
    const Value *logprobs = json::find(choice, "logprobs");
    if (!logprobs || !logprobs->is_object())
        return badInput(fmt::format("{}: answers without log-probabilities, which tell the maps apart: start it so that it gives "
                                    "them",
                                    where));
    const Value *content = json::find(*logprobs, "content");
    ZIGZAG_TRY(served,
               content && content->is_array() ? fromContent(*content, names, where) : fromLists(choice, *logprobs, names, where));
    if (served.tokens.size() != served.logprobs.size() || served.tokens.empty() || served.tokens.size() > mostTokens)
        return badInput(
            fmt::format("{}: gave {} tokens and {} log-probabilities", where, served.tokens.size(), served.logprobs.size()));
    if (const Value *usage = json::find(reply, "usage"); usage && usage->is_object())
        if (const auto count = json::integerIn(*usage, "prompt_tokens", 0, mostPromptTokens, where)) // many say nothing
            served.promptTokens = *count;
    for (const int token : served.tokens)
        if (token < 0 || token >= names.vocabulary())
            return badInput(
                fmt::format("{}: gave token {}, and the model has {}: is it the same model?", where, token, names.vocabulary()));
    return served;
}

Result<std::vector<std::string>> parseModels(std::string_view body, const std::string &where)
{
    ZIGZAG_TRY(reply, json::parse(body, where));
    ZIGZAG_TRY(models, json::arrayIn(reply, "data", where));
    if (models->empty() || models->size() > mostModels)
        return badInput(fmt::format("{}: names {} models", where, models->size()));
    std::vector<std::string> names;
    for (const Value &model : *models) {
        ZIGZAG_TRY(name, json::stringIn(model, "id", where));
        names.push_back(std::move(name));
    }
    return names;
}

std::string errorText(std::string_view body)
{
    std::string text(body.substr(0, longestError));
    if (const auto reply = json::parse(body, "reply"); reply && reply->is_object()) {
        const Value *error = json::find(*reply, "error");
        const Value &holder = error && error->is_object() ? *error : *reply;
        for (const std::string_view key : {"message", "detail", "error"})
            if (const Value *message = json::find(holder, key); message && message->is_string()) {
                text = message->get<std::string>().substr(0, longestError);
                break;
            }
    }
    return json::printable(text, longestError);
}

} // namespace zigzag::check
