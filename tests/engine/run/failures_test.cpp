// SPDX-License-Identifier: GPL-3.0-or-later
// What a device that failed, or a model whose numbers are none, leaves behind: an error, and nothing that counts.
#include "engine/model/random_weights.h"
#include "engine/model/weight_plan.h"
#include "engine/run/device_model.h"
#include "engine/run/finite.h"
#include "engine/run/layer_pass.h"
#include "engine/run/session.h"
#include "tests/engine/run/failing_backend.h"
#include "tests/model_surgery.h"
#include "tests/tiny_model.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>

namespace zigzag {
namespace {

class FailuresTest : public testing::Test
{
protected:
    void SetUp() override { load({.layers = 2}); }

    void load(const test::TinyModel &shape) { take(*loadModel(test::writeTinyModel(m_folder.path(), shape).string())); }

    void take(std::shared_ptr<const Model> model)
    {
        m_model = std::move(model);
        m_backend = std::make_shared<test::FailingBackend>(*createBackend("cpu"));
        m_device = *uploadModel(m_model, m_backend);
    }

    HeadMap map(HeadKind kind = HeadKind::Retrieval) const { return HeadMap(m_model->shape(), kind, 4, 16); }

    std::unique_ptr<Session> session(const HeadMap &heads)
    {
        return *Session::create(m_device, heads, {.maxContext = 96, .chunk = 32});
    }

    static std::vector<int> tokens(int count)
    {
        std::vector<int> ids(static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i)
            ids[static_cast<std::size_t>(i)] = (i * 37 + 11) % 256;
        return ids;
    }

