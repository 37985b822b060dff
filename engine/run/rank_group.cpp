// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/rank_group.h"

#include "engine/base/thread_pool.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <fmt/format.h>
#include <limits>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <thread>

namespace zigzag {

namespace {

using Body = std::function<Result<void>(int rank)>;

/// What a body does, whatever it throws: nothing may leave a rank's thread.
Result<void> guarded(const Body &body, int rank)
{
    try {
        return body(rank);
    } catch (const std::bad_alloc &) {
        return failed("memory: it could not be allocated: choose a smaller context or model");
    } catch (const std::exception &thrown) {
        return failed(thrown.what());
    }
}

/// Passes everything on, and tells a watcher of it.
class WatchedCollective : public Collective
{
public:
    WatchedCollective(Collective &real, CollectiveWatcher &watcher)
        : m_real(real)
        , m_watcher(watcher)
    { }

    void sum(const SumArgs &args) override
    {
        m_watcher.begin(CollectiveKind::Sum, args.count * bytesOf(args.type));
        m_real.sum(args);
        m_watcher.end();
    }
    void gather(const GatherArgs &args) override
    {
        const std::int64_t columns = std::accumulate(args.widths.begin(), args.widths.end(), std::int64_t{0});
        m_watcher.begin(CollectiveKind::Gather, args.rows * columns * static_cast<std::int64_t>(sizeof(float)));
        m_real.gather(args);
        m_watcher.end();
    }
    void clear(float *numbers, std::int64_t count) override { m_real.clear(numbers, count); }

private:
    Collective &m_real;
    CollectiveWatcher &m_watcher;
};

} // namespace

struct RankGroup::Impl {
    explicit Impl(int count)
        : backends(static_cast<std::size_t>(count))
        , watched(static_cast<std::size_t>(count))
        , passed(static_cast<std::size_t>(count))
    {
        const int threads = std::max(1, ThreadPool::current().threads() / count); // the host's share of each
        for (int rank = 0; rank < count; ++rank)
            workers.emplace_back([this, rank, threads] { work(rank, threads); });
    }

    ~Impl()
    {
        {
            const std::lock_guard lock(mutex);
            ends = true;
            begin.notify_all();
        }
        for (std::thread &worker : workers)
            worker.join();
    }

    void work(int rank, int threads)
    {
        ThreadPool pool(threads);
        const ThreadPool::Use use(pool);
        std::uint64_t seen = 0;
        std::unique_lock lock(mutex);
        for (;;) {
            begin.wait(lock, [&] { return ends || round != seen; });
            if (ends)
                return;
            seen = round;
            const Body &todo = *body;
            lock.unlock();
            Result<void> done = guarded(todo, rank);
            lock.lock();
            if (!done && !failure)
                failure = done.error();
            if (!done)
                failedRank = failedRank < 0 ? rank : failedRank;
            --running;
            ended.notify_all();
        }
    }

    Result<void> run(const Body &todo)
    {
        std::unique_lock lock(mutex);
        body = &todo;
        running = static_cast<int>(workers.size());
        failure.reset();
        failedRank = -1;
        std::fill(passed.begin(), passed.end(), 0);
        stopAt = never;
        ++round;
        begin.notify_all();
        ended.wait(lock, [this] { return running == 0 || failure; });
        // Ranks mostly fail together, of the same thing: only who goes on alone waits for the others in vain.
        if (!ended.wait_for(lock, patience, [this] { return running == 0; })) {
            if (group)
                group->abort();
            ended.wait(lock, [this] { return running == 0; });
            if (group)
                if (auto again = group->restart(); !again)
                    failure->message += "; " + again.error().message;
        }
        if (!failure)
            return {};
        if (failure->kind == ErrorKind::Failed)
            failure->message = fmt::format("rank {} of {}: {}", failedRank, workers.size(), failure->message);
        return tl::unexpected(std::move(*failure));
    }

    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

    std::vector<std::shared_ptr<Backend>> backends; // [ranks]
    std::unique_ptr<CollectiveGroup> group; ///< null until all backends are there
    std::vector<std::unique_ptr<WatchedCollective>> watched; ///< null where nobody watches [ranks]
    std::chrono::milliseconds patience{2000};

    std::mutex mutex;
    std::condition_variable begin, ended;
    const Body *body = nullptr;
    std::uint64_t round = 0;
    int running = 0, failedRank = -1;
    bool ends = false;
    std::optional<Error> failure;

    std::mutex stopping;
    std::vector<std::int64_t> passed; ///< places at which each rank has asked [ranks]
    std::int64_t stopAt = never; ///< the place at which all of them stop
    std::vector<std::thread> workers; ///< last: they use all of the above
};

RankGroup::RankGroup(std::unique_ptr<Impl> impl)
    : m_impl(std::move(impl))
{ }
RankGroup::~RankGroup() = default;

Result<std::shared_ptr<RankGroup>> RankGroup::create(int ranks, const MakeBackend &make, const Join &join)
{
    auto impl = std::make_unique<Impl>(ranks);
    ZIGZAG_CHECK(impl->run([&](int rank) -> Result<void> {
        ZIGZAG_TRY(backend, make(rank));
        impl->backends[static_cast<std::size_t>(rank)] = std::move(backend);
        return {};
    }));
    ZIGZAG_TRY(group, join(impl->backends));
    impl->group = std::move(group);
    return std::shared_ptr<RankGroup>(new RankGroup(std::move(impl)));
}

int RankGroup::ranks() const
{
    return static_cast<int>(m_impl->backends.size());
}

const std::shared_ptr<Backend> &RankGroup::backend(int rank) const
{
    return m_impl->backends[static_cast<std::size_t>(rank)];
}

Collective &RankGroup::collective(int rank) const
{
    WatchedCollective *watched = m_impl->watched[static_cast<std::size_t>(rank)].get();
    return watched ? *watched : m_impl->group->of(rank);
}

void RankGroup::watch(int rank, CollectiveWatcher *watcher)
{
    m_impl->watched[static_cast<std::size_t>(rank)]
        = watcher ? std::make_unique<WatchedCollective>(m_impl->group->of(rank), *watcher) : nullptr;
}

Result<void> RankGroup::run(const std::function<Result<void>(int rank)> &body)
{
    return m_impl->run(body);
}

void RankGroup::setPatience(std::chrono::milliseconds patience)
{
    m_impl->patience = patience;
}

bool RankGroup::stops(int rank, const std::atomic<bool> *cancel)
{
    Impl &s = *m_impl;
    const std::lock_guard lock(s.stopping);
    // No rank has passed the next place of the furthest one: there all of them can stop.
    if (s.stopAt == Impl::never && cancel && cancel->load(std::memory_order_relaxed))
        s.stopAt = *std::max_element(s.passed.begin(), s.passed.end());
    return s.passed[static_cast<std::size_t>(rank)]++ >= s.stopAt;
}

} // namespace zigzag
