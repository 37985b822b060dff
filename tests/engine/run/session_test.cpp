// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/kv_layout.h"
#include "engine/map/map_io.h"
#include "engine/run/device_model.h"
#include "engine/run/rope.h"
#include "engine/run/sampler.h"
#include "engine/run/session.h"
#include "tests/tiny_model.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <numeric>

namespace zigzag {
namespace {

class SessionTest : public testing::Test
{
protected:
    void SetUp() override { load({}); }

    void load(const test::TinyModel &shape)
    {
        test::writeTinyModel(m_folder.path(), shape);
        auto model = loadModel(m_folder.path().string());
        ASSERT_TRUE(model) << model.error().message;
        m_model = *model;
        auto backend = createBackend("cpu");
        ASSERT_TRUE(backend) << backend.error().message;
        auto device = uploadModel(m_model, std::move(*backend));
        ASSERT_TRUE(device) << device.error().message;
        m_device = *device;
    }

    HeadMap map(HeadKind kind, int sink = 4, int recent = 16) const { return HeadMap(m_model->shape(), kind, sink, recent); }
    HeadMap mixedMap() const
    {
        HeadMap mixed = map(HeadKind::Retrieval);
        mixed.set(0, 1, HeadKind::Streaming);
        mixed.set(1, 0, HeadKind::Streaming);
        return mixed;
    }

    std::unique_ptr<Session> session(const HeadMap &heads, SessionOptions options = {.maxContext = 96, .chunk = 32})
    {
        auto created = Session::create(m_device, heads, options);
        EXPECT_TRUE(created) << created.error().message;
        return created ? std::move(*created) : nullptr;
    }

    static std::vector<int> tokens(int count)
    {
        std::vector<int> ids(static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i)
            ids[static_cast<std::size_t>(i)] = (i * 37 + 11) % 256;
        return ids;
    }

    static float largest(const std::vector<float> &values)
    {
        float most = 0;
        for (float value : values)
            most = std::max(most, std::abs(value));
        return most;
    }

    static float difference(const std::vector<float> &a, const std::vector<float> &b)
    {
        EXPECT_EQ(a.size(), b.size());
        float most = 0;
        for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
            most = std::max(most, std::abs(a[i] - b[i]));
        return most;
    }

