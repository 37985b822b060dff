// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

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
    int silenceSeconds = 600; ///< without a byte from the server
    const std::atomic<bool> *cancel = nullptr; ///< heard at any time: while a connection is made, while the server is silent
};

struct HttpReply {
    int status = 0;
    std::string body; ///< cut where it was refused
};

/// One request and the whole of its answer. `path` goes behind the address's prefix; an empty `body` is none. `onData` hears of
/// each part of the body as it comes, on another thread, and never once this has returned. Bounded in size; cancelled, it is back
/// within a quarter of a second whatever the server does. Every error is one line with the server's address.
Result<HttpReply> exchange(const ServerAddress &address, const ClientOptions &options, std::string_view method,
                           const std::string &path, const std::string &body,
                           const std::function<void(std::string_view)> &onData = {});

} // namespace zigzag::check
