// SPDX-License-Identifier: GPL-3.0-or-later
// Layers with windows of their own in one model: what a token can see, whatever the chunks, and what the cache takes.
#include "engine/map/kv_layout.h"
#include "engine/run/layer_pass.h"
#include "engine/run/session.h"
#include "tests/tiny_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

namespace zigzag {
namespace {

constexpr std::array<std::int64_t, 4> chunks = {1, 7, 64, 96};

class LayerWindowsTest : public testing::Test
{
protected:
    void load(const test::TinyModel &shape)
    {
        test::writeTinyModel(m_folder.path(), shape);
        auto model = loadModel(m_folder.path().string());
        ASSERT_TRUE(model) << model.error().message;
        m_model = *model;
        auto device = uploadModel(m_model, *createBackend("cpu"));
        ASSERT_TRUE(device) << device.error().message;
        m_device = *device;
    }

    /// Mixed and whole layers, three windows, and one that no head uses.
    HeadMap mixedMap() const
    {
        HeadMap map(m_model->shape(), HeadKind::Retrieval, 4, 16);
        map.set(0, 1, HeadKind::Streaming);
        map.setLayer(1, HeadKind::Streaming);
        map.setLayerWindow(1, 0, 40);
        map.setLayerWindow(2, 1, 1);
        map.set(3, 0, HeadKind::Streaming);
        map.setLayerWindow(3, 20, 3);
        return map;
    }

    std::vector<float> run(const HeadMap &map, const std::vector<int> &ids, Session::Logits logits, std::int64_t chunk,
                           MixedMode mixed = MixedMode::Fused)
    {
        auto session = Session::create(m_device, map, {.maxContext = 96, .chunk = chunk, .mixed = mixed});
        EXPECT_TRUE(session) << session.error().message;
        auto result = (*session)->run(ids, logits);
        EXPECT_TRUE(result) << result.error().message;
        return result ? *result : std::vector<float>();
    }

    static std::vector<int> tokens(int count)
    {
        std::vector<int> ids(static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i)
            ids[static_cast<std::size_t>(i)] = (i * 37 + 11) % 256;
        return ids;
    }

    static double relativeDifference(const std::vector<float> &a, const std::vector<float> &b)
    {
        EXPECT_EQ(a.size(), b.size());
        double difference = 0, size = 0;
        for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
            difference += std::pow(static_cast<double>(a[i] - b[i]), 2);
            size += std::pow(static_cast<double>(b[i]), 2);
        }
        return std::sqrt(difference / size);
    }

