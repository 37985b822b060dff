// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/parallel_session.h"

#include "engine/map/checks.h"
#include "engine/map/map_io.h"
#include "engine/run/dealing.h"
#include "engine/run/rank_group.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <numeric>
#include <utility>

namespace zigzag {

namespace {

/// Puts what the ranks observe of a layer into the order of the whole model's query heads, and tells it once all have delivered.
class JoinedObserver
{
public:
    JoinedObserver(const Dealing &dealing, int queryHeads, AttentionObserver tell)
        : m_dealing(dealing)
        , m_queryHeads(static_cast<std::size_t>(queryHeads))
        , m_tell(std::move(tell))
    { }

    void take(int rank, int layer, std::span<const std::int32_t> strongest)
    {
        const std::vector<int> heads = m_dealing.queryHeads(rank, layer);
        const std::size_t tokens = strongest.size() / heads.size();
        const std::lock_guard lock(m_mutex);
        Layer &so = m_layers[layer];
        so.strongest.resize(tokens * m_queryHeads);
        for (std::size_t token = 0; token < tokens; ++token)
            for (std::size_t i = 0; i < heads.size(); ++i)
                so.strongest[token * m_queryHeads + static_cast<std::size_t>(heads[i])] = strongest[token * heads.size() + i];
        if (++so.delivered < m_dealing.ranks())
            return;
        m_tell(layer, so.strongest);
        m_layers.erase(layer);
    }

private:
    struct Layer {
        std::vector<std::int32_t> strongest; // [tokens, query_heads]
        int delivered = 0;
    };
    const Dealing &m_dealing;
    std::size_t m_queryHeads;
    AttentionObserver m_tell;
    std::mutex m_mutex;
    std::map<int, Layer> m_layers;
};

class ParallelSession final : public Session
{
public:
    ParallelSession(std::shared_ptr<DeviceModel> model, HeadMap map, std::vector<std::unique_ptr<Session>> ranks)
        : m_model(std::move(model))
        , m_map(std::move(map))
        , m_ranks(std::move(ranks))
    { }

    Result<std::vector<float>> run(std::span<const int> tokens, Logits logits, int sequence) override
    {
        return onAll<std::vector<float>>([&](Session &rank) { return rank.run(tokens, logits, sequence); });
    }
    Result<std::vector<float>> step(std::span<const int> tokens) override
    {
        return onAll<std::vector<float>>([&](Session &rank) { return rank.step(tokens); });
    }
    Result<std::vector<float>> stepSome(std::span<const int> tokens) override
    {
        return onAll<std::vector<float>>([&](Session &rank) { return rank.stepSome(tokens); });
    }
    Result<std::vector<std::int32_t>> continueGreedily(std::span<const int> tokens, int steps) override
    {
        return onAll<std::vector<std::int32_t>>([&](Session &rank) { return rank.continueGreedily(tokens, steps); });
    }
    double decodeMs() const override
    {
        return std::accumulate(m_ranks.begin(), m_ranks.end(), 0.0,
                               [](double most, const auto &rank) { return std::max(most, rank->decodeMs()); });
    }

    void reset() override
    {
        for (const auto &rank : m_ranks)
            rank->reset();
    }
    void reset(int sequence) override
    {
        for (const auto &rank : m_ranks)
            rank->reset(sequence);
    }
    void pretend(std::int64_t position, std::uint64_t seed) override
    {
        // A device that fails says so at the next run.
        (void)m_model->group->run([&](int rank) -> Result<void> {
            m_ranks[static_cast<std::size_t>(rank)]->pretend(position, seed);
            return {};
        });
    }

    std::int64_t position(int sequence) const override { return first().position(sequence); }
    int batch() const override { return first().batch(); }
    std::int64_t maxContext() const override { return first().maxContext(); }
    const HeadMap &map() const override { return m_map; }
    std::int64_t kvBytesAllocated() const override
    {
        return std::accumulate(m_ranks.begin(), m_ranks.end(), std::int64_t{0},
                               [](std::int64_t sum, const auto &rank) { return sum + rank->kvBytesAllocated(); });
    }
    std::int64_t workspaceBytes() const override
    {
        return std::accumulate(m_ranks.begin(), m_ranks.end(), std::int64_t{0},
                               [](std::int64_t sum, const auto &rank) { return sum + rank->workspaceBytes(); });
    }

    void setTraceSink(TraceSink *sink, Replays replays) override
    {
        // With a sink ranks may launch otherwise than without, so all of them need one.
        auto *const each = dynamic_cast<RankSinks *>(sink);
        for (std::size_t rank = 0; rank < m_ranks.size(); ++rank)
            m_ranks[rank]->setTraceSink(!sink           ? nullptr
                                            : each      ? each->of(static_cast<int>(rank))
                                            : rank == 0 ? sink
                                                        : &m_deaf,
                                        replays);
    }
    void setCancelFlag(const std::atomic<bool> *flag) override
    {
        for (const auto &rank : m_ranks)
            rank->setCancelFlag(flag);
    }
    void setAttentionObserver(AttentionObserver observer) override
    {
        if (!observer) {
            for (const auto &rank : m_ranks)
                rank->setAttentionObserver({});
            return;
        }
        const auto joined
            = std::make_shared<JoinedObserver>(*m_model->dealing, m_model->config().queryHeads, std::move(observer));
        for (std::size_t rank = 0; rank < m_ranks.size(); ++rank)
            m_ranks[rank]->setAttentionObserver(
                [joined, number = static_cast<int>(rank)](int layer, auto strongest) { joined->take(number, layer, strongest); });
    }

private:
    struct Deaf final : TraceSink {
        void begin(const SpanInfo &) override { }
        void end() override { }
    };

    Session &first() const { return *m_ranks.front(); }

    /// The first rank's result: all know the same.
    template <class Value, class Call> Result<Value> onAll(const Call &call)
    {
        Value found;
        auto ran = m_model->group->run([&](int rank) -> Result<void> {
            ZIGZAG_TRY(value, call(*m_ranks[static_cast<std::size_t>(rank)]));
            if (rank == 0)
                found = std::move(value);
            return {};
        });
        if (!ran) {
            if (ran.error().kind != ErrorKind::BadInput) // then nobody has run anything
                reset();
            return tl::unexpected(std::move(ran.error()));
        }
        return found;
    }

    std::shared_ptr<DeviceModel> m_model;
    HeadMap m_map;
    Deaf m_deaf;
    std::vector<std::unique_ptr<Session>> m_ranks; // [ranks]
};

} // namespace

Result<std::unique_ptr<Session>> createParallelSession(std::shared_ptr<DeviceModel> model, const HeadMap &given,
                                                       const SessionOptions &options)
{
    ZIGZAG_CHECK(checkFits(given, model->model->shape(), "the head map"));
    HeadMap map = given;
    map.setModel(mergedShape(model->model->shape(), given.model()));
    std::vector<std::unique_ptr<Session>> ranks(model->parts.size());
    ZIGZAG_CHECK(model->group->run([&](int rank) -> Result<void> {
        const auto at = static_cast<std::size_t>(rank);
        ZIGZAG_TRY(session, Session::create(model->parts[at], model->dealing->map(map, rank), options));
        ranks[at] = std::move(session);
        return {};
    }));
    return std::make_unique<ParallelSession>(std::move(model), std::move(map), std::move(ranks));
}

} // namespace zigzag
