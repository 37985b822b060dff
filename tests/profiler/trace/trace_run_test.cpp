// SPDX-License-Identifier: GPL-3.0-or-later
// A recording that is stopped: whole passes are kept, and it goes on behind them.
#include "profiler/trace/trace_run.h"
#include "tests/profiler/loaded_model.h"

namespace zigzag {
namespace {

class TraceRunTest : public test::LoadedModel
{
protected:
    void SetUp() override { load({.maxContext = 2048}); }

    TracePlan plan(Phase phase) const
    {
        TracePlan plan;
        plan.map = {"mine", mixedMap()};
        plan.phase = phase;
        plan.context = 2048;
        plan.steps = 4;
        return plan;
    }
    /// Stopped as soon as so much is done.
    Result<Trace> record(const TracePlan &plan, TraceSoFar &soFar, double until)
    {
        std::atomic<bool> cancel{false};
        return recordTrace(
            device, device->config(), {}, plan, &cancel,
            [&](double done) {
                m_told.push_back(done);
                cancel = done >= until;
            },
            &soFar);
    }

    std::vector<double> m_told;
};

std::vector<std::pair<int, int>> passesOf(const std::vector<TraceSpan> &spans)
{
    std::vector<std::pair<int, int>> passes;
    for (const TraceSpan &span : spans)
        if (span.op == Op::Pass)
            passes.emplace_back(span.firstPosition, span.tokens);
    return passes;
}

TEST_F(TraceRunTest, AStoppedOneGoesOnBehindItsWholePasses)
{
    for (const Phase phase : {Phase::Prefill, Phase::Decode}) {
        const TracePlan asked = plan(phase);
        TraceSoFar none;
        const auto whole = record(asked, none, 2);
        ASSERT_TRUE(whole) << whole.error().message;
        ASSERT_EQ(passesOf(whole->spans).size(), 4u) << "chunks of 512 tokens, or steps";
        EXPECT_TRUE(none.spans.empty());
        EXPECT_EQ(whole->info.note, "");

        TraceSoFar soFar;
        for (const int passes : {1, 3}) {
            m_told.clear();
            const auto stopped = record(asked, soFar, 0.25 * passes);
            ASSERT_FALSE(stopped);
            EXPECT_TRUE(isCancelled(stopped.error())) << stopped.error().message;
            EXPECT_EQ(soFar.passes, passes);
        }
        EXPECT_GT(m_told.front(), 0.25) << "it does not begin anew";
        const auto joined = record(asked, soFar, 2);
        ASSERT_TRUE(joined) << joined.error().message;
        EXPECT_NE(joined->info.note.find("several parts"), std::string::npos) << joined->info.note;
        EXPECT_EQ(passesOf(joined->spans), passesOf(whole->spans));
        ASSERT_EQ(joined->spans.size(), whole->spans.size());
        std::int64_t end = 0;
        for (std::size_t i = 0; i < whole->spans.size(); ++i) {
            const TraceSpan &mine = joined->spans[i], &other = whole->spans[i];
            EXPECT_EQ(mine.op, other.op);
            EXPECT_EQ(mine.layer, other.layer);
            EXPECT_EQ(mine.parent, other.parent);
            EXPECT_EQ(mine.bytes, other.bytes);
            if (mine.parent < 0) {
                EXPECT_GE(mine.beginNs, end) << "one behind the other";
                end = mine.endNs();
            } else {
                const TraceSpan &around = joined->spans[static_cast<std::size_t>(mine.parent)];
                EXPECT_GE(mine.beginNs, around.beginNs);
                EXPECT_LE(mine.endNs(), around.endNs());
            }
        }
    }
}

} // namespace
} // namespace zigzag
