// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/device_model.h"
#include "engine/run/sampler.h"
#include "engine/run/session.h"
#include "profiler/serve/generation.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace zigzag::serve {

struct SchedulerOptions {
    int batch = 8; ///< sequences that are continued together, 1 to 64; each has its KV memory from the start
    std::int64_t context = 0; ///< tokens that each of them may have
    std::size_t queue = 1024; ///< sequences that may wait for a free one
};

/// Continues many sequences on one session, in a thread of its own. Between two steps of decode it lets a waiting sequence
/// into a free place of the batch and runs one chunk of one prompt, so that a long prompt holds the others up by a chunk at a
/// time. Sequences take the lowest free place, and a step runs as many places as it must: a client who is alone is served at
/// the speed, and with the arithmetic, of a batch of one.
class BatchScheduler
{
public:
    /// Plans and allocates the session; fails as Session::create does.
    static Result<std::unique_ptr<BatchScheduler>> create(std::shared_ptr<DeviceModel> model, const HeadMap &map,
                                                          const SchedulerOptions &options);
    ~BatchScheduler();

    /// All of them or none. BadInput: a prompt without tokens, with tokens of no such model, or longer than the context
    /// together with what is asked for. Failed: the queue is full, or the scheduler has stopped.
    Result<std::vector<std::shared_ptr<Generation>>> submit(std::vector<GenerationRequest> requests);
    /// Ends the thread; what is not finished fails. From any thread.
    void stop();

    std::int64_t context() const { return m_session->maxContext(); }
    int batch() const { return m_session->batch(); }
    /// Sequences in the batch, and those that wait.
    int running() const { return m_running; }
    std::size_t waiting() const;

private:
    /// A sequence of the session and who has it.
    struct Place {
        std::shared_ptr<Generation> owner; ///< null: it is free
        Sampler sampler = Sampler();
        std::int64_t prefilled = 0; ///< tokens of the prompt
        std::int64_t added = 0;
        int next = 0; ///< the token that its next step runs
        bool isDecoding() const;
    };

    BatchScheduler(std::shared_ptr<DeviceModel> model, std::unique_ptr<Session> session, const SchedulerOptions &options,
                   std::int64_t chunk);
    void loop();
    bool admit();
    void dropCancelled();
    Result<void> oneStep();
    Result<void> prefillOne();
    Result<void> decode();
    void take(std::size_t index, std::span<const float> logits);
    void scorePrompt(Place &place, std::span<const int> piece, std::span<const float> logits);
    void free(std::size_t index);
    void failAll(const Error &error);
    Result<void> check(const GenerationRequest &request) const;

    std::shared_ptr<DeviceModel> m_model;
    std::unique_ptr<Session> m_session; // the thread's
    const std::size_t m_longestQueue;
    const std::int64_t m_chunk;
    std::vector<Place> m_places; // [batch], the thread's
    std::size_t m_turn = 0; // where the search for the next prompt begins, the thread's
    std::atomic<int> m_running{0};
    std::atomic<bool> m_stops{false};
    mutable std::mutex m_mutex;
    std::condition_variable m_wakes;
    std::deque<std::shared_ptr<Generation>> m_queue; // guarded by m_mutex
    std::thread m_thread;
};

} // namespace zigzag::serve
