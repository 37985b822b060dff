// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/tokenizer.h"
#include "profiler/check/completion_reply.h"
#include "profiler/check/server_connection.h"

#include <string>
#include <string_view>
#include <vector>

namespace zigzag::check {

/// One prompt in both forms in which a server may take it. `text` is empty where no text says exactly these tokens.
struct Prompt {
    std::vector<int> tokens;
    std::string text;
};
/// The tokens as a text, and the tokens that the model's tokenizer makes of that text: the same ones nearly always, and as good a
/// prompt where they are not. Without a tokenizer, the tokens alone.
Prompt promptOf(std::vector<int> tokens, const Tokenizer *tokenizer);

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
    /// Greedy tokens behind a prompt, `count` of them, with what the server gave each. Servers name their tokens in several ways
    /// (completion_reply.h); texts are looked up in `names`. A server that refuses token ids is asked in text, then and later;
    /// where it says how many tokens it read, and they are not the prompt's, its tokenizer is another one, and it is refused.
    Result<ServedTokens> complete(const std::string &model, const Prompt &prompt, int count, const TokenNames &names);
    /// The same as a stream, for its times alone.
    Result<StreamTimes> stream(const std::string &model, const Prompt &prompt, int count) const;
    /// Whether the server takes no token ids.
    bool asksInText() const { return m_asksInText; }

private:
    tl::unexpected<Error> refused(const std::string &path, const HttpReply &reply) const;

    ServerAddress m_address;
    ClientOptions m_options;
    bool m_asksInText = false;
};

} // namespace zigzag::check
