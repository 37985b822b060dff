// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/tokenizer.h"
#include "profiler/check/completion_reply.h"

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag::check {

/// http://HOST[:PORT][/PREFIX], with or without /v1 at its end.
struct ServerAddress {
    std::string host;
    int port = 80;
    std::string prefix; ///< empty, or begins with a slash and ends without one

    std::string text() const;
};
Result<ServerAddress> parseServerAddress(std::string_view url);

struct ClientOptions {
    std::string key; ///< sent as Authorization: Bearer KEY; empty: none
    int timeoutSeconds = 600; ///< without a byte from the server
    const std::atomic<bool> *cancel = nullptr; ///< heard while an answer comes
};

/// How long an answer took to come, in pieces.
struct StreamTimes {
    double firstMs = 0; ///< from the request to the first piece of text
    double laterMs = 0; ///< from the first piece to the last
    int pieces = 0, tokens = 0;
};

/// Asks a server that speaks OpenAI's API (vLLM, SGLang, llama.cpp's, `zigzag serve`). What comes back is from outside: bounded,
/// and looked at before it is believed. Every error is one line with the server's address.
class CompletionClient
{
public:
    CompletionClient(ServerAddress address, ClientOptions options);

    /// The names of GET /v1/models.
    Result<std::vector<std::string>> models() const;
    /// Greedy tokens behind a prompt of token ids, `count` of them, with what the server gave each. Servers name their tokens in
    /// several ways (completion_reply.h); texts are looked up in `names`.
    Result<ServedTokens> complete(const std::string &model, std::span<const int> prompt, int count,
                                  const TokenNames &names) const;
    /// The same as a stream, for its times alone.
    Result<StreamTimes> stream(const std::string &model, std::span<const int> prompt, int count) const;

private:
    tl::unexpected<Error> refused(const std::string &path, int status, const std::string &body) const;
    Result<std::string> fetch(std::string_view method, const std::string &path, const std::string &body) const;

    ServerAddress m_address;
    ClientOptions m_options;
};

} // namespace zigzag::check
