// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/rank_recording.h"

#include "engine/run/dealing.h"
#include "engine/run/device_model.h"
#include "engine/run/rank_group.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace zigzag {
namespace {

/// Ends an op when the device has finished it.
class Waiting : public TraceSink
{
public:
    explicit Waiting(Backend &backend)
        : m_backend(backend)
    { }
    void begin(const SpanInfo &) override { }
    void end() override { m_backend.wait(); } // a failure comes back from the pass itself

private:
    Backend &m_backend;
};

} // namespace

struct RankRecording::Rank {
    Rank(Backend &backend, bool waits, std::size_t most, TraceSink *beside)
        : recorder(most)
        , collectives(recorder, most, waits ? &backend : nullptr)
        , waiting(backend)
    {
        std::vector<TraceSink *> all;
        if (beside)
            all.push_back(beside);
        all.push_back(&recorder);
        if (waits)
            all.push_back(&waiting);
        sinks.emplace(std::move(all));
    }

    TraceRecorder recorder;
    CollectiveRecorder collectives;
    Waiting waiting;
    std::optional<FanOutSink> sinks;
};

RankRecording::RankRecording(const DeviceModel &model, std::size_t mostSpans, TraceSink *beside)
    : m_model(model)
    , m_waits(!model.backend->capabilities().onProcessor)
{
    const auto ranks = model.parts.size();
    for (std::size_t rank = 0; rank < ranks; ++rank) {
        m_ranks.push_back(std::make_unique<Rank>(*model.parts[rank]->backend, m_waits,
                                                 std::max<std::size_t>(1, mostSpans / ranks), rank == 0 ? beside : nullptr));
        model.group->watch(static_cast<int>(rank), &m_ranks.back()->collectives);
    }
}

RankRecording::~RankRecording()
{
    for (std::size_t rank = 0; rank < m_ranks.size(); ++rank)
        m_model.group->watch(static_cast<int>(rank), nullptr);
}

TraceSink *RankRecording::of(int rank)
{
    return &*m_ranks[static_cast<std::size_t>(rank)]->sinks;
}

Trace RankRecording::trace(TraceInfo info, const HeadMap &map) const
{
    std::vector<Trace> parts;
    std::vector<std::vector<CollectiveSpan>> collectives;
    std::vector<TraceRecorder::Clock::time_point> origins;
    for (std::size_t rank = 0; rank < m_ranks.size(); ++rank) {
        const auto number = static_cast<int>(rank);
        const Rank &each = *m_ranks[rank];
        // Bytes and floors of a rank are those of its heads and features. A layer's kind is the whole map's.
        Trace part = each.recorder.trace(info, m_model.dealing->config(number), m_model.dealing->map(map, number));
        for (int layer = 0; layer < map.layers(); ++layer)
            part.info.layerKinds[static_cast<std::size_t>(layer)] = map.layerKind(layer);
        const double ofHead = static_cast<double>(m_model.dealing->headWidths()[rank]) / m_model.config().vocabulary;
        for (TraceSpan &span : part.spans) {
            if (span.layer >= 0)
                span.kind = map.layerKind(span.layer);
            if (span.op == Op::Logits) { // of its rows of the head
                span.bytes = static_cast<std::int64_t>(ofHead * static_cast<double>(span.bytes));
                span.flops = static_cast<std::int64_t>(ofHead * static_cast<double>(span.flops));
                span.floorNs *= static_cast<float>(ofHead);
            }
        }
        part.dropped += each.collectives.dropped();
        parts.push_back(std::move(part));
        collectives.push_back(each.collectives.collectives());
        origins.push_back(each.recorder.origin());
    }
    return joinRanks(std::move(info), std::move(parts), std::move(collectives), origins);
}

} // namespace zigzag
