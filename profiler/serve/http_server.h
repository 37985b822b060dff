// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"
#include "profiler/serve/batch_scheduler.h"

#include <memory>
#include <string>

namespace zigzag::serve {

struct ServerOptions {
    std::string host = "127.0.0.1";
    int port = 8080; ///< 0: any that is free
    std::string key; ///< that every request must carry ("Authorization: Bearer KEY"); empty: none
    std::string name; ///< of the model in answers
};

/// A server in the form of OpenAI's API over one model: GET /v1/models and /health (how many sequences run, and wait), POST
/// /v1/completions and /v1/chat/completions, in one piece or as a stream of server-sent events. "model" of a request is not
/// looked at: there is one. Errors are {"error": {"message", "type"}}: 400 for what the sender can mend, 401 without the key, 503
/// where no prompt more can wait. An answer in one piece that takes longer than a moment is begun (200) before it is known, so
/// that a client who has gone is noticed and its place given to the next; if it fails then, its body is an error.
class HttpServer
{
public:
    /// Binds the port and serves from then on, in threads of its own.
    static Result<std::unique_ptr<HttpServer>> start(std::shared_ptr<const Model> model, BatchScheduler &scheduler,
                                                     const ServerOptions &options);
    /// Waits for the answers that are being written: stop the scheduler first.
    ~HttpServer();
    int port() const;
    /// False: it has stopped taking connections, for a reason of the system's.
    bool isRunning() const;

private:
    struct Impl;
    explicit HttpServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

} // namespace zigzag::serve