    test::TempFolder m_folder;
    std::shared_ptr<const Model> m_model;
    std::shared_ptr<DeviceModel> m_device;
};

TEST_F(SessionTest, OneTokenAtATimeEqualsOneCall)
{
    for (const HeadMap &heads :
         {map(HeadKind::Retrieval), map(HeadKind::Streaming), mixedMap(), map(HeadKind::Streaming, 0, 1)}) {
        auto whole = session(heads, {.maxContext = 96, .chunk = 96});
        auto stepwise = session(heads);
        const std::vector<int> ids = tokens(90);
        const auto expected = whole->run(ids, Session::Logits::All);
        ASSERT_TRUE(expected);
        std::vector<float> got;
        for (int id : ids) {
            const auto step = stepwise->run(std::span(&id, 1));
            ASSERT_TRUE(step);
            got.insert(got.end(), step->begin(), step->end());
        }
        EXPECT_LE(difference(*expected, got), 1e-5f * largest(*expected));
    }
}

TEST_F(SessionTest, StreamingForgetsTheMiddleAndOnlyTheMiddle)
{
    // With one layer nothing outside sinks and window can reach the last token; inside, everything does.
    load({.layers = 1});
    const std::vector<int> ids = tokens(64);
    const auto last = [&](const HeadMap &heads, std::vector<int> input) {
        auto result = session(heads)->run(input);
        EXPECT_TRUE(result);
        return *result;
    };
    const HeadMap streaming = map(HeadKind::Streaming), full = map(HeadKind::Retrieval);
    for (int changed : {0, 3, 4, 30, 47, 48, 62}) {
        std::vector<int> other = ids;
        other[static_cast<std::size_t>(changed)] ^= 1;
        const bool visible = changed < 4 || 63 - changed < 16;
        EXPECT_EQ(last(streaming, ids) != last(streaming, other), visible) << changed;
        EXPECT_NE(last(full, ids), last(full, other)) << changed;
    }
}

TEST_F(SessionTest, MixedModesAgree)
{
    const std::vector<int> ids = tokens(80);
    const auto fused = session(mixedMap())->run(ids, Session::Logits::All);
    for (MixedMode mode : {MixedMode::TwoLaunch, MixedMode::Reference}) {
        const auto other = session(mixedMap(), {.maxContext = 96, .chunk = 32, .mixed = mode})->run(ids, Session::Logits::All);
        ASSERT_TRUE(fused && other);
        EXPECT_LE(difference(*fused, *other), 1e-6f * largest(*fused)) << nameOf(mode);
    }
}

TEST_F(SessionTest, AllocatedKvBytesAreTheComputedOnes)
{
    for (const HeadMap &heads :
         {map(HeadKind::Retrieval), map(HeadKind::Streaming), mixedMap(), map(HeadKind::Streaming, 64, 256)})
        for (std::int64_t context : {1, 7, 20, 21, 300})
            EXPECT_EQ(session(heads, {.maxContext = context})->kvBytesAllocated(),
                      kvBytes(heads, context, m_model->config.dtype));
}

TEST_F(SessionTest, ResetForgetsEverything)
{
    auto reused = session(mixedMap());
    ASSERT_TRUE(reused->run(tokens(90)));
    reused->reset();
    EXPECT_EQ(reused->position(), 0);
    const auto again = reused->run(tokens(50));
    const auto fresh = session(mixedMap())->run(tokens(50));
    ASSERT_TRUE(again && fresh);
    EXPECT_EQ(*again, *fresh);
}

TEST_F(SessionTest, BadCallsAreRefusedAndChangeNothing)
{
    auto s = session(map(HeadKind::Retrieval));
    ASSERT_TRUE(s->run(tokens(90)));
    const auto tooMany = s->run(tokens(7));
    ASSERT_FALSE(tooMany);
    EXPECT_EQ(tooMany.error().kind, ErrorKind::BadInput);
    EXPECT_EQ(s->position(), 90);
    for (int foreign : {-1, 258}) {
        const auto unknown = s->run(std::span(&foreign, 1));
        ASSERT_FALSE(unknown);
        EXPECT_NE(unknown.error().message.find("vocabulary"), std::string::npos);
    }
    EXPECT_EQ(s->position(), 90);
    EXPECT_FALSE(Session::create(m_device, map(HeadKind::Retrieval), {.maxContext = 0}));
    EXPECT_FALSE(Session::create(m_device, HeadMap({"other", 3, 4, 2, 8, ""}, HeadKind::Retrieval, 4, 16), {.maxContext = 8}));
}

TEST_F(SessionTest, WhatDoesNotFitIsRefusedWithTheContextThatWould)
{
    load({.layers = 64, .headDim = 64});
    const auto refused = Session::create(m_device, map(HeadKind::Retrieval), {.maxContext = (std::int64_t{1} << 31) - 1});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("choose a context of at most"), std::string::npos) << refused.error().message;
}

TEST_F(SessionTest, CancelStopsBetweenLayers)
{
    std::atomic<bool> cancel = true;
    auto s = session(map(HeadKind::Retrieval));
    s->setCancelFlag(&cancel);
    const auto stopped = s->run(tokens(10));
    ASSERT_FALSE(stopped);
    EXPECT_TRUE(isCancelled(stopped.error()));
    EXPECT_FALSE(isCancelled(failed(stopped.error().message).value())) << "a kind, not a text";
    EXPECT_EQ(s->position(), 0);
    cancel = false;
    EXPECT_TRUE(s->run(tokens(10)));
}

/// Asks to stop when an op begins, and counts what begins after it.
class StoppingSink : public TraceSink
{
public:
    StoppingSink(Op at, std::atomic<bool> &cancel)
        : m_at(at)
        , m_cancel(cancel)
    { }
    int after = 0;
    void begin(const SpanInfo &span) override
    {
        after += m_cancel.load();
        if (span.op == m_at)
            m_cancel = true;
    }
    void end() override { }

private:
    Op m_at;
    std::atomic<bool> &m_cancel;
};

TEST_F(SessionTest, CancelStopsBetweenTheLargeOpsOfALayer)
{
    for (const Op at : {Op::Qkv, Op::Attention, Op::GateUp}) {
        std::atomic<bool> cancel = false;
        StoppingSink sink(at, cancel);
        auto s = session(map(HeadKind::Retrieval));
        s->setCancelFlag(&cancel);
        s->setTraceSink(&sink);
        const auto stopped = s->run(tokens(10));
        ASSERT_FALSE(stopped) << nameOf(at);
        EXPECT_TRUE(isCancelled(stopped.error()));
        EXPECT_LE(sink.after, 1) << nameOf(at) << ": rope or the activation, which are quick";
        EXPECT_EQ(s->position(), 0);
    }
}

TEST_F(SessionTest, PretendFillsTheCacheWithoutZeros)
{
    auto s = session(mixedMap());
    s->pretend(80, 1);
    EXPECT_EQ(s->position(), 80);
    const int id = 5;
    const auto first = s->run(std::span(&id, 1));
    ASSERT_TRUE(first);
    EXPECT_TRUE(std::all_of(first->begin(), first->end(), [](float v) { return std::isfinite(v); }));
    s->pretend(80, 2);
    const auto other = s->run(std::span(&id, 1));
    ASSERT_TRUE(other);
    EXPECT_NE(*first, *other);
}

class CountingSink : public TraceSink
{
public:
    void begin(const SpanInfo &span) override
    {
        const Op parent = open.empty() ? span.op : open.back();
        const bool inAttention = span.op == Op::Commit || span.op == Op::CopyHeads;
        EXPECT_EQ(parent, inAttention ? Op::Attention : Op::Pass) << nameOf(span.op);
        const bool lastRow = span.op == Op::FinalNorm || span.op == Op::Logits;
        EXPECT_EQ(span.tokens, lastRow ? 1 : tokens);
        EXPECT_EQ(span.firstPosition, lastRow ? firstPosition + tokens - 1 : firstPosition);
        EXPECT_EQ(span.batch, batch);
        open.push_back(span.op);
        ++count[span.op];
        if (span.layer >= 0)
            kinds[span.layer] = span.kind;
    }
    void end() override
    {
        ASSERT_FALSE(open.empty());
        open.pop_back();
    }
    std::int64_t tokens = 10, firstPosition = 0; ///< of the pass that is expected
    int batch = 1;
    std::vector<Op> open;
    std::map<Op, int> count;
    std::map<int, LayerKind> kinds;
};

TEST_F(SessionTest, EveryOpIsTracedOncePerLayer)
{
    for (const MixedMode mixed : {MixedMode::Fused, MixedMode::TwoLaunch, MixedMode::Reference}) {
        auto s = session(mixedMap(), {.maxContext = 96, .chunk = 32, .mixed = mixed});
        CountingSink sink;
        s->setTraceSink(&sink);
        ASSERT_TRUE(s->run(tokens(10)));
        EXPECT_TRUE(sink.open.empty());
        const LayerPlan plan = layerPlan(m_model->config, 0);
        // Around the layers embed, final norm, logits and the pass; inside attention the commit, and copies where it copies.
        EXPECT_EQ(sink.count.size(), plan.ops().size() + 5 + (mixed == MixedMode::Reference ? 1 : 0));
        for (const OpPlan &op : plan.ops())
            EXPECT_EQ(sink.count.count(op.op), 1u) << nameOf(op.op);
        for (const auto &[op, count] : sink.count) {
            const bool outside = op == Op::Embed || op == Op::FinalNorm || op == Op::Logits || op == Op::Pass;
            EXPECT_EQ(count, outside ? 1 : op == Op::CopyHeads ? 8 : 2) << nameOf(op);
        }
        for (const auto &[layer, kind] : sink.kinds)
            EXPECT_EQ(kind, mixedMap().layerKind(layer));
        EXPECT_EQ(sink.kinds.size(), 2u);
    }
}

TEST_F(SessionTest, ADecodeStepIsOnePassOfTheWholeBatch)
{
    auto s = session(mixedMap(), {.maxContext = 96, .chunk = 32, .batch = 3});
    s->pretend(40, 1);
    CountingSink sink;
    sink.tokens = 1;
    sink.firstPosition = 40;
    sink.batch = 3;
    s->setTraceSink(&sink);
    const std::vector<int> next = {1, 2, 3};
    ASSERT_TRUE(s->step(next));
    EXPECT_TRUE(sink.open.empty());
    EXPECT_EQ(sink.count[Op::Pass], 1);
    EXPECT_EQ(sink.count[Op::NextToken], 1);
    EXPECT_EQ(sink.count[Op::Attention], 2);
    EXPECT_EQ(sink.count.count(Op::Commit), 0u) << "one token goes straight to its slot";
}

TEST_F(SessionTest, TheObserverSeesVisibleKeysAlone)
{
    auto s = session(map(HeadKind::Streaming));
    int calls = 0;
    std::int64_t base = 0;
    s->setAttentionObserver([&](int layer, std::span<const std::int32_t> strongest) {
        calls += 1;
        if (layer == 0 && calls > 1)
            base = 32;
        const int heads = m_model->config.queryHeads;
        for (std::size_t i = 0; i < strongest.size(); ++i) {
            const std::int64_t query = base + static_cast<std::int64_t>(i) / heads;
            EXPECT_TRUE(strongest[i] <= query && (strongest[i] < 4 || query - strongest[i] < 16)) << query << " " << strongest[i];
        }
    });
    ASSERT_TRUE(s->run(tokens(60)));
    EXPECT_EQ(calls, 4); // two chunks, two layers
}

TEST_F(SessionTest, EveryWayToRunMixedLayersObservesTheSameKeys)
{
    std::vector<std::vector<std::int32_t>> seen;
    for (const MixedMode mixed : {MixedMode::Fused, MixedMode::TwoLaunch, MixedMode::Reference}) {
        auto s = session(mixedMap(), {.maxContext = 96, .chunk = 32, .mixed = mixed});
        auto &keys = seen.emplace_back();
        s->setAttentionObserver(
            [&](int, std::span<const std::int32_t> strongest) { keys.insert(keys.end(), strongest.begin(), strongest.end()); });
        ASSERT_TRUE(s->run(tokens(60)));
        ASSERT_TRUE(s->run(tokens(1)));
    }
    EXPECT_EQ(seen[1], seen[0]);
    EXPECT_EQ(seen[2], seen[0]) << "by copies";
}

TEST(Rotation, LinearDividesPositions)
{
    ModelConfig plain;
    plain.headDim = 8;
    ModelConfig linear = plain;
    linear.rope.type = RopeType::Linear;
    linear.rope.factor = 4;
    const auto a = rotationTable(plain, 5), b = rotationTable(linear, 17);
    for (std::size_t i = 0; i < 8; ++i)
        EXPECT_NEAR(a[1 * 8 + i], b[4 * 8 + i], 1e-6);
    EXPECT_FLOAT_EQ(a[0], 1.0f);
    EXPECT_FLOAT_EQ(a[4], 0.0f);
}

TEST(Sampler, GreedyTakesTheLowestOfEquals)
{
    const std::vector<float> logits = {1, 3, 3, 2};
    EXPECT_EQ(Sampler().next(logits), 1);
}

TEST(Sampler, SeededDrawsRepeatAndFollowTheWeights)
{
    const std::vector<float> logits = {0.0f, std::log(3.0f), -30.0f};
    Sampler a(1.0, 1.0, 7), b(1.0, 1.0, 7);
    int ones = 0;
    for (int i = 0; i < 4000; ++i) {
        const int id = a.next(logits);
        EXPECT_EQ(id, b.next(logits));
        ones += id == 1;
    }
    EXPECT_NEAR(ones / 4000.0, 0.75, 0.03);
    Sampler nucleus(1.0, 0.5, 7);
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(nucleus.next(logits), 1);
}

} // namespace
} // namespace zigzag
