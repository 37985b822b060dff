// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/device_model.h"
#include "profiler/trace/op_recording.h"
#include "tests/engine/run/failing_backend.h"
#include "tests/profiler/loaded_model.h"

#include <set>
#include <vector>

namespace zigzag {
namespace {

using OpRecordingTest = test::LoadedModel;

TEST_F(OpRecordingTest, EveryOpOfAPassHasATime)
{
    auto session = Session::create(device, map(HeadKind::Streaming), {.maxContext = 32});
    ASSERT_TRUE(session) << session.error().message;
    OpRecording recording(*device, 1);
    EXPECT_FALSE(recording.seesKernels()) << "no GPU";
    (*session)->setTraceSink(recording.sink());
    ASSERT_TRUE((*session)->run(std::vector<int>{1, 2, 3}));
    (*session)->setTraceSink(nullptr);
    std::set<Op> ops;
    for (const auto &[op, us] : recording.finish()) {
        EXPECT_GE(us, 0) << nameOf(op);
        ops.insert(op);
    }
    for (const Op op : {Op::Pass, Op::Embed, Op::InputNorm, Op::Qkv, Op::RopeAppend, Op::Attention, Op::Commit,
                        Op::OutputProjection, Op::PostNorm, Op::GateUp, Op::Activation, Op::Down, Op::FinalNorm, Op::Logits})
        EXPECT_TRUE(ops.contains(op)) << nameOf(op);
}

TEST_F(OpRecordingTest, WhatCameBeforeARestartDoesNotCount)
{
    auto session = Session::create(device, map(HeadKind::Retrieval), {.maxContext = 32});
    ASSERT_TRUE(session) << session.error().message;
    OpRecording recording(*device, 2);
    (*session)->setTraceSink(recording.sink());
    ASSERT_TRUE((*session)->run(std::vector<int>{1, 2, 3}));
    (*session)->setTraceSink(nullptr);
    recording.restart();
    EXPECT_TRUE(recording.finish().empty());
}

TEST_F(OpRecordingTest, AFailureOfTheDeviceIsTheRunsError)
{
    const auto failing = std::make_shared<test::FailingBackend>(*createBackend("cpu"));
    // Works beside the host, and has no kernels to show: every op is waited for.
    device = *uploadModel(model, failing);
    auto session = *Session::create(device, map(HeadKind::Streaming), {.maxContext = 32});
    OpRecording recording(*device, 2);
    ASSERT_FALSE(recording.seesKernels());
    session->setTraceSink(recording.sink());
    for (const int op : {0, 5, 20}) {
        session->reset();
        failing->opsUntilFailure = op;
        EXPECT_FALSE(session->run(std::vector<int>{1, 2, 3})) << op;
        session->reset();
        failing->opsUntilFailure = op;
        EXPECT_FALSE(session->step(std::vector<int>{1})) << op;
    }
    failing->opsUntilFailure = -1;
    session->reset();
    EXPECT_TRUE(session->run(std::vector<int>{1, 2, 3}));
    session->setTraceSink(nullptr);
}

} // namespace
} // namespace zigzag