    test::TempFolder m_folder;
    std::shared_ptr<const Model> m_model;
    std::shared_ptr<test::FailingBackend> m_backend;
    std::shared_ptr<DeviceModel> m_device;
};

/// Runs `call`, which needs some ops, with each of them failing in turn; it must say so every time, and be right again
/// afterwards.
template <class Call> void failEveryOp(test::FailingBackend &backend, Call call)
{
    const auto expected = call();
    ASSERT_TRUE(expected) << expected.error().message;
    int op = 0;
    for (;; ++op) {
        backend.opsUntilFailure = op;
        const auto got = call();
        if (backend.opsUntilFailure >= 0)
            break; // the call has no such op
        ASSERT_FALSE(got) << "op " << op << " failed and nobody said so";
        EXPECT_EQ(got.error().message, "the device failed") << op;
    }
    backend.opsUntilFailure = -1;
    EXPECT_GT(op, 10);
    const auto again = call();
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, *expected);
}

TEST_F(FailuresTest, AFailureAnywhereInARunIsTheRunsError)
{
    for (const bool observed : {false, true}) {
        auto s = session(map());
        int heard = 0;
        if (observed)
            s->setAttentionObserver([&](int, std::span<const std::int32_t>) { ++heard; });
        failEveryOp(*m_backend, [&] {
            s->reset();
            return s->run(tokens(40), Session::Logits::All);
        });
        failEveryOp(*m_backend, [&] {
            s->reset();
            const std::vector<int> one = {7};
            return s->step(one);
        });
        failEveryOp(*m_backend, [&] {
            s->reset();
            const std::vector<int> one = {7};
            return s->continueGreedily(one, 3);
        });
        EXPECT_EQ(heard > 0, observed);
    }
}

TEST_F(FailuresTest, TheObserverHearsNothingOfALayerThatFailed)
{
    auto s = session(map());
    std::vector<int> layers;
    s->setAttentionObserver([&](int layer, std::span<const std::int32_t>) { layers.push_back(layer); });
    m_backend->opsUntilFailure = 10; // in the second layer
    EXPECT_FALSE(s->run(tokens(8)));
    EXPECT_EQ(layers, std::vector<int>{0});
    EXPECT_EQ(s->position(), 0) << "forgotten";
    layers.clear();
    EXPECT_TRUE(s->run(tokens(8)));
    EXPECT_EQ(layers, (std::vector<int>{0, 1}));
}

TEST_F(FailuresTest, ADownloadThatFailsIsTheErrorOfItsCall)
{
    auto s = session(map());
    const std::vector<int> one = {7};
    const auto failsOnce = [&](auto call) {
        m_backend->downloadFails = true;
        EXPECT_FALSE(call());
        EXPECT_FALSE(m_backend->downloadFails) << "nothing was downloaded";
        EXPECT_EQ(s->position(), 0) << "forgotten";
        EXPECT_TRUE(call());
        s->reset();
    };
    failsOnce([&] { return s->run(tokens(40)); });
    failsOnce([&] { return s->run(tokens(40), Session::Logits::All); });
    failsOnce([&] { return s->step(one); });
    failsOnce([&] { return s->continueGreedily(one, 3); });

    auto pass = *LayerPass::create(m_device, 8, false);
    auto states = *pass->states();
    ASSERT_TRUE(pass->embed(tokens(8), *states));
    const std::vector<std::int64_t> rows = {0, 7};
    failsOnce([&] { return pass->lastStates(rows, *states); });
    failsOnce([&] { return pass->logits(rows, *states); });
}

TEST_F(FailuresTest, LayersThatFailedGiveNoLogits)
{
    auto pass = *LayerPass::create(m_device, 8, false);
    auto states = *pass->states();
    const std::vector<HeadPattern> patterns(2);
    const std::vector<std::int64_t> rows = {7};
    failEveryOp(*m_backend, [&]() -> Result<std::vector<float>> {
        ZIGZAG_CHECK(pass->embed(tokens(8), *states));
        for (int layer = 0; layer < 2; ++layer)
            pass->run(layer, patterns, 8, *states, *states);
        return pass->logits(rows, *states);
    });
}

TEST_F(FailuresTest, AStepWhoseRecordingWasCancelledIsNotReplayed)
{
    auto plain = session(map());
    const std::vector<int> one = {7};
    std::vector<std::vector<float>> expected;
    expected.reserve(4);
    for (int step = 0; step < 4; ++step)
        expected.push_back(*plain->step(one));

    m_backend->records = true;
    std::atomic<bool> cancel = false;
    auto s = session(map());
    s->setCancelFlag(&cancel);
    EXPECT_EQ(*s->step(one), expected[0]);
    m_backend->onRecorded = [&](int op) { cancel = op >= 4; };
    const auto stopped = s->step(one); // is recorded, and cancelled half-way
    EXPECT_EQ(m_backend->recordings, 1);
    ASSERT_FALSE(stopped);
    EXPECT_TRUE(isCancelled(stopped.error()));
    EXPECT_EQ(s->position(), 0);

    cancel = false;
    m_backend->onRecorded = {};
    for (int step = 0; step < 4; ++step)
        EXPECT_EQ(*s->step(one), expected[static_cast<std::size_t>(step)]) << step;
    EXPECT_EQ(m_backend->recordings, 2) << "recorded whole at the next chance, and replayed";
}

DeviceInfo deviceWith(std::int64_t memoryBytes, int maxHeadDim = 1024, int maxQueryHeads = 1024, int maxKvHeads = 1024)
{
    DeviceInfo info;
    info.name = "a small device";
    info.memoryBytes = memoryBytes;
    info.maxHeadDim = maxHeadDim;
    info.maxQueryHeads = maxQueryHeads;
    info.maxKvHeads = maxKvHeads;
    return info;
}

/// The number behind `before` in a message.
std::int64_t numberBehind(const std::string &message, const std::string &before)
{
    const auto at = message.find(before);
    EXPECT_NE(at, std::string::npos) << message;
    return at == std::string::npos ? 0 : std::stoll(message.substr(at + before.size()));
}

TEST_F(FailuresTest, TheContextThatIsSuggestedFitsAndTheNextOneDoesNot)
{
    HeadMap mixed = map();
    mixed.setLayer(1, HeadKind::Streaming);
    mixed.set(0, 1, HeadKind::Streaming);
    for (const HeadMap &heads : {map(), mixed, map(HeadKind::Streaming)})
        for (const SessionOptions &wanted : {SessionOptions{.maxContext = 100'000},
                                             {.maxContext = 1 << 30, .chunk = 7, .mixed = MixedMode::Reference, .batch = 3}}) {
            m_backend->info = deviceWith(2'000'000);
            const auto refused = Session::create(m_device, heads, wanted);
            ASSERT_FALSE(refused);
            EXPECT_EQ(refused.error().kind, ErrorKind::Failed);
            SessionOptions options = wanted;
            options.maxContext = numberBehind(refused.error().message, "choose a context of at most ");
            EXPECT_GT(options.maxContext, 100) << refused.error().message;
            const std::int64_t before = m_backend->allocated;
            auto fits = Session::create(m_device, heads, options);
            ASSERT_TRUE(fits) << fits.error().message;
            const std::int64_t taken = m_backend->allocated - before;
            EXPECT_LE(taken, m_backend->info->memoryBytes);
            EXPECT_EQ(taken, (*fits)->kvBytesAllocated() + (*fits)->workspaceBytes());
            ++options.maxContext;
            const auto over = Session::create(m_device, heads, options);
            ASSERT_FALSE(over);
            EXPECT_GT(numberBehind(over.error().message, "tokens needs "), m_backend->info->memoryBytes);
            EXPECT_EQ(numberBehind(over.error().message, "choose a context of at most "), options.maxContext - 1);
        }
    m_backend->info = deviceWith(1'000);
    const auto never = Session::create(m_device, map(), {.maxContext = 100});
    ASSERT_FALSE(never);
    EXPECT_NE(never.error().message.find("choose a smaller model"), std::string::npos) << never.error().message;
}

TEST_F(FailuresTest, ALayerPassTakesWhatItSaid)
{
    for (const bool norm : {false, true})
        for (const bool gradients : {false, true}) {
            auto model = std::make_shared<Model>();
            model->config = m_model->config;
            model->config.queryKeyNorm = norm;
            model->weights = *randomWeights(model->config, 1);
            take(model);
            const std::int64_t said = LayerPass::bytesNeeded(*m_backend, model->config, 77, gradients),
                               before = m_backend->allocated;
            ASSERT_TRUE(LayerPass::create(m_device, 77, gradients));
            EXPECT_EQ(m_backend->allocated - before, said);
            m_backend->info = deviceWith(said - 1);
            const auto refused = LayerPass::create(m_device, 77, gradients);
            ASSERT_FALSE(refused);
            EXPECT_EQ(refused.error().kind, ErrorKind::Failed);
        }
}

TEST_F(FailuresTest, AModelBeyondTheKernelsIsRefusedBeforeItRuns)
{
    constexpr std::int64_t roomy = std::int64_t{1} << 40;
    const ModelConfig &config = m_model->config; // 4 query heads over 2 KV heads of size 8
    const auto refusal = [&](const DeviceInfo &limits, const std::string &what) {
        m_backend->info = limits;
        const auto session = Session::create(m_device, map(), {.maxContext = 16});
        const auto layers = LayerPass::create(m_device, 16, false);
        ASSERT_FALSE(session) << what;
        ASSERT_FALSE(layers) << what;
        EXPECT_EQ(session.error().kind, ErrorKind::BadInput);
        EXPECT_EQ(session.error().message, layers.error().message);
        EXPECT_NE(session.error().message.find(what), std::string::npos) << session.error().message;
        EXPECT_NE(session.error().message.find("--backend cpu"), std::string::npos) << session.error().message;
    };
    refusal(deviceWith(roomy, 7), "a head size 8 and the failing backend runs at most 7");
    refusal(deviceWith(roomy, 8, 3), "query heads a layer 4 and the failing backend runs at most 3");
    refusal(deviceWith(roomy, 8, 4, 1), "KV heads a layer 2 and the failing backend runs at most 1");
    m_backend->info = deviceWith(roomy, config.headDim, config.queryHeads, config.kvHeads);
    const std::vector<DType> all = {DType::F32, DType::F16, DType::BF16};
    m_backend->can = Capabilities{.weightTypes = {DType::BF16}, .kvTypes = all};
    refusal(*m_backend->info, "weights in f32, which the failing backend does not run");
    m_backend->can = Capabilities{.weightTypes = {all.begin(), all.end()}, .kvTypes = {DType::F16}};
    refusal(*m_backend->info, "keys and values in f32, which the failing backend does not run");
    m_backend->can.reset();
    m_backend->info = deviceWith(roomy, config.headDim, config.queryHeads, config.kvHeads);
    EXPECT_TRUE(Session::create(m_device, map(), {.maxContext = 16}));
    EXPECT_TRUE(LayerPass::create(m_device, 16, false));

    m_backend->info.reset();
    auto odd = std::make_shared<Model>();
    odd->config = m_model->config;
    odd->config.headDim = 7; // a config file cannot say so
    odd->weights = *randomWeights(odd->config, 1);
    take(odd);
    EXPECT_FALSE(Session::create(m_device, map(), {.maxContext = 16}));
    EXPECT_FALSE(LayerPass::create(m_device, 16, false));
}

/// The widest head that a config may have, in a program without assertions too: it was copied into an array of 256.
TEST_F(FailuresTest, TheWidestHeadRuns)
{
    load({.layers = 1, .hidden = 8, .queryHeads = 1, .kvHeads = 1, .headDim = 1024, .intermediate = 8});
    const HeadMap full = map();
    auto whole = session(full);
    const std::vector<float> expected = *whole->run(tokens(40), Session::Logits::All);
    auto stepped = session(full);
    std::vector<float> got;
    for (const int token : tokens(40)) {
        const auto row = stepped->run(std::span(&token, 1));
        ASSERT_TRUE(row) << row.error().message;
        got.insert(got.end(), row->begin(), row->end());
    }
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i)
        ASSERT_NEAR(got[i], expected[i], 1e-4) << i;
}

TEST_F(FailuresTest, AMapThatKnowsNoHeadSizeRunsAsOneThatDoes)
{
    ModelShape bare = m_model->shape();
    bare.headDim = bare.queryHeads = 0; // as in a map from bare scores
    bare.fingerprint.clear();
    HeadMap unknown(bare, HeadKind::Streaming, 4, 16);
    auto s = session(unknown), known = session(map(HeadKind::Streaming));
    EXPECT_EQ(s->kvBytesAllocated(), known->kvBytesAllocated());
    EXPECT_EQ(*s->run(tokens(40)), *known->run(tokens(40)));
    unknown.setWindow(-1, 16);
    EXPECT_FALSE(Session::create(m_device, unknown, {.maxContext = 16}));
    unknown.setWindow(4, 0);
    EXPECT_FALSE(Session::create(m_device, unknown, {.maxContext = 16}));
}

/// Weights in memory that a test may change.
class NotFiniteTest : public FailuresTest
{
protected:
    void make(DType type)
    {
        auto model = std::make_shared<Model>();
        model->config = m_model->config;
        model->config.dtype = model->config.kvType = type;
        model->config.qkvBias = model->config.outputBias = model->config.mlpBias = model->config.queryKeyNorm = true;
        model->weights = *randomWeights(model->config, 7);
        take(model);
    }

    /// A value of a weight, until the end of the scope.
    class Spoilt
    {
    public:
        Spoilt(const TensorView &view, std::int64_t at, float value)
            : m_at(const_cast<std::byte *>(view.data) + at * view.type.blockBytes())
            , m_size(static_cast<std::size_t>(view.type.blockBytes()))
        {
            std::memcpy(m_before, m_at, m_size);
            const std::uint16_t half = view.type == DType::F16 ? floatToF16(value) : floatToBf16(value);
            if (view.type == DType::F32)
                std::memcpy(m_at, &value, m_size);
            else
                std::memcpy(m_at, &half, m_size);
        }
        ~Spoilt() { std::memcpy(m_at, m_before, m_size); }
        Spoilt(const Spoilt &) = delete;
        Spoilt &operator=(const Spoilt &) = delete;

    private:
        std::byte *m_at;
        std::size_t m_size;
        std::byte m_before[4] = {};
    };

    /// Everything that a session and a layer pass give out, by name; each must be this error.
    template <class Check> void everyResult(const Check &check)
    {
        m_device = *uploadModel(m_model, m_backend); // vectors are copied
        const std::vector<int> ids = tokens(40);
        for (const HeadKind kind : {HeadKind::Retrieval, HeadKind::Streaming}) {
            auto s = session(map(kind));
            check("last", s->run(ids));
            s->reset();
            check("all", s->run(ids, Session::Logits::All));
            s->reset();
            check("step", s->step(std::span(ids).first(1)));
            s->reset();
            check("greedy", s->continueGreedily(std::span(ids).first(1), 3));
            s->reset();
            s->setAttentionObserver([](int, std::span<const std::int32_t>) {});
            check("strongest", s->run(ids, Session::Logits::None));

            auto pass = *LayerPass::create(m_device, 40, false);
            auto states = *pass->states();
            EXPECT_TRUE(pass->embed(ids, *states));
            const std::vector<HeadPattern> patterns(2, patternOf(kind, {4, 16}));
            for (int layer = 0; layer < 2; ++layer)
                pass->run(layer, patterns, 40, *states, *states);
            const std::vector<std::int64_t> rows = {0, 39};
            check("layers", pass->logits(rows, *states));
            check("states", pass->lastStates(rows, *states));
        }
    }
};

TEST(Finite, OneValueAnywhereThatIsNoneIsFound)
{
    for (std::size_t size = 0; size < 50; ++size) {
        std::vector<float> values(size, -3e38f);
        EXPECT_TRUE(allFinite(values)) << size;
        for (std::size_t at = 0; at < size; ++at)
            for (const float none : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                                     std::numeric_limits<float>::quiet_NaN()}) {
                values[at] = none;
                EXPECT_FALSE(allFinite(values)) << size << " " << at;
                values[at] = 1e-45f;
                EXPECT_TRUE(allFinite(values)) << size << " " << at;
            }
    }
}

TEST_F(NotFiniteTest, AWeightThatIsNoNumberIsNamedByWhateverItSpoils)
{
    for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
        make(type);
        everyResult([&](const char *what, const auto &result) { EXPECT_TRUE(result) << what << ": " << result.error().message; });
        for (const PlannedTensor &planned : planWeights(m_model->config)) {
            // Of the embedding the row of the first token; elsewhere the last number.
            const bool isEmbedding = planned.outside == &Weights::embedding;
            const std::int64_t at = (isEmbedding ? 12 : planned.rows) * planned.columns - 1;
            const Spoilt spoilt(planned.in(m_model->weights), at, std::numeric_limits<float>::quiet_NaN());
            const bool isHead = planned.outside == &Weights::head, isNorm = planned.outside == &Weights::finalNorm;
            everyResult([&](const std::string &what, const auto &result) {
                SCOPED_TRACE(planned.name + ", " + what + ", " + std::string(nameOf(type)));
                if ((isHead && (what == "states" || what == "strongest")) || (isNorm && what == "strongest")) {
                    EXPECT_TRUE(result) << "before it matters";
                    return;
                }
                ASSERT_FALSE(result);
                EXPECT_EQ(result.error().kind, ErrorKind::BadInput);
                EXPECT_NE(result.error().message.find(planned.name), std::string::npos) << result.error().message;
                EXPECT_NE(result.error().message.find("not finite"), std::string::npos) << result.error().message;
            });
        }
    }
}

TEST_F(NotFiniteTest, ASumThatOverflowsIsSaidToBeOne)
{
    make(DType::F32);
    const Spoilt norm(m_model->weights.finalNorm, 0, 3e38f), head(m_model->weights.head, 0, 3e38f);
    everyResult([&](const std::string &what, const auto &result) {
        if (result)
            return; // before it matters
        EXPECT_EQ(result.error().kind, ErrorKind::Failed) << what;
        EXPECT_NE(result.error().message.find("overflowed f32"), std::string::npos) << result.error().message;
    });
    auto s = session(map());
    EXPECT_FALSE(s->run(tokens(40)));
}

} // namespace
} // namespace zigzag
