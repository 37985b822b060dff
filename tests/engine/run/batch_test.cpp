// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/kv_layout.h"
#include "engine/run/device_model.h"
#include "engine/run/sampler.h"
#include "engine/run/session.h"
#include "tests/engine/run/golden_fixture.h"
#include "tests/tiny_model.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

/// Sequences of a batch must not know of each other.
class BatchTest : public testing::Test
{
protected:
    void SetUp() override
    {
        test::writeTinyModel(m_folder.path(), {});
        auto model = loadModel(m_folder.path().string());
        ASSERT_TRUE(model) << model.error().message;
        auto backend = createBackend(test::backendUnderTest());
        ASSERT_TRUE(backend) << backend.error().message;
        auto device = uploadModel(*model, std::move(*backend));
        ASSERT_TRUE(device) << device.error().message;
        m_device = *device;
        m_shape = (*model)->shape();
    }

    HeadMap mixed() const
    {
        HeadMap map(m_shape, HeadKind::Retrieval, 4, 16);
        map.set(0, 1, HeadKind::Streaming);
        map.set(1, 0, HeadKind::Streaming);
        return map;
    }

    std::unique_ptr<Session> session(int batch, std::int64_t context = 96)
    {
        auto created = Session::create(m_device, mixed(), {.maxContext = context, .chunk = 32, .batch = batch});
        EXPECT_TRUE(created) << created.error().message;
        return created ? std::move(*created) : nullptr;
    }

    static std::vector<int> prompt(int sequence, int count)
    {
        std::vector<int> ids(static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i)
            ids[static_cast<std::size_t>(i)] = (i * 37 + 11 + sequence * 53) % 256;
        return ids;
    }

    test::TempFolder m_folder;
    std::shared_ptr<DeviceModel> m_device;
    ModelShape m_shape;
};

constexpr int batch = 3;
constexpr std::array promptLengths = {5, 41, 70}; // before, across and behind the window's first wrap

TEST_F(BatchTest, EverySequenceIsAsIfAlone)
{
    auto together = session(batch);
    std::vector<std::unique_ptr<Session>> alone;
    std::vector<int> next;
    for (int s = 0; s < batch; ++s) {
        alone.push_back(session(1));
        const auto ids = prompt(s, promptLengths[static_cast<std::size_t>(s)]);
        const auto expected = alone.back()->run(ids), got = together->run(ids, Session::Logits::Last, s);
        ASSERT_TRUE(expected && got);
        EXPECT_EQ(*expected, *got);
        EXPECT_EQ(together->position(s), promptLengths[static_cast<std::size_t>(s)]);
        next.push_back(Sampler().next(*got));
    }
    for (int step = 0; step < 20; ++step) {
        const auto got = together->step(next);
        ASSERT_TRUE(got) << got.error().message;
        const std::size_t vocabulary = got->size() / batch;
        for (std::size_t s = 0; s < batch; ++s) {
            const auto expected = alone[s]->run(std::span(next).subspan(s, 1));
            ASSERT_TRUE(expected);
            for (std::size_t i = 0; i < vocabulary; ++i)
                ASSERT_NEAR((*got)[s * vocabulary + i], (*expected)[i], 1e-4) << step << ' ' << s << ' ' << i;
            next[s] = Sampler().next(*expected);
        }
    }
}

TEST_F(BatchTest, ContinueGreedilyChoosesWhatStepsChoose)
{
    auto steps = session(batch), greedy = session(batch);
    std::vector<int> next;
    for (int s = 0; s < batch; ++s) {
        const auto ids = prompt(s, promptLengths[static_cast<std::size_t>(s)]);
        ASSERT_TRUE(greedy->run(ids, Session::Logits::None, s));
        const auto logits = steps->run(ids, Session::Logits::Last, s);
        ASSERT_TRUE(logits);
        next.push_back(Sampler().next(*logits));
    }
    constexpr int count = 26; // to the very end of the longest sequence's context
    const auto got = greedy->continueGreedily(next, count);
    ASSERT_TRUE(got) << got.error().message;
    ASSERT_EQ(got->size(), static_cast<std::size_t>(count * batch));
    for (std::size_t step = 0; step < count; ++step) {
        const auto logits = steps->step(next);
        ASSERT_TRUE(logits);
        const std::size_t vocabulary = logits->size() / batch;
        for (std::size_t s = 0; s < batch; ++s) {
            next[s] = Sampler().next(std::span(*logits).subspan(s * vocabulary, vocabulary));
            EXPECT_EQ((*got)[step * batch + s], next[s]) << step << ' ' << s;
        }
    }
    EXPECT_EQ(greedy->position(2), 96);
    const auto tooFar = greedy->continueGreedily(next, 1);
    ASSERT_FALSE(tooFar);
    EXPECT_NE(tooFar.error().message.find("exceed the session's context"), std::string::npos);
}

