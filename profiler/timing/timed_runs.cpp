// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/timing/timed_runs.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace zigzag {
namespace {

using Clock = std::chrono::steady_clock;

double msSince(Clock::time_point begin)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

} // namespace

Result<double> timePrefill(Session &session, std::span<const int> tokens)
{
    session.reset();
    const auto begin = Clock::now();
    for (int sequence = 0; sequence < session.batch(); ++sequence)
        ZIGZAG_CHECK(session.run(tokens, Session::Logits::Last, sequence));
    return msSince(begin);
}

Result<double> timeDecode(Session &session, std::int64_t context, std::span<const int> first, int steps, std::uint64_t seed)
{
    const std::int64_t timed = std::min<std::int64_t>(steps, context);
    // Two steps before the clock starts: filling the cache chilled others, and a GPU records its graph in the second.
    const std::int64_t before = std::min<std::int64_t>(2, context - timed);
    session.pretend(context - timed - before, seed);
    std::vector<std::int32_t> next(first.begin(), first.end());
    if (before > 0) {
        ZIGZAG_TRY(warm, session.continueGreedily(next, static_cast<int>(before)));
        next.assign(warm.end() - std::ssize(next), warm.end());
    }
    ZIGZAG_CHECK(session.continueGreedily(next, static_cast<int>(timed)));
    return session.decodeMs() / static_cast<double>(timed);
}

} // namespace zigzag
