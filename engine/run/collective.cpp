// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/collective.h"

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <mutex>

namespace zigzag {

namespace {

/// All ranks meet here; an abort lets everybody through.
class Barrier
{
public:
    explicit Barrier(int ranks)
        : m_ranks(ranks)
    { }

    /// False once the group has been aborted.
    bool meet()
    {
        std::unique_lock lock(m_mutex);
        if (m_aborted)
            return false;
        if (++m_arrived == m_ranks) {
            m_arrived = 0;
            ++m_round;
            m_met.notify_all();
            return true;
        }
        m_met.wait(lock, [this, round = m_round] { return m_aborted || m_round != round; });
        return !m_aborted;
    }

    void abort()
    {
        const std::lock_guard lock(m_mutex);
        m_aborted = true;
        m_met.notify_all();
    }

    void restart()
    {
        const std::lock_guard lock(m_mutex);
        m_aborted = false;
        m_arrived = 0;
    }

private:
    const int m_ranks;
    std::mutex m_mutex;
    std::condition_variable m_met;
    int m_arrived = 0;
    std::uint64_t m_round = 0;
    bool m_aborted = false;
};

class InProcessGroup : public CollectiveGroup
{
public:
    explicit InProcessGroup(int ranks)
        : m_barrier(ranks)
        , m_parts(static_cast<std::size_t>(ranks))
    {
        for (int rank = 0; rank < ranks; ++rank)
            m_members.emplace_back(*this, static_cast<std::size_t>(rank));
    }

    Collective &of(int rank) override { return m_members[static_cast<std::size_t>(rank)]; }
    void abort() override { m_barrier.abort(); }
    Result<void> restart() override
    {
        m_barrier.restart();
        return {};
    }

private:
    class Member : public Collective
    {
    public:
        Member(InProcessGroup &group, std::size_t rank)
            : m_group(group)
            , m_rank(rank)
        { }

        void sum(const SumArgs &args) override
        {
            assert(args.type == DType::F32);
            if (!publish(args.part))
                return;
            // Each rank for itself: nobody may write a part before all have read it.
            const auto &parts = m_group.m_parts;
            for (std::int64_t i = 0; i < args.count; ++i) {
                float sum = args.residual ? args.residual[i] : 0;
                for (const void *part : parts)
                    sum += static_cast<const float *>(part)[i];
                args.out[i] = sum;
            }
            m_group.m_barrier.meet();
        }

        void gather(const GatherArgs &args) override
        {
            if (!publish(args.part))
                return;
            std::int64_t all = 0, first = 0;
            for (const std::int64_t width : args.widths)
                all += width;
            for (std::size_t rank = 0; rank < args.widths.size(); ++rank) {
                const auto *part = static_cast<const float *>(m_group.m_parts[rank]);
                const std::int64_t width = args.widths[rank];
                for (std::int64_t row = 0; row < args.rows; ++row)
                    std::copy_n(part + row * width, width, args.out + row * all + first);
                first += width;
            }
            m_group.m_barrier.meet();
        }

        void clear(float *numbers, std::int64_t count) override { std::fill_n(numbers, count, 0.0F); }

    private:
        /// Shows the others where this rank's part is, and waits for theirs.
        bool publish(const void *part)
        {
            m_group.m_parts[m_rank] = part;
            return m_group.m_barrier.meet();
        }

        InProcessGroup &m_group;
        std::size_t m_rank;
    };

    Barrier m_barrier;
    std::vector<const void *> m_parts; // [ranks]
    std::vector<Member> m_members; // [ranks]
};

} // namespace

std::string_view nameOf(CollectiveKind kind)
{
    return kind == CollectiveKind::Sum ? "all-reduce" : "all-gather";
}

std::unique_ptr<CollectiveGroup> joinInProcess(int ranks)
{
    return std::make_unique<InProcessGroup>(ranks);
}

} // namespace zigzag
