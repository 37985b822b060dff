// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/check/completion_client.h"

#include "engine/base/json_input.h"
#include "engine/base/printable.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fmt/format.h>
#include <functional>
#include <httplib.h>
#include <nlohmann/json.hpp>

namespace zigzag::check {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t largestReply = 32 << 20; ///< bytes
constexpr int connectSeconds = 10;
constexpr std::string_view scheme = "http://";

double msSince(Clock::time_point begin)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

Json request(const std::string &model, std::span<const int> prompt, int count)
{
    return {
        {"model", model}, {"prompt", std::vector<int>(prompt.begin(), prompt.end())}, {"max_tokens", count}, {"temperature", 0}};
}

/// Counts the pieces of a stream of server-sent events, whose lines may be cut anywhere.
class EventCounter
{
public:
    /// The number of events that carry a piece of an answer and end in this part.
    int take(std::string_view part)
    {
        int pieces = 0;
        m_rest += part;
        for (std::size_t end = m_rest.find('\n'); end != std::string::npos; end = m_rest.find('\n')) {
            const std::string_view line = std::string_view(m_rest).substr(0, end);
            // Usage alone, and the last mark, are no pieces.
            if (line.starts_with("data:"))
                pieces += takeEvent(line.substr(5));
            m_rest.erase(0, end + 1);
        }
        return pieces;
    }
    /// As the server counted them; 0 where it did not say.
    int tokens() const { return m_tokens; }
    /// What the server said instead of going on; empty where it said nothing.
    const std::string &error() const { return m_error; }

private:
    /// 1 for a piece of the answer, 0 for what comes behind it.
    int takeEvent(std::string_view data)
    {
        const auto event = json::parse(data, "event");
        if (!event)
            return 0;
        if (json::find(*event, "error")) {
            m_error = errorText(data);
            return 0;
        }
        if (const json::Value *usage = json::find(*event, "usage"))
            if (const auto count = json::integerIn(*usage, "completion_tokens", 0, 1 << 20, "event"))
                m_tokens = static_cast<int>(*count);
        const json::Value *choices = json::find(*event, "choices");
        return choices && choices->is_array() && !choices->empty() ? 1 : 0;
    }

    int m_tokens = 0;
    std::string m_error;
    std::string m_rest;
};

} // namespace

std::string ServerAddress::text() const
{
    return fmt::format("{}{}:{}{}", scheme, host.find(':') == std::string::npos ? host : "[" + host + "]", port, prefix);
}

Result<ServerAddress> parseServerAddress(std::string_view url)
{
    const auto wrong
        = [&](std::string_view what) { return badInput(fmt::format("{}: {}; give http://HOST:PORT", printable(url), what)); };
    if (url.starts_with("https://"))
        return wrong("TLS is not spoken here, only plain http (a tunnel, such as ssh -L, reaches a distant server)");
    if (!url.starts_with(scheme))
        return wrong("is no address of a server");
    std::string_view rest = url.substr(scheme.size());
    ServerAddress address;
    const std::size_t slash = rest.find('/');
    std::string_view authority = rest.substr(0, slash);
    if (slash != std::string_view::npos)
        address.prefix = rest.substr(slash);
    while (address.prefix.ends_with('/'))
        address.prefix.pop_back();
    if (address.prefix.ends_with("/v1"))
        address.prefix.resize(address.prefix.size() - 3);
    std::size_t colon = authority.rfind(':');
    if (authority.starts_with('[')) { // an IPv6 address
        const std::size_t end = authority.find(']');
        if (end == std::string_view::npos)
            return wrong("is no address of a server");
        address.host = authority.substr(1, end - 1);
        colon = end + 1 < authority.size() ? end + 1 : std::string_view::npos;
    } else {
        address.host = authority.substr(0, colon);
    }
    if (colon != std::string_view::npos) {
        const std::string_view digits = authority.substr(colon + 1);
        const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
        if (fault != std::errc() || end != digits.data() + digits.size() || address.port < 1 || address.port > 65535)
            return wrong("has no port from 1 to 65535");
    }
    // What goes into a request's lines as it is has no room for spaces and line breaks.
    const std::string whole = address.host + address.prefix;
    if (address.host.empty() || whole.find_first_of(" \t\r\n@?#") != std::string::npos)
        return wrong("is no address of a server");
    return address;
}

CompletionClient::CompletionClient(ServerAddress address, ClientOptions options)
    : m_address(std::move(address))
    , m_options(std::move(options))
{ }