TEST_F(BatchTest, MemoryGrowsWithTheBatch)
{
    const std::int64_t one = kvBytes(mixed(), 96, m_device->config().dtype);
    EXPECT_EQ(session(1)->kvBytesAllocated(), one);
    EXPECT_EQ(session(batch)->kvBytesAllocated(), batch * one);
}

TEST_F(BatchTest, RefusesWhatItCannotRun)
{
    for (const int count : {0, -1, 65}) {
        const auto refused = Session::create(m_device, mixed(), {.maxContext = 96, .batch = count});
        ASSERT_FALSE(refused) << count;
        EXPECT_EQ(refused.error().kind, ErrorKind::BadInput);
    }
    auto three = session(batch);
    EXPECT_FALSE(three->step(std::vector<int>{1, 2}));
    EXPECT_FALSE(three->step(std::vector<int>{1, 2, -1}));
    EXPECT_FALSE(three->run(std::vector<int>{1, 2}, Session::Logits::Last, 3));
    EXPECT_EQ(three->position(0), 0);
}

/// Of three sequences one decodes from the start, one waits in the midst of its prompt, and one joins late; then the first leaves
/// and its place is another's.
TEST_F(BatchTest, SequencesWaitJoinAndLeave)
{
    auto together = session(batch), first = session(1), second = session(1), third = session(1);
    std::vector<int> next(3, Session::waiting);
    const auto start = [&](Session &alone, int place, int length) {
        const auto ids = prompt(place, length);
        const auto mine = together->run(ids, Session::Logits::Last, place), its = alone.run(ids);
        ASSERT_TRUE(mine && its);
        next[static_cast<std::size_t>(place)] = Sampler().next(*its);
    };
    const auto step = [&](std::size_t rows, const std::vector<Session *> &alone) {
        const auto got = together->stepSome(std::span(next).first(rows));
        ASSERT_TRUE(got) << got.error().message;
        const std::size_t vocabulary = got->size() / rows;
        for (std::size_t s = 0; s < rows; ++s) {
            if (next[s] == Session::waiting)
                continue;
            const auto its = alone[s]->run(std::span(next).subspan(s, 1));
            ASSERT_TRUE(its);
            for (std::size_t i = 0; i < vocabulary; ++i)
                ASSERT_NEAR((*got)[s * vocabulary + i], (*its)[i], 1e-4) << s << ' ' << i;
            next[s] = Sampler().next(*its);
        }
    };
    start(*first, 0, 40);
    step(1, {first.get()});
    const auto late = prompt(1, 50); // longer than the window, in two parts with steps of others between them
    const std::span<const int> ids = late;
    ASSERT_TRUE(together->run(ids.first(30), Session::Logits::None, 1));
    for (int i = 0; i < 4; ++i)
        step(3, {first.get(), nullptr, nullptr});
    EXPECT_EQ(together->position(1), 30);
    EXPECT_EQ(together->position(2), 0);
    const auto whole = together->run(ids.subspan(30), Session::Logits::Last, 1), its = second->run(ids);
    ASSERT_TRUE(whole && its);
    for (std::size_t i = 0; i < its->size(); ++i)
        ASSERT_NEAR((*whole)[i], (*its)[i], 1e-4) << i;
    next[1] = Sampler().next(*its);
    step(2, {first.get(), second.get()});
    start(*third, 2, 5);
    step(3, {first.get(), second.get(), third.get()});
    together->reset(0);
    first->reset();
    start(*first, 0, 23);
    for (int i = 0; i < 4; ++i)
        step(3, {first.get(), second.get(), third.get()});
    EXPECT_FALSE(together->stepSome({}));
    EXPECT_FALSE(together->stepSome(std::vector<int>(batch + 1, 1)));
}

} // namespace
} // namespace zigzag
