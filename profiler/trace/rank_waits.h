// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/collective.h"
#include "profiler/trace/trace.h"
#include "profiler/trace/trace_recorder.h"

#include <cstddef>
#include <vector>

namespace zigzag {

/// The collectives of one rank, each with the innermost span of its recorder that was open. Called on the rank's thread. With a
/// backend to be waited for, a collective ends when the device has finished it.
class CollectiveRecorder : public CollectiveWatcher
{
public:
    explicit CollectiveRecorder(const TraceRecorder &recorder, std::size_t most = 1 << 20, Backend *waitFor = nullptr);

    void begin(CollectiveKind kind, std::int64_t bytes) override;
    void end() override;

    /// Times begin where the recorder's do.
    const std::vector<CollectiveSpan> &collectives() const { return m_collectives; }
    std::int64_t dropped() const { return m_dropped; }

private:
    const TraceRecorder &m_recorder;
    std::size_t m_most;
    Backend *m_waitFor;
    std::vector<CollectiveSpan> m_collectives;
    std::int64_t m_dropped = 0;
    bool m_isOpen = false;
};

/// How long each rank waited in each collective: from its own arrival to that of the last rank. Ranks call the same ones in the
/// same order, so the nth of one is the nth of all; times of all ranks count from one moment. What not all ranks have is left
/// without a wait. [ranks]
void setWaits(std::vector<std::vector<CollectiveSpan>> &ranks);

/// One trace of several ranks' recordings: a row each, in one time. `parts` are as `makeTrace` leaves them, with the spans of one
/// rank, and `origins` when their times begin.
Trace joinRanks(TraceInfo info, std::vector<Trace> parts, std::vector<std::vector<CollectiveSpan>> collectives,
                const std::vector<TraceRecorder::Clock::time_point> &origins);

} // namespace zigzag
