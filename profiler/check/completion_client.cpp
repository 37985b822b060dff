// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/check/completion_client.h"

#include "engine/model/text/utf8.h"
#include "profiler/check/event_stream.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace zigzag::check {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

namespace {

constexpr const char *completions = "/v1/completions";

double msSince(Clock::time_point begin)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

Json request(const std::string &model, const Prompt &prompt, int count, bool inText)
{
    Json asked = {{"model", model}, {"max_tokens", count}, {"temperature", 0}, {"ignore_eos", true}};
    if (inText)
        asked["prompt"] = prompt.text;
    else
        asked["prompt"] = prompt.tokens;
    return asked;
}

/// Servers refuse a form that they do not know in one of these ways.
bool isRefusal(int status)
{
    return status == 400 || status == 422 || status == 500 || status == 501;
}

} // namespace

Prompt promptOf(std::vector<int> tokens, const Tokenizer *tokenizer)
{
    if (!tokenizer)
        return {std::move(tokens), {}};
    std::string text = tokenizer->decode(tokens);
    std::vector<int> again = tokenizer->encode(text, true);
    if (text.empty() || utf8::valid(text) != text || again.empty())
        return {std::move(tokens), {}};
    return {std::move(again), std::move(text)};
}

CompletionClient::CompletionClient(ServerAddress address, ClientOptions options)
    : m_address(std::move(address))
    , m_options(std::move(options))
{ }

tl::unexpected<Error> CompletionClient::refused(const std::string &path, const HttpReply &reply) const
{
    return badInput(fmt::format("{}{}: answers {}: {}", m_address.text(), path, reply.status, errorText(reply.body)));
}

Result<std::vector<std::string>> CompletionClient::models() const
{
    const std::string path = "/v1/models";
    ZIGZAG_TRY(reply, exchange(m_address, m_options, "GET", path, {}));
    if (reply.status != 200)
        return refused(path, reply);
    return parseModels(reply.body, m_address.text() + path);
}

Result<ServedTokens> CompletionClient::complete(const std::string &model, const Prompt &prompt, int count,
                                                const TokenNames &names)
{
    const auto ask = [&](bool inText, bool byIds) {
        Json asked = request(model, prompt, count, inText);
        asked["logprobs"] = 1;
        if (byIds) { // vLLM's and SGLang's ways to name tokens by their ids
            asked["return_token_ids"] = true;
            asked["return_tokens_as_token_ids"] = true;
        }
        return exchange(m_address, m_options, "POST", completions, asked.dump());
    };
    // The richest form first; what a server does not know it may refuse, and is then asked without.
    HttpReply reply;
    bool inText = m_asksInText;
    for (const bool text : {false, true}) {
        if (text ? prompt.text.empty() : m_asksInText && !prompt.text.empty())
            continue;
        for (const bool byIds : {true, false})
            if (reply.status == 0 || isRefusal(reply.status)) {
                ZIGZAG_TRY(received, ask(text, byIds));
                reply = std::move(received);
                inText = text;
            }
    }
    if (reply.status != 200)
        return refused(completions, reply);
    ZIGZAG_TRY(served, parseServedTokens(reply.body, names, m_address.text()));
    if (std::ssize(served.tokens) > count)
        return badInput(fmt::format("{}: gave {} tokens where {} were asked for", m_address.text(), served.tokens.size(), count));
    if (inText && served.promptTokens && *served.promptTokens != std::ssize(prompt.tokens))
        return badInput(
            fmt::format("{}: takes no token ids, and reads a prompt as {} tokens where the model's tokenizer has {}: is "
                        "it the same model?",
                        m_address.text(), *served.promptTokens, prompt.tokens.size()));
    m_asksInText = inText;
    return std::move(served);
}

Result<StreamTimes> CompletionClient::stream(const std::string &model, const Prompt &prompt, int count) const
{
    Json asked = request(model, prompt, count, m_asksInText && !prompt.text.empty());
    asked["stream"] = true;
    asked["stream_options"] = {{"include_usage", true}};
    StreamTimes times;
    EventCounter events;
    double lastMs = 0;
    const auto begin = Clock::now();
    const auto onData = [&](std::string_view part) {
        if (const int pieces = events.take(part); pieces > 0) {
            lastMs = msSince(begin);
            if (times.pieces == 0)
                times.firstMs = lastMs;
            times.pieces += pieces;
        }
    };
    ZIGZAG_TRY(reply, exchange(m_address, m_options, "POST", completions, asked.dump(), onData));
    if (reply.status != 200)
        return refused(completions, reply);
    if (!events.error().empty()) // in an answer that began well
        return badInput(fmt::format("{}{}: {}", m_address.text(), completions, events.error()));
    if (times.pieces < 2)
        return badInput(
            fmt::format("{}: streams an answer in {} pieces, whose times tell nothing", m_address.text(), times.pieces));
    times.tokens = events.tokens() > 0 ? events.tokens() : times.pieces; // a piece may have several, or none
    if (times.tokens < 2)
        return badInput(fmt::format("{}: streams {} tokens, whose times tell nothing", m_address.text(), times.tokens));
    times.laterMs = lastMs - times.firstMs;
    return times;
}

} // namespace zigzag::check