namespace {

struct Received {
    int status = 0;
    std::string body; ///< cut where it was refused
};

/// `onData` hears of every part of the body, and ends the request by false.
Result<Received> exchange(const ServerAddress &address, const ClientOptions &options, std::string_view method,
                          const std::string &path, const std::string &body, const std::function<bool(std::string_view)> &onData)
{
    httplib::Client client(address.host, address.port);
    client.set_connection_timeout(connectSeconds, 0);
    client.set_read_timeout(options.timeoutSeconds, 0);
    client.set_write_timeout(connectSeconds, 0);
    httplib::Request asked;
    asked.method = method;
    asked.path = address.prefix + path;
    asked.set_header("Accept", "application/json, text/event-stream");
    if (!options.key.empty())
        asked.set_header("Authorization", "Bearer " + options.key);
    if (!body.empty()) {
        asked.set_header("Content-Type", "application/json");
        asked.body = body;
    }
    bool tooLarge = false, wasCancelled = false;
    Received received;
    asked.content_receiver = [&](const char *data, std::size_t size, std::uint64_t, std::uint64_t) {
        tooLarge = received.body.size() + size > largestReply;
        wasCancelled = options.cancel && options.cancel->load();
        if (tooLarge || wasCancelled)
            return false;
        received.body.append(data, size);
        return !onData || onData({data, size});
    };
    const httplib::Result result = client.send(asked);
    if (wasCancelled)
        return cancelled();
    if (tooLarge)
        return badInput(
            fmt::format("{}: sends more than {} MiB: is it a server of a language model?", address.text(), largestReply >> 20));
    if (!result)
        return badInput(fmt::format("{}: {}: is the server up, and is this its address?", address.text(),
                                    httplib::to_string(result.error())));
    received.status = result->status;
    return received;
}

} // namespace

Result<std::string> CompletionClient::fetch(std::string_view method, const std::string &path, const std::string &body) const
{
    ZIGZAG_TRY(received, exchange(m_address, m_options, method, path, body, {}));
    if (received.status == 200)
        return std::move(received.body);
    return refused(path, received.status, received.body);
}

tl::unexpected<Error> CompletionClient::refused(const std::string &path, int status, const std::string &body) const
{
    return badInput(fmt::format("{}{}: answers {}: {}", m_address.text(), path, status, errorText(body)));
}

Result<std::vector<std::string>> CompletionClient::models() const
{
    ZIGZAG_TRY(body, fetch("GET", "/v1/models", {}));
    return parseModels(body, m_address.text() + "/v1/models");
}

Result<ServedTokens> CompletionClient::complete(const std::string &model, std::span<const int> prompt, int count,
                                                const TokenNames &names) const
{
    Json asked = request(model, prompt, count);
    asked["logprobs"] = 1;
    asked["ignore_eos"] = true;
    // vLLM's and SGLang's ways to name tokens by their ids. A server that knows neither may refuse them, and is asked without.
    Json first = asked;
    first["return_token_ids"] = true;
    first["return_tokens_as_token_ids"] = true;
    ZIGZAG_TRY(received, exchange(m_address, m_options, "POST", "/v1/completions", first.dump(), {}));
    std::string body = std::move(received.body);
    if (received.status == 400 || received.status == 422) {
        ZIGZAG_TRY(again, fetch("POST", "/v1/completions", asked.dump()));
        body = std::move(again);
    } else if (received.status != 200) {
        return refused("/v1/completions", received.status, body);
    }
    ZIGZAG_TRY(served, parseServedTokens(body, names, m_address.text()));
    if (std::ssize(served.tokens) > count)
        return badInput(fmt::format("{}: gave {} tokens where {} were asked for", m_address.text(), served.tokens.size(), count));
    return std::move(served);
}

Result<StreamTimes> CompletionClient::stream(const std::string &model, std::span<const int> prompt, int count) const
{
    Json asked = request(model, prompt, count);
    asked["ignore_eos"] = true;
    asked["stream"] = true;
    asked["stream_options"] = {{"include_usage", true}};
    StreamTimes times;
    EventCounter events;
    double lastMs = 0;
    const auto begin = Clock::now();
    ZIGZAG_TRY(received, exchange(m_address, m_options, "POST", "/v1/completions", asked.dump(), [&](std::string_view part) {
                   if (const int pieces = events.take(part); pieces > 0) {
                       lastMs = msSince(begin);
                       if (times.pieces == 0)
                           times.firstMs = lastMs;
                       times.pieces += pieces;
                   }
                   return true;
               }));
    if (received.status != 200)
        return refused("/v1/completions", received.status, received.body);
    if (!events.error().empty()) // in an answer that began well
        return badInput(fmt::format("{}/v1/completions: {}", m_address.text(), events.error()));
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
