// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/backend.h"
#include "engine/run/collective.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace zigzag {

/// Backends that run one model together, each on a thread of its own, and what joins them.
class RankGroup
{
public:
    /// Called on each rank's thread.
    using MakeBackend = std::function<Result<std::unique_ptr<Backend>>(int rank)>;
    /// Called once, where all backends are there. [ranks]
    using Join = std::function<Result<std::unique_ptr<CollectiveGroup>>(std::span<const std::shared_ptr<Backend>>)>;

    static Result<std::shared_ptr<RankGroup>> create(int ranks, const MakeBackend &make, const Join &join);
    ~RankGroup();
    RankGroup(const RankGroup &) = delete;
    RankGroup &operator=(const RankGroup &) = delete;

    int ranks() const;
    const std::shared_ptr<Backend> &backend(int rank) const;
    Collective &collective(int rank) const;
    /// Who hears of a rank's collectives from now on; null: nobody. Not while the ranks run.
    void watch(int rank, CollectiveWatcher *watcher);

    /// Calls body(rank) on every rank's thread, and waits for all of them. The error is that of the rank that failed first; ranks
    /// that wait for one that failed are freed by an abort, once it is sure that they do. Not for two threads at a time, nor from
    /// a body.
    Result<void> run(const std::function<Result<void>(int rank)> &body);
    /// How long ranks may go on after one has failed, before they are taken to wait for it.
    void setPatience(std::chrono::milliseconds patience);

    /// Whether a rank is to stop where it is now, because `cancel` is set. All ranks that ask at the same places hear the same,
    /// so that none waits for one that has stopped.
    bool stops(int rank, const std::atomic<bool> *cancel);

private:
    struct Impl;
    explicit RankGroup(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

/// `ranks` devices of a backend of this name, joined: as many GPUs (`cuda` or `auto`), or as many shares of this machine's
/// processors
/// (`cpu`). Refused where there are fewer.
Result<std::shared_ptr<RankGroup>> createRankGroup(std::string_view name, int ranks);

} // namespace zigzag
