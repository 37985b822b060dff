// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/rank_waits.h"

#include "engine/run/backend.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <utility>

namespace zigzag {
namespace {

std::int64_t nanosecondsSince(TraceRecorder::Clock::time_point origin, TraceRecorder::Clock::time_point now)
{
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now - origin).count();
}

} // namespace

CollectiveRecorder::CollectiveRecorder(const TraceRecorder &recorder, std::size_t most, Backend *waitFor)
    : m_recorder(recorder)
    , m_most(most)
    , m_waitFor(waitFor)
{
    m_collectives.reserve(std::min<std::size_t>(most, 1 << 16));
}

void CollectiveRecorder::begin(CollectiveKind kind, std::int64_t bytes)
{
    // Outside any span there is no time to count from, nor an op that it would be a part of.
    m_isOpen = m_recorder.current() >= 0 && m_collectives.size() < m_most;
    if (!m_isOpen) {
        ++m_dropped;
        return;
    }
    if (m_waitFor) // a rank comes when its device does
        m_waitFor->wait();
    m_collectives.push_back({.bytes = bytes, .span = m_recorder.current(), .kind = kind});
    m_collectives.back().beginNs = nanosecondsSince(m_recorder.origin(), TraceRecorder::Clock::now());
}

void CollectiveRecorder::end()
{
    if (!m_isOpen)
        return;
    if (m_waitFor)
        m_waitFor->wait();
    CollectiveSpan &last = m_collectives.back();
    last.durationNs = nanosecondsSince(m_recorder.origin(), TraceRecorder::Clock::now()) - last.beginNs;
}

void setWaits(std::vector<std::vector<CollectiveSpan>> &ranks)
{
    if (ranks.empty())
        return;
    const auto fewest
        = std::min_element(ranks.begin(), ranks.end(), [](const auto &a, const auto &b) { return a.size() < b.size(); })->size();
    for (std::size_t i = 0; i < fewest; ++i) {
        std::int64_t last = 0;
        for (const auto &rank : ranks)
            last = std::max(last, rank[i].beginNs);
        for (auto &rank : ranks)
            rank[i].waitNs = std::clamp<std::int64_t>(last - rank[i].beginNs, 0, rank[i].durationNs);
    }
}

Trace joinRanks(TraceInfo info, std::vector<Trace> parts, std::vector<std::vector<CollectiveSpan>> collectives,
                const std::vector<TraceRecorder::Clock::time_point> &origins)
{
    Trace whole;
    info.gpus = static_cast<int>(parts.size());
    info.layerKinds = parts.front().info.layerKinds;
    whole.info = std::move(info);
    const auto first = *std::min_element(origins.begin(), origins.end());
    for (std::size_t rank = 0; rank < parts.size(); ++rank)
        for (CollectiveSpan &each : collectives[rank])
            each.beginNs += nanosecondsSince(first, origins[rank]);
    setWaits(collectives);
    for (std::size_t rank = 0; rank < parts.size(); ++rank) {
        const auto row = static_cast<std::uint16_t>(rank);
        const auto before = static_cast<std::int32_t>(whole.spans.size());
        whole.rows.push_back(fmt::format("rank {}", rank));
        for (TraceSpan span : parts[rank].spans) {
            span.beginNs += nanosecondsSince(first, origins[rank]);
            span.parent += span.parent < 0 ? 0 : before;
            span.row = row;
            whole.spans.push_back(span);
        }
        for (CollectiveSpan each : collectives[rank]) {
            each.span += each.span < 0 ? 0 : before;
            each.row = row;
            whole.collectives.push_back(each);
        }
        whole.dropped += parts[rank].dropped;
    }
    return whole;
}

} // namespace zigzag