    test::TempFolder m_folder;
    std::shared_ptr<const Model> m_model;
    std::shared_ptr<DeviceModel> m_device;
};

/// The tokens that reach the last one through layers of masks, key by key by the rule's own words.
std::vector<bool> reaching(const std::vector<StreamingWindow> &layers, int count)
{
    std::vector<bool> reached(static_cast<std::size_t>(count));
    reached.back() = true;
    for (auto window = layers.rbegin(); window != layers.rend(); ++window) {
        std::vector<bool> below(reached.size());
        for (int i = 0; i < count; ++i)
            for (int j = 0; reached[static_cast<std::size_t>(i)] && j <= i; ++j)
                if (j < window->sink || i - j < window->recent)
                    below[static_cast<std::size_t>(j)] = true;
        reached = below;
    }
    return reached;
}

TEST_F(LayerWindowsTest, ATokenReachesWhatEveryLayersMaskLetsThrough)
{
    load({.layers = 2});
    const std::vector<int> ids = tokens(70);
    for (const auto &windows : {std::vector<StreamingWindow>{{2, 5}, {0, 12}}, {{0, 12}, {2, 5}}, {{1, 30}, {6, 1}}}) {
        HeadMap map(m_model->shape(), HeadKind::Streaming, 4, 16);
        for (int layer = 0; layer < 2; ++layer)
            map.setLayerWindow(layer, windows[static_cast<std::size_t>(layer)].sink,
                               windows[static_cast<std::size_t>(layer)].recent);
        const std::vector<bool> visible = reaching(windows, 70);
        EXPECT_GT(std::count(visible.begin(), visible.end(), false), 20);
        for (const std::int64_t chunk : chunks) {
            const std::vector<float> before = run(map, ids, Session::Logits::Last, chunk);
            for (std::size_t changed = 0; changed < ids.size(); ++changed) {
                std::vector<int> other = ids;
                other[changed] ^= 1;
                EXPECT_EQ(run(map, other, Session::Logits::Last, chunk) != before, visible[changed])
                    << "token " << changed << ", chunks of " << chunk << ", first window " << windows[0].sink << " + "
                    << windows[0].recent;
            }
        }
    }
}

TEST_F(LayerWindowsTest, ChunksAndModesMakeNoDifference)
{
    load({.layers = 4});
    const HeadMap map = mixedMap();
    const std::vector<int> ids = tokens(90);
    // Whole sequences, with every position in its own slot: no ring, no stage.
    auto pass = *LayerPass::create(m_device, 90, false);
    auto states = *pass->states();
    ASSERT_TRUE(pass->embed(ids, *states));
    for (int layer = 0; layer < map.layers(); ++layer)
        pass->run(layer, map.patterns(layer), 90, *states, *states);
    std::vector<std::int64_t> rows(90);
    std::iota(rows.begin(), rows.end(), 0);
    const std::vector<float> expected = *pass->logits(rows, *states);
    for (const std::int64_t chunk : chunks)
        for (const MixedMode mode : {MixedMode::Fused, MixedMode::TwoLaunch, MixedMode::Reference})
            EXPECT_LE(relativeDifference(run(map, ids, Session::Logits::All, chunk, mode), expected), 1e-5)
                << chunk << ' ' << nameOf(mode);
    // The windows count: with one for all it is another model.
    HeadMap one = map;
    one.setWindow(4, 16);
    EXPECT_GT(relativeDifference(run(one, ids, Session::Logits::All, 64), expected), 1e-3);
}

TEST_F(LayerWindowsTest, AllocatedKvBytesAreTheComputedOnes)
{
    load({.layers = 4});
    const HeadMap map = mixedMap();
    for (const std::int64_t context : {1, 3, 20, 40, 300}) {
        auto session = *Session::create(m_device, map, {.maxContext = context});
        EXPECT_EQ(session->kvBytesAllocated(), kvBytes(map, context, m_model->config.dtype)) << context;
        std::int64_t keys = 0; // that the last query sees, head by head
        for (int layer = 0; layer < map.layers(); ++layer)
            for (int head = 0; head < map.kvHeads(); ++head)
                for (std::int64_t key = 0; key < context; ++key) {
                    const StreamingWindow window = map.window(layer);
                    keys += map.at(layer, head) == HeadKind::Retrieval || key < window.sink || context - 1 - key < window.recent;
                }
        EXPECT_EQ(session->kvBytesAllocated(), keys * 2 * m_model->config.headDim * 4) << context;
    }
}

TEST_F(LayerWindowsTest, ABatchIsAsIfEachWereAlone)
{
    load({.layers = 4});
    auto together = *Session::create(m_device, mixedMap(), {.maxContext = 96, .chunk = 32, .batch = 2});
    auto alone = *Session::create(m_device, mixedMap(), {.maxContext = 96, .chunk = 32});
    const std::vector<int> ids = tokens(60);
    ASSERT_TRUE(together->run(std::span(ids).first(7), Session::Logits::None, 0));
    ASSERT_TRUE(together->run(ids, Session::Logits::None, 1));
    ASSERT_TRUE(alone->run(ids, Session::Logits::None));
    const auto vocabulary = static_cast<std::size_t>(m_model->config.vocabulary);
    for (int step = 0; step < 20; ++step) {
        const std::array<int, 2> next = {step, 100 + step};
        const auto both = together->step(next), one = alone->step(std::span(next).subspan(1));
        ASSERT_TRUE(both && one);
        EXPECT_LE(relativeDifference({both->begin() + static_cast<std::ptrdiff_t>(vocabulary), both->end()}, *one), 1e-5) << step;
    }
}

TEST_F(LayerWindowsTest, AWindowThatCannotBeRunIsRefused)
{
    load({.layers = 4});
    HeadMap map = mixedMap();
    map.setLayerWindow(2, 0, 0);
    const auto refused = Session::create(m_device, map, {.maxContext = 96});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("recent is 0"), std::string::npos) << refused.error().message;
}

} // namespace
} // namespace zigzag
