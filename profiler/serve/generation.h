// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/serve/token_score.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace zigzag::serve {

/// One sequence to continue.
struct GenerationRequest {
    std::vector<int> tokens; ///< the prompt
    std::int64_t most = 16; ///< tokens to add; 0: the prompt's scores alone
    double temperature = 0, topP = 1;
    std::uint64_t seed = 0;
    bool ignoresEnds = false; ///< end tokens are tokens like others
    bool scoresPrompt = false;
    std::optional<int> top; ///< tokens are scored, and so many of the likeliest named
};

enum class Finish { Running, Stop, Length, Failed };

struct ScoredToken {
    int token = 0;
    bool isEnd = false; ///< ended the text, and is no part of it
    std::optional<TokenScore> score;
};

/// A sequence while it is continued: the scheduler's thread puts tokens in, and one other takes them out.
class Generation
{
public:
    explicit Generation(GenerationRequest request)
        : m_request(std::move(request))
    { }

    const GenerationRequest &request() const { return m_request; }

    struct News {
        std::vector<TokenScore> prompt; ///< of the prompt's tokens but the first, as far as they came
        std::vector<ScoredToken> tokens;
        Finish finish = Finish::Running;
        std::optional<Error> error; ///< where it is Failed
    };
    /// What came since the last call; waits for something at most that long.
    News wait(std::chrono::milliseconds longest);
    /// Nobody waits for the rest: its sequence is given to another at the next step.
    void cancel() { m_isCancelled = true; }
    bool isCancelled() const { return m_isCancelled; }

    // The scheduler's side.
    void add(ScoredToken token);
    void add(std::vector<TokenScore> promptScores);
    void finish(Finish how);
    void fail(Error error);

private:
    const GenerationRequest m_request;
    std::atomic<bool> m_isCancelled{false};
    std::mutex m_mutex;
    std::condition_variable m_changed;
    News m_news; // guarded by m_mutex
};

} // namespace zigzag::serve
