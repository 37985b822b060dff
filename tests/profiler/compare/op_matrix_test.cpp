// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/compare/op_matrix.h"
#include "tests/profiler/loaded_model.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

/// Passes with attention (around copies of a tenth of its time, when asked for) and logits. Nanoseconds.
Trace traceOf(Phase phase, const std::vector<std::int64_t> &attention, bool copies)
{
    Trace trace;
    trace.info.phase = phase;
    trace.rows = {"host"};
    std::int64_t at = 0;
    for (const std::int64_t ns : attention) {
        const auto pass = static_cast<std::int32_t>(trace.spans.size());
        trace.spans.push_back({.beginNs = at, .durationNs = ns + 60, .op = Op::Pass});
        trace.spans.push_back({.beginNs = at, .durationNs = ns, .parent = pass, .layer = 0, .op = Op::Attention, .depth = 1});
        if (copies)
            trace.spans.push_back(
                {.beginNs = at, .durationNs = ns / 10, .parent = pass + 1, .layer = 0, .op = Op::CopyHeads, .depth = 2});
        trace.spans.push_back({.beginNs = at + ns, .durationNs = 50, .parent = pass, .op = Op::Logits, .depth = 1});
        at += ns + 60;
    }
    return trace;
}

TEST(OpMatrixTest, SumsOfAStepAreItsWhole)
{
    const OpMatrix matrix = opMatrix({"a", "b"},
                                     {{traceOf(Phase::Decode, {1000, 3000, 2000}, false)},
                                      {traceOf(Phase::Decode, {4000}, true), traceOf(Phase::Decode, {4000}, true)}});
    ASSERT_EQ(matrix.rows.size(), 4u);
    EXPECT_EQ(matrix.rows[0].op, Op::Attention);
    EXPECT_EQ(matrix.rows[1].op, Op::CopyHeads);
    EXPECT_EQ(matrix.rows[2].op, Op::Logits);
    EXPECT_EQ(matrix.rows[3].op, Op::Pass) << "what lies between";
    EXPECT_DOUBLE_EQ(matrix.rows[0].times[0]->us, 2.0);
    EXPECT_DOUBLE_EQ(matrix.rows[0].times[0]->spreadUs, 1.0);
    EXPECT_DOUBLE_EQ(matrix.rows[0].times[1]->us, 3.6) << "without the copies inside it";
    EXPECT_FALSE(matrix.rows[1].times[0].has_value());
    EXPECT_DOUBLE_EQ(matrix.rows[1].times[1]->us, 0.4);
    EXPECT_NEAR(matrix.rows[3].times[0]->us, 0.01, 1e-12);
    EXPECT_DOUBLE_EQ(matrix.totals[0].us, 2.06);
    EXPECT_DOUBLE_EQ(matrix.totals[1].us, 4.06);
}

TEST(OpMatrixTest, ThePassesOfAPrefillAreOneStep)
{
    const OpMatrix matrix = opMatrix({"a"}, {{traceOf(Phase::Prefill, {1000, 3000, 2000}, false)}});
    EXPECT_DOUBLE_EQ(matrix.rows[0].times[0]->us, 6.0);
    EXPECT_DOUBLE_EQ(matrix.totals[0].us, 6.18);
    EXPECT_DOUBLE_EQ(matrix.totals[0].spreadUs, 0.0);
}

class OpMatrixRuns : public test::LoadedModel
{ };

TEST_F(OpMatrixRuns, MixedMapsRunEachWayAndExclusiveOnesOnce)
{
    TracePlan plan;
    plan.model = "tiny";
    plan.context = 24;
    plan.steps = 3;
    const std::vector<NamedMap> maps = {{"full", map(HeadKind::Retrieval)}, {"duo", mixedMap()}};
    const auto runs = comparedRuns(plan, maps, {MixedMode::Fused, MixedMode::Reference});
    ASSERT_EQ(runs.size(), 3u);
    EXPECT_EQ(runs[0].name, "full");
    EXPECT_EQ(runs[2].name, "duo, reference");
    const auto traces = recordRuns(device, model->config, {}, runs, 2);
    ASSERT_TRUE(traces) << traces.error().message;
    ASSERT_EQ(traces->size(), 3u);
    EXPECT_EQ((*traces)[2].size(), 2u);
    const OpMatrix matrix = opMatrix({"full", "fused", "reference"}, *traces);
    for (const OpMatrix::Row &row : matrix.rows) {
        EXPECT_EQ(row.times[2].has_value(), true) << nameOf(row.op);
        EXPECT_EQ(row.times[1].has_value(), row.op != Op::CopyHeads) << nameOf(row.op);
    }
    EXPECT_EQ(matrix.kernels, (std::vector<double>{0, 0, 0})) << "a processor launches none";
    std::atomic<bool> cancel = true;
    EXPECT_FALSE(recordRuns(device, model->config, {}, runs, 1, &cancel));
}

} // namespace
} // namespace zigzag
