// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/parallel_session.h"
#include "profiler/trace/rank_waits.h"

#include <memory>
#include <vector>

namespace zigzag {

/// What the ranks of a model that was dealt out do, each by itself: spans, and the collectives between them. By the host's clock;
/// where ranks work beside the host (GPUs), each op is waited for, so that a span is its time on the device.
class RankRecording : public RankSinks
{
public:
    /// `beside`: hears of the first rank's spans too; null: nobody. At most `mostSpans` in all.
    RankRecording(const DeviceModel &model, std::size_t mostSpans, TraceSink *beside = nullptr);
    ~RankRecording() override;

    TraceSink *of(int rank) override;
    /// Whether devices are waited for after each op.
    bool waits() const { return m_waits; }
    /// Once no rank runs.
    Trace trace(TraceInfo info, const HeadMap &map) const;

private:
    /// In each rank's own memory, which no other rank's thread writes to.
    struct Rank;
    const DeviceModel &m_model;
    bool m_waits = false;
    std::vector<std::unique_ptr<Rank>> m_ranks; // [ranks]
};

} // namespace zigzag
