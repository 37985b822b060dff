// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/serve/completion_request.h"

#include "engine/base/json_input.h"
#include "engine/model/chat.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <functional>
#include <limits>

namespace zigzag::serve {

using json::Value;

namespace {

const std::string where = "the request";

/// What both kinds of requests may say and nothing follows from.
constexpr std::array<std::string_view, 8> harmless
    = {"model", "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"};

constexpr std::array<std::string_view, 11> common = {"max_tokens", "temperature",    "top_p",      "seed", "stop",   "stream",
                                                     "logprobs",   "stream_options", "ignore_eos", "n",    "best_of"};

/// A value that asks for nothing: a parameter of something that is not done here may have it.
bool asksNothing(std::string_view key, const Value &value)
{
    if (value.is_null() || value == false || ((value.is_array() || value.is_object()) && value.empty()))
        return true;
    if (key == "frequency_penalty" || key == "presence_penalty" || key == "min_p")
        return value.is_number() && value == 0;
    if (key == "top_k")
        return value == 0 || value == -1;
    if (key == "repetition_penalty" || key == "length_penalty")
        return value.is_number() && value == 1;
    if (key == "suffix")
        return value.is_string() && value.get_ref<const std::string &>().empty();
    if (key == "tool_choice" || key == "function_call")
        return value == "none";
    if (key == "response_format")
        return value.is_object() && value.size() == 1 && value.contains("type") && value["type"] == "text";
    return key == "parallel_tool_calls";
}

Result<void> checkKeys(const Value &request, const std::vector<std::string_view> &own)
{
    const auto isIn
        = [](const auto &list, std::string_view key) { return std::find(list.begin(), list.end(), key) != list.end(); };
    for (const auto &[key, value] : request.items())
        if (!isIn(harmless, key) && !isIn(common, key) && !isIn(own, key) && !asksNothing(key, value))
            return badInput(fmt::format("{}: \"{}\" is not supported; leave it out", where, json::printable(key)));
    if (const Value *model = json::find(request, "model"); model && !model->is_string())
        return badInput(fmt::format("{}: \"model\" must be a string, not {}", where, model->type_name()));
    for (const std::string_view key : {"n", "best_of"}) {
        ZIGZAG_TRY(count, json::integerOr(request, key, 1, 0, 1 << 20, where));
        if (count != 1)
            return badInput(fmt::format("{}: \"{}\" is {}, and one answer is made to a prompt: leave it out, or ask again with "
                                        "another seed",
                                        where, key, count));
    }
    return {};
}

Result<std::vector<std::string>> readStops(const Value &request)
{
    std::vector<std::string> stops;
    const Value *stop = json::find(request, "stop");
    if (!stop)
        return stops;
    const auto add = [&](const Value &text) -> Result<void> {
        if (!text.is_string() || text.get_ref<const std::string &>().size() > longestStop)
            return badInput(
                fmt::format("{}: \"stop\" must be a text of at most {} bytes, or a list of them", where, longestStop));
        if (!text.get_ref<const std::string &>().empty()) // which would end everything
            stops.push_back(text.get<std::string>());
        return {};
    };
    if (!stop->is_array()) {
        ZIGZAG_CHECK(add(*stop));
        return stops;
    }
    if (stop->size() > mostStops)
        return badInput(fmt::format("{}: \"stop\" has {} texts, and at most {} are looked for", where, stop->size(), mostStops));
    for (const Value &text : *stop)
        ZIGZAG_CHECK(add(text));
    return stops;
}

/// What both kinds say alike.
Result<CompletionRequest> readCommon(const Value &request)
{
    CompletionRequest read;
    ZIGZAG_TRY(temperature, json::numberOr(request, "temperature", 1.0, 0.0, 100.0, where));
    ZIGZAG_TRY(topP, json::numberOr(request, "top_p", 1.0, 0.0, 1.0, where));
    ZIGZAG_TRY(stops, readStops(request));
    ZIGZAG_TRY(ignoresEnds, json::booleanOr(request, "ignore_eos", false, where));
    ZIGZAG_TRY(streams, json::booleanOr(request, "stream", false, where));
    if (json::find(request, "seed")) {
        ZIGZAG_TRY(seed,
                   json::integerIn(request, "seed", std::numeric_limits<std::int64_t>::min(),
                                   std::numeric_limits<std::int64_t>::max(), where));
        read.seed = static_cast<std::uint64_t>(seed);
    }
    if (json::find(request, "stream_options")) {
        ZIGZAG_TRY(options, json::objectIn(request, "stream_options", where));
        ZIGZAG_TRY(usage, json::booleanOr(*options, "include_usage", false, where));
        read.streamsUsage = usage;
    }
    read.temperature = temperature;
    read.topP = topP;
    read.stops = std::move(stops);
    read.ignoresEnds = ignoresEnds;
    read.streams = streams;
    return read;
}

Result<void> readMost(const Value &request, std::string_view key, std::int64_t least, CompletionRequest &read)
{
    if (!json::find(request, key))
        return {};
    ZIGZAG_TRY(most, json::integerIn(request, key, least, std::int64_t{1} << 31, where));
    read.most = most;
    return {};
}

Result<std::vector<int>> readTokens(const Value &list)
{
    std::vector<int> tokens;
    tokens.reserve(list.size());
    for (const Value &value : list) {
        ZIGZAG_TRY(token, json::asInteger(value, "a token of \"prompt\"", 0, std::numeric_limits<int>::max(), where));
        tokens.push_back(static_cast<int>(token));
    }
    return tokens;
}

Result<std::vector<std::vector<int>>> readPrompts(const Value &request, const Model &model)
{
    ZIGZAG_TRY(addsSpecial, json::booleanOr(request, "add_special_tokens", true, where));
    const Value *prompt = json::find(request, "prompt");
    const auto wrong = [] {
        return badInput(fmt::format("{}: \"prompt\" must be a text, a list of token ids, or a list of at most {} of either",
                                    where, mostPrompts));
    };
    const auto one = [&](const Value &value) -> Result<std::vector<int>> {
        if (value.is_array())
            return readTokens(value);
        if (!value.is_string())
            return wrong();
        ZIGZAG_TRY(tokenizer, tokenizerOf(model));
        return tokenizer->encode(value.get_ref<const std::string &>(), addsSpecial);
    };
    if (!prompt)
        return wrong();
    std::vector<std::vector<int>> prompts;
    if (prompt->is_string() || (prompt->is_array() && !prompt->empty() && prompt->front().is_number())) {
        ZIGZAG_TRY(tokens, one(*prompt));
        prompts.push_back(std::move(tokens));
        return prompts;
    }
    if (!prompt->is_array() || prompt->empty() || prompt->size() > mostPrompts)
        return wrong();
    for (const Value &each : *prompt) {
        ZIGZAG_TRY(tokens, one(each));
        prompts.push_back(std::move(tokens));
    }
    return prompts;
}

Result<Value> parseObject(std::string_view body)
{
    if (body.size() > largestBody)
        return badInput(fmt::format("{}: its body has more than {} bytes; ask for less at a time", where, largestBody));
    ZIGZAG_TRY(request, json::parse(body, where));
    if (!request.is_object())
        return badInput(fmt::format("{}: a JSON object was expected, not {}", where, request.type_name()));
    return std::move(request);
}

/// A message's text: a string, or parts of which all are texts.
Result<std::string> contentOf(const Value &message)
{
    const Value *content = json::find(message, "content");
    if (!content || !content->is_array())
        return json::stringIn(message, "content", where);
    std::string text;
    for (const Value &part : *content) {
        if (!part.is_object() || !part.contains("type") || part["type"] != "text")
            return badInput(fmt::format("{}: a part of a message's content is no text, and this model reads text alone", where));
        ZIGZAG_TRY(piece, json::stringIn(part, "text", where));
        text += piece;
    }
    return text;
}

Result<std::vector<ChatMessage>> readMessages(const Value &request)
{
    ZIGZAG_TRY(list, json::arrayIn(request, "messages", where));
    std::vector<ChatMessage> messages;
    for (const Value &message : *list) {
        if (!message.is_object())
            return badInput(
                fmt::format("{}: a message must be an object with role and content, not {}", where, message.type_name()));
        ZIGZAG_TRY(role, json::stringIn(message, "role", where));
        if (role != "system" && role != "user" && role != "assistant")
            return badInput(fmt::format("{}: the role \"{}\" is not supported: choose system, user or assistant", where,
                                        json::printable(role)));
        for (const auto &[key, value] : message.items())
            if (key != "role" && key != "content" && !asksNothing(key, value))
                return badInput(
                    fmt::format("{}: \"{}\" of a message is not supported; leave it out", where, json::printable(key)));
        ZIGZAG_TRY(content, contentOf(message));
        messages.push_back({std::move(role), std::move(content)});
    }
    if (messages.empty())
        return badInput(fmt::format("{}: \"messages\" is empty; write at least one", where));
    return messages;
}

} // namespace

Result<CompletionRequest> parseCompletion(std::string_view body, const Model &model)
{
    ZIGZAG_TRY(request, parseObject(body));
    ZIGZAG_CHECK(checkKeys(request, {"prompt", "echo", "add_special_tokens"}));
    ZIGZAG_TRY(read, readCommon(request));
    ZIGZAG_TRY(echoes, json::booleanOr(request, "echo", false, where));
    ZIGZAG_TRY(prompts, readPrompts(request, model));
    read.echoes = echoes;
    read.prompts = std::move(prompts);
    read.most = 16; // as everywhere with this interface
    ZIGZAG_CHECK(readMost(request, "max_tokens", echoes ? 0 : 1, read));
    // false is what asks for no scores in the other kind of request.
    if (const Value *scores = json::find(request, "logprobs"); scores && *scores != false) {
        ZIGZAG_TRY(top, json::integerIn(request, "logprobs", 0, mostTop, where));
        read.top = static_cast<int>(top);
    }
    if (read.streams && (read.top || read.echoes))
        return badInput(fmt::format("{}: \"logprobs\" and \"echo\" are answered in one piece: leave \"stream\" out", where));
    return std::move(read);
}

Result<CompletionRequest> parseChat(std::string_view body, const Model &model)
{
    ZIGZAG_TRY(request, parseObject(body));
    ZIGZAG_CHECK(checkKeys(request, {"messages", "max_completion_tokens", "top_logprobs"}));
    ZIGZAG_TRY(read, readCommon(request));
    read.isChat = true;
    ZIGZAG_CHECK(readMost(request, "max_tokens", 1, read));
    ZIGZAG_CHECK(readMost(request, "max_completion_tokens", 1, read));
    ZIGZAG_TRY(scores, json::booleanOr(request, "logprobs", false, where));
    ZIGZAG_TRY(top, json::integerOr(request, "top_logprobs", 0, 0, mostTop, where));
    if (top > 0 && !scores)
        return badInput(fmt::format("{}: \"top_logprobs\" needs \"logprobs\": true", where));
    if (scores)
        read.top = static_cast<int>(top);
    if (read.streams && read.top)
        return badInput(fmt::format("{}: \"logprobs\" are answered in one piece: leave \"stream\" out", where));
    ZIGZAG_TRY(messages, readMessages(request));
    ZIGZAG_TRY(tokens, chatTokens(model, messages, true));
    read.prompts.push_back(std::move(tokens));
    return std::move(read);
}

} // namespace zigzag::serve
