// SPDX-License-Identifier: GPL-3.0-or-later
// A model on several ranks against the same on one. With ZIGZAG_TEST_BACKEND=cuda the ranks are GPUs, as many as there are.
#include "engine/model/random_weights.h"
#include "engine/model/tensor_values.h"
#include "engine/run/collective.h"
#include "engine/run/dealing.h"
#include "engine/run/layer_pass.h"
#include "engine/run/rank_group.h"
#include "engine/run/sampler.h"
#include "tests/engine/run/failing_backend.h"
#include "tests/engine/run/golden_fixture.h"
#include "tests/tiny_model.h"

#include <atomic>
#include <chrono>
#include <fmt/format.h>
#include <numeric>
#include <set>

namespace zigzag {
namespace {

/// Sums of N parts round otherwise than one sum: of logits in float32, as a share of the largest, no more than this.
constexpr double rankTolerance = 2e-5;

/// Null where this machine has fewer devices.
std::shared_ptr<RankGroup> groupOf(int ranks)
{
    auto group = createRankGroup(test::backendUnderTest(), ranks);
    if (group)
        return *group;
    EXPECT_NE(test::backendUnderTest(), "cpu") << group.error().message;
    EXPECT_NE(group.error().message.find("can be used here"), std::string::npos) << group.error().message;
    return nullptr;
}

std::shared_ptr<DeviceModel> dealt(const std::shared_ptr<const Model> &model, std::shared_ptr<RankGroup> group, Dealing dealing)
{
    auto device = uploadDealt(model, std::move(group), std::move(dealing));
    EXPECT_TRUE(device) << device.error().message;
    return device ? *device : nullptr;
}

std::vector<float> allLogits(const std::shared_ptr<DeviceModel> &device, const HeadMap &map, const std::vector<int> &tokens,
                             MixedMode mode = MixedMode::Fused)
{
    auto session = Session::create(device, map, {.maxContext = std::ssize(tokens), .chunk = 24, .mixed = mode});
    EXPECT_TRUE(session) << session.error().message;
    auto logits = session ? (*session)->run(tokens, Session::Logits::All) : std::vector<float>();
    EXPECT_TRUE(logits) << logits.error().message;
    return logits ? *logits : std::vector<float>();
}

TEST(Ranks, GoldensOverOneToFourRanks)
{
    int run = 0, refused = 0;
    for (const int ranks : {1, 2, 3, 4}) {
        const auto group = groupOf(ranks);
        if (!group)
            continue;
        for (const auto &golden : test::goldens()) {
            SCOPED_TRACE(fmt::format("{} over {} ranks", golden.name, ranks));
            const test::GoldenModel one(golden);
            ASSERT_TRUE(one);
            const auto model = one.device()->model;
            const HeadMap mixed = one.map("mixed");
            for (const DealBy by : {DealBy::Order, DealBy::Balance}) {
                auto dealing = Dealing::create(model->config, ranks, by, &mixed);
                if (!dealing) {
                    ++refused;
                    EXPECT_TRUE(model->config.normsWidth && ranks > model->config.kvHeads) << dealing.error().message;
                    EXPECT_NE(dealing.error().message.find("give at most"), std::string::npos) << dealing.error().message;
                    continue;
                }
                const auto device = dealt(model, group, *dealing);
                ASSERT_TRUE(device);
                for (const char *which : {"full", "mixed", "streaming"}) {
                    const std::vector<float> logits = allLogits(device, one.map(which), one.tokens());
                    const double allowed = golden.isFloat32() ? rankTolerance : golden.tolerance;
                    EXPECT_LE(test::relativeDifference(logits, one.run(one.map(which), 24)), allowed) << which;
                    EXPECT_LE(test::relativeDifference(logits, golden.logits(which)), golden.tolerance + allowed) << which;
                }
                ++run;
            }
        }
    }
    if (test::backendUnderTest() == "cpu") {
        EXPECT_GT(run, 300);
        EXPECT_EQ(refused, 8) << "OLMo 2 and 3 on more ranks than KV heads, which their norms are over";
    }
}

TEST(Ranks, WaysToRunMixedLayersGiveTheSame)
{
    const auto goldens = test::goldens();
    const auto found
        = std::find_if(goldens.begin(), goldens.end(), [](const auto &golden) { return golden.name == "llama-tied"; });
    ASSERT_NE(found, goldens.end()); // four KV heads: a rank's share may be mixed as well
    const test::GoldenModel one(*found);
    const auto group = groupOf(2);
    if (!group)
        GTEST_SKIP();
    const HeadMap map = one.map("mixed");
    const auto device = dealt(one.device()->model, group, *Dealing::create(one.model().config, 2));
    for (const MixedMode mode : {MixedMode::Fused, MixedMode::TwoLaunch, MixedMode::Reference})
        EXPECT_LE(test::relativeDifference(allLogits(device, map, one.tokens(), mode), one.run(map, 24)), rankTolerance)
            << nameOf(mode);
}

TEST(Ranks, QuantisedWeightsAreCutBetweenBlocks)
{
    const std::filesystem::path fixtures = std::filesystem::path(test::sourceDir()) / "tests/fixtures/gguf";
    int run = 0;
    const auto manifest = nlohmann::json::parse(std::ifstream(fixtures / "manifest.json"));
    for (const auto &fixture : manifest) {
        const std::string name = fixture.at("name");
        const std::vector<int> tokens = fixture.at("tokens");
        for (const int ranks : {2, 3}) {
            SCOPED_TRACE(fmt::format("{} over {} ranks", name, ranks));
            const auto group = groupOf(ranks);
            if (!group)
                continue;
            auto model = loadModel((fixtures / (name + ".gguf")).string());
            ASSERT_TRUE(model) << model.error().message;
            auto dealing = Dealing::create((*model)->config, ranks);
            if (!dealing) { // blocks that no cut fits, or fewer query heads than ranks, which the message says
                const bool isFew = (*model)->config.queryHeads < ranks;
                EXPECT_NE(dealing.error().message.find(isFew ? "query heads" : "blocks of"), std::string::npos)
                    << dealing.error().message;
                EXPECT_EQ(dealing.error().message.find('\n'), std::string::npos);
                continue;
            }
            const auto device = dealt(*model, group, *dealing);
            auto backend = createBackend(test::backendUnderTest());
            const auto whole = uploadModel(*model, std::move(*backend));
            ASSERT_TRUE(device && whole);
            const HeadMap map((*model)->shape(), HeadKind::Retrieval, 4, 16);
            // Quantised activations are rounded by parts of 32 columns, whoever has them.
            const double allowed = fixture.at("quantised") ? 2e-3 : (*model)->config.dtype == DType::F32 ? rankTolerance : 2e-2;
            EXPECT_LE(test::relativeDifference(allLogits(device, map, tokens), allLogits(*whole, map, tokens)), allowed);
            ++run;
        }
    }
    EXPECT_GE(run, test::backendUnderTest() == "cpu" ? 10 : 0);
}

TEST(Ranks, FoldersInF8OverRanksAreThoseOfOne)
{
    const std::filesystem::path fixtures = std::filesystem::path(test::sourceDir()) / "tests/fixtures/quantized";
    int run = 0;
    const auto manifest = nlohmann::json::parse(std::ifstream(fixtures / "manifest.json"));
    for (const auto &fixture : manifest.at("fixtures")) {
        const std::string name = fixture.at("name");
        std::ifstream file(fixtures / name / "tokens.txt");
        const std::vector<int> tokens{std::istream_iterator<int>(file), {}};
        for (const int ranks : {2, 3, 4}) {
            SCOPED_TRACE(fmt::format("{} over {} ranks", name, ranks));
            const auto group = groupOf(ranks);
            if (!group)
                continue;
            // Keys in float32 on the processor: rounded ones would differ where sums of parts do.
            auto model = loadModel((fixtures / name).string(), {},
                                   test::backendUnderTest() == "cpu" ? std::optional(DType::F32) : std::nullopt);
            ASSERT_TRUE(model) << model.error().message;
            auto dealing = Dealing::create((*model)->config, ranks);
            if (!dealing) // blocks of AWQ and GPTQ that no cut fits
                continue;
            const auto device = dealt(*model, group, *dealing);
            auto backend = createBackend(test::backendUnderTest());
            const auto whole = uploadModel(*model, std::move(*backend));
            ASSERT_TRUE(device && whole);
            const HeadMap map((*model)->shape(), HeadKind::Retrieval, 4, 16);
            // Quantised activations are rounded by parts of 32 columns, whoever has them.
            const double allowed = name.starts_with("fp8") ? rankTolerance : 2e-3;
            EXPECT_LE(test::relativeDifference(allLogits(device, map, tokens), allLogits(*whole, map, tokens)), allowed);
            ++run;
        }
    }
    EXPECT_GE(run, test::backendUnderTest() == "cpu" ? 10 : 0);
}

TEST(Ranks, ScalesOfF8GoWithTheirNumbers)
{
    // Every way in which scales lie, cut where blocks end and within them: what a rank has is what the whole has there.
    constexpr std::int64_t rows = 48, columns = 96;
    std::vector<std::byte> numbers(rows * columns);
    for (std::size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = static_cast<std::byte>((i * 37 + i / columns) % 120);
    const test::TempFolder folder;
    const auto model = *loadModel(
        test::writeTinyModel(folder.path(), {.layers = 1, .hidden = 48, .queryHeads = 6, .kvHeads = 6, .intermediate = 96})
            .string());
    int cutWithin = 0;
    for (const std::int64_t rowBlock : {1, 16, 20, 64})
        for (const std::int64_t columnBlock : {16, 40, 128}) {
            TensorView whole{numbers.data(), DType::F8, rows, columns, {nullptr, rowBlock, columnBlock}};
            std::vector<float> scales(static_cast<std::size_t>(whole.scales.count(rows, columns)));
            for (std::size_t i = 0; i < scales.size(); ++i)
                scales[i] = 1 + 0.25F * static_cast<float>(i % 11);
            whole.scales.data = scales.data();
            const std::vector<float> expected = floatsOf(whole);
            for (const int ranks : {2, 3}) {
                SCOPED_TRACE(fmt::format("a scale for {} x {}, {} ranks", rowBlock, columnBlock, ranks));
                const auto dealing = *Dealing::create(model->config, ranks);
                std::int64_t row = 0, column = 0; // of the whole, where the next rank's begin
                for (int rank = 0; rank < ranks; ++rank) {
                    // Rows as queries have them, and columns as the product behind the features.
                    std::vector<std::byte> memory, moreMemory;
                    WeightSpec query, down;
                    query.id = WeightId::Query;
                    query.shard = ShardAxis::Rows;
                    down.id = WeightId::Down;
                    down.shard = ShardAxis::Columns;
                    const TensorView some = *dealing.part(rank, 0, query, whole, memory);
                    const std::vector<float> ofRows = floatsOf(some);
                    ASSERT_EQ(std::ssize(ofRows), some.rows * columns);
                    for (std::size_t i = 0; i < ofRows.size(); ++i)
                        ASSERT_EQ(ofRows[i], expected[static_cast<std::size_t>(row * columns) + i]) << i;
                    row += some.rows;
                    const TensorView part = *dealing.part(rank, 0, down, whole, moreMemory);
                    const std::vector<float> ofColumns = floatsOf(part);
                    for (std::int64_t r = 0; r < rows; ++r)
                        for (std::int64_t c = 0; c < part.columns; ++c)
                            ASSERT_EQ(ofColumns[static_cast<std::size_t>(r * part.columns + c)],
                                      expected[static_cast<std::size_t>(r * columns + column + c)])
                                << r << ", " << c;
                    column += part.columns;
                    cutWithin += part.scales.columnsPerScale < columnBlock && columnBlock < columns;
                }
                EXPECT_EQ(row, rows);
                EXPECT_EQ(column, columns);
            }
        }
    EXPECT_GT(cutWithin, 0) << "no cut went through a block of scales";
}

TEST(Ranks, NormsOverAllHeadsTakeThoseOfAllRanks)
{
    const auto goldens = test::goldens();
    const auto found = std::find_if(goldens.begin(), goldens.end(), [](const auto &golden) { return golden.family == "olmo2"; });
    ASSERT_NE(found, goldens.end());
    const test::GoldenModel one(*found);
    const auto group = groupOf(2);
    if (!group)
        GTEST_SKIP();
    const HeadMap map = one.map("mixed");
    const auto device = dealt(one.device()->model, group, *Dealing::create(one.model().config, 2, DealBy::Balance, &map));
    // Decode goes another way than a chunk: one row at a time, to the same choices.
    const auto greedy = [&](const std::shared_ptr<DeviceModel> &of) {
        auto session = *Session::create(of, map, {.maxContext = 40});
        EXPECT_TRUE(session->run(std::span(one.tokens()).first(8)));
        return *session->continueGreedily(std::vector<int>{5}, 16);
    };
    EXPECT_EQ(greedy(device), greedy(one.device()));
}

class RanksTest : public testing::Test
{
protected:
    void SetUp() override
    {
        // Eight query heads over four KV heads: three ranks have unequal shares, eight share heads.
        m_model = *loadModel(
            test::writeTinyModel(m_folder.path(), {.layers = 3, .hidden = 48, .queryHeads = 8, .kvHeads = 4, .intermediate = 96})
                .string());
        m_whole = *uploadModel(m_model, *createBackend(test::backendUnderTest()));
        m_mixed = HeadMap(m_model->shape(), HeadKind::Streaming, 4, 16);
        for (const auto &[layer, head] : {std::pair(0, 0), {0, 1}, {1, 2}, {1, 3}, {2, 0}, {2, 1}, {2, 2}})
            m_mixed.set(layer, head, HeadKind::Retrieval);
    }

    std::shared_ptr<DeviceModel> over(int ranks, DealBy by = DealBy::Order)
    {
        const auto group = groupOf(ranks);
        return group ? dealt(m_model, group, *Dealing::create(m_model->config, ranks, by, &m_mixed)) : nullptr;
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
    std::shared_ptr<DeviceModel> m_whole;
    HeadMap m_mixed;
};

TEST_F(RanksTest, DealsEverythingOnce)
{
    for (const int ranks : {1, 2, 3, 4, 5, 8})
        for (const DealBy by : {DealBy::Order, DealBy::Balance}) {
            SCOPED_TRACE(fmt::format("{} ranks by {}", ranks, nameOf(by)));
            const auto dealing = Dealing::create(m_model->config, ranks, by, &m_mixed);
            ASSERT_TRUE(dealing) << dealing.error().message;
            for (int layer = 0; layer < 3; ++layer) {
                std::multiset<int> queries;
                for (int rank = 0; rank < ranks; ++rank) {
                    const auto heads = dealing->queryHeads(rank, layer);
                    queries.insert(heads.begin(), heads.end());
                    EXPECT_EQ(std::ssize(heads), dealing->config(rank).queryHeads);
                    EXPECT_EQ(std::ssize(dealing->kvHeads(rank, layer)), dealing->config(rank).kvHeads);
                    EXPECT_EQ(dealing->map(m_mixed, rank).at(layer, 0), m_mixed.at(layer, dealing->kvHeads(rank, layer)[0]));
                }
                EXPECT_EQ(std::set<int>(queries.begin(), queries.end()).size(), 8u);
                EXPECT_EQ(queries.size(), 8u);
            }
            int features = 0;
            for (int rank = 0; rank < ranks; ++rank)
                features += dealing->config(rank).intermediateSize;
            EXPECT_EQ(features, 96);
            EXPECT_EQ(std::accumulate(dealing->headWidths().begin(), dealing->headWidths().end(), std::int64_t{0}), 258);
        }
    EXPECT_FALSE(Dealing::create(m_model->config, 9));
    EXPECT_FALSE(Dealing::create(m_model->config, 0));
}

TEST_F(RanksTest, BalanceSpreadsRetrievalHeads)
{
    const auto mostIn = [&](DealBy by, int layer) {
        const auto dealing = *Dealing::create(m_model->config, 2, by, &m_mixed);
        int most = 0;
        for (int rank = 0; rank < 2; ++rank) {
            int retrieval = 0;
            for (const int head : dealing.kvHeads(rank, layer))
                retrieval += m_mixed.at(layer, head) == HeadKind::Retrieval;
            most = std::max(most, retrieval);
        }
        return most;
    };
    EXPECT_EQ(mostIn(DealBy::Order, 0), 2);
    EXPECT_EQ(mostIn(DealBy::Order, 1), 2);
    EXPECT_EQ(mostIn(DealBy::Balance, 0), 1);
    EXPECT_EQ(mostIn(DealBy::Balance, 1), 1);
    EXPECT_EQ(mostIn(DealBy::Balance, 2), 2) << "three cannot be halved";
    // Over the layers it evens out as well: of seven, no rank has more than four.
    const auto dealing = *Dealing::create(m_model->config, 2, DealBy::Balance, &m_mixed);
    int first = 0;
    for (int layer = 0; layer < 3; ++layer)
        for (const int head : dealing.kvHeads(0, layer))
            first += m_mixed.at(layer, head) == HeadKind::Retrieval;
    EXPECT_GE(first, 3);
    EXPECT_LE(first, 4);
}

TEST_F(RanksTest, DecodeInStepAndInOneGo)
{
    const auto reference = *Session::create(m_whole, m_mixed, {.maxContext = 96, .chunk = 32});
    const auto prompt = tokens(40);
    const std::vector<float> first = *reference->run(prompt);
    const std::vector<int> next = {Sampler(0, 1, 0).next(first)};
    const auto chosen = *reference->continueGreedily(next, 24);
    for (const int ranks : {1, 2, 3, 4, 8})
        for (const DealBy by : {DealBy::Order, DealBy::Balance}) {
            SCOPED_TRACE(fmt::format("{} ranks by {}", ranks, nameOf(by)));
            const auto device = over(ranks, by);
            if (!device)
                continue;
            const auto session = *Session::create(device, m_mixed, {.maxContext = 96, .chunk = 32});
            EXPECT_LE(test::relativeDifference(*session->run(prompt), first), rankTolerance);
            EXPECT_EQ(*session->continueGreedily(next, 24), chosen);
            EXPECT_EQ(session->position(), 64);
            EXPECT_GE(session->decodeMs(), 0);
            EXPECT_GE(session->kvBytesAllocated(), reference->kvBytesAllocated());
            if (ranks <= 4)
                EXPECT_EQ(session->kvBytesAllocated(), reference->kvBytesAllocated()) << "no head is held twice";
            else
                EXPECT_EQ(session->kvBytesAllocated(), 2 * reference->kvBytesAllocated()) << "each is held by two";
        }
}

TEST_F(RanksTest, BatchesOfSequences)
{
    const SessionOptions options{.maxContext = 64, .chunk = 16, .batch = 3};
    const auto one = *Session::create(m_whole, m_mixed, options);
    const auto device = over(2, DealBy::Balance);
    if (!device)
        GTEST_SKIP();
    const auto two = *Session::create(device, m_mixed, options);
    for (int sequence = 0; sequence < 3; ++sequence) {
        const auto prompt = tokens(10 + 7 * sequence);
        EXPECT_LE(test::relativeDifference(*two->run(prompt, Session::Logits::Last, sequence),
                                           *one->run(prompt, Session::Logits::Last, sequence)),
                  rankTolerance);
    }
    EXPECT_LE(test::relativeDifference(*two->step(std::vector<int>{1, 2, 3}), *one->step(std::vector<int>{1, 2, 3})),
              rankTolerance);
    const std::vector<int> some = {7, Session::waiting};
    auto a = *two->stepSome(some), b = *one->stepSome(some);
    a.resize(a.size() / 2); // the other row means nothing
    b.resize(b.size() / 2);
    EXPECT_LE(test::relativeDifference(a, b), rankTolerance);
    for (int sequence = 0; sequence < 3; ++sequence)
        EXPECT_EQ(two->position(sequence), one->position(sequence));
}

TEST_F(RanksTest, ObserversHearOfAllHeadsInTheirOrder)
{
    using Heard = std::vector<std::pair<int, std::vector<std::int32_t>>>;
    const auto heardBy = [&](const std::shared_ptr<DeviceModel> &device) {
        Heard heard;
        const auto session = *Session::create(device, m_mixed, {.maxContext = 64, .chunk = 16});
        session->setAttentionObserver(
            [&](int layer, auto strongest) { heard.emplace_back(layer, std::vector(strongest.begin(), strongest.end())); });
        EXPECT_TRUE(session->run(tokens(40)));
        return heard;
    };
    const auto device = over(3, DealBy::Balance);
    if (!device)
        GTEST_SKIP();
    EXPECT_EQ(heardBy(device), heardBy(m_whole));
}

TEST_F(RanksTest, ACancelStopsAllRanksAtOnePlace)
{
    const auto device = over(4);
    if (!device)
        GTEST_SKIP();
    const auto session = *Session::create(device, m_mixed, {.maxContext = 256, .chunk = 4});
    std::atomic<bool> cancel{false};
    session->setCancelFlag(&cancel);
    const std::vector<float> expected = *session->run(tokens(200));
    for (int delay = 0; delay < 20; ++delay) {
        session->reset();
        cancel = false;
        std::thread canceller([&] {
            std::this_thread::sleep_for(std::chrono::microseconds(150 * delay));
            cancel = true;
        });
        const auto begin = std::chrono::steady_clock::now();
        const auto ran = session->run(tokens(200));
        canceller.join();
        if (!ran) {
            EXPECT_EQ(ran.error().kind, ErrorKind::Cancelled) << ran.error().message;
        }
        EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1500)) << "nobody waited for anybody";
    }
    cancel = false;
    session->reset();
    EXPECT_EQ(*session->run(tokens(200)), expected);
}

TEST_F(RanksTest, LayersOneByOneAreRefused)
{
    const auto device = over(2);
    if (!device)
        GTEST_SKIP();
    const auto pass = LayerPass::create(device, 16, false);
    ASSERT_FALSE(pass);
    EXPECT_NE(pass.error().message.find("leave --gpus out"), std::string::npos);
    const auto session = *Session::create(device, m_mixed, {.maxContext = 32});
    EXPECT_EQ(session->run(std::vector<int>{1, 2, 300}).error().kind, ErrorKind::BadInput);
    EXPECT_TRUE(session->run(tokens(8))) << "and nothing was run";
}

TEST_F(RanksTest, ARankThatFailsEndsTheRunInOneLine)
{
    std::vector<test::FailingBackend *> backends(3);
    auto group = *RankGroup::create(
        3,
        [&](int rank) -> Result<std::unique_ptr<Backend>> {
            auto backend = std::make_unique<test::FailingBackend>(*createBackend("cpu"));
            backends[static_cast<std::size_t>(rank)] = backend.get();
            return backend;
        },
        [](auto backendsOfAll) -> Result<std::unique_ptr<CollectiveGroup>> {
            return joinInProcess(static_cast<int>(backendsOfAll.size()));
        });
    group->setPatience(std::chrono::milliseconds(100));
    const auto device = dealt(m_model, group, *Dealing::create(m_model->config, 3));
    const auto session = *Session::create(device, m_mixed, {.maxContext = 96, .chunk = 16});
    const std::vector<float> expected = *session->run(tokens(40));
    for (const int op : {0, 5, 17, 40}) {
        session->reset();
        backends[1]->opsUntilFailure = op;
        const auto ran = session->run(tokens(40));
        ASSERT_FALSE(ran) << op;
        EXPECT_EQ(ran.error().message, "rank 1 of 3: the device failed");
        EXPECT_EQ(session->position(), 0) << "forgotten";
        backends[1]->opsUntilFailure = -1;
        EXPECT_EQ(*session->run(tokens(40)), expected) << "and right again";
    }
    // One that leaves its op by an exception never comes to what the others wait for.
    auto left = group->run([&](int rank) -> Result<void> {
        if (rank == 2)
            throw std::runtime_error("the driver is gone");
        float part[4] = {1, 2, 3, 4}, out[4];
        group->collective(rank).sum({.part = part, .out = out, .count = 4});
        return {};
    });
    ASSERT_FALSE(left);
    EXPECT_EQ(left.error().message, "rank 2 of 3: the driver is gone");
    session->reset();
    EXPECT_EQ(*session->run(tokens(40)), expected);
}

TEST_F(RanksTest, WhatDoesNotFitIsRefusedByTheRankThatLacksIt)
{
    std::vector<test::FailingBackend *> backends(2);
    auto group = *RankGroup::create(
        2,
        [&](int rank) -> Result<std::unique_ptr<Backend>> {
            auto backend = std::make_unique<test::FailingBackend>(*createBackend("cpu"));
            backends[static_cast<std::size_t>(rank)] = backend.get();
            return backend;
        },
        [](auto) -> Result<std::unique_ptr<CollectiveGroup>> { return joinInProcess(2); });
    const auto device = dealt(m_model, group, *Dealing::create(m_model->config, 2));
    DeviceInfo small;
    small.name = "a small one";
    small.memoryBytes = 100000;
    backends[1]->info = small;
    const std::int64_t before = backends[1]->allocated;
    const auto session = Session::create(device, m_mixed, {.maxContext = 4000, .chunk = 16});
    ASSERT_FALSE(session);
    EXPECT_TRUE(session.error().message.starts_with("rank 1 of 2: ")) << session.error().message;
    EXPECT_NE(session.error().message.find("choose a context of at most"), std::string::npos) << session.error().message;
    EXPECT_EQ(backends[1]->allocated, before);
}

TEST(RankGroups, TooManyRanksAreRefused)
{
    const auto group = createRankGroup("nothing", 2);
    ASSERT_FALSE(group);
    EXPECT_EQ(group.error().kind, ErrorKind::BadInput);
}

} // namespace
} // namespace zigzag
