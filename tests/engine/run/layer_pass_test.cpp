// SPDX-License-Identifier: GPL-3.0-or-later
// Layers over whole sequences: forward against the session, backward against central differences.
#include "engine/run/device_model.h"
#include "engine/run/layer_pass.h"
#include "engine/run/session.h"
#include "tests/paths.h"
#include "tests/tiny_model.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>
#include <random>

namespace zigzag {
namespace {

constexpr StreamingWindow window{3, 6};
constexpr HeadPattern windowed = patternOf(HeadKind::Streaming, window);

class LayerPassTest : public testing::Test
{
protected:
    void load(const std::filesystem::path &folder)
    {
        auto model = loadModel(folder.string());
        ASSERT_TRUE(model) << model.error().message;
        m_model = *model;
        auto device = uploadModel(m_model, *createBackend("cpu"));
        ASSERT_TRUE(device) << device.error().message;
        m_device = *device;
    }

    void loadTiny(const test::TinyModel &shape) { load(test::writeTinyModel(m_folder.path(), shape)); }

    std::vector<int> tokens(int count) const
    {
        std::vector<int> ids(static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i)
            ids[static_cast<std::size_t>(i)] = (i * 37 + 11) % std::min(256, m_model->config.vocabulary);
        return ids;
    }

    HeadMap mixedMap() const
    {
        HeadMap map(m_model->shape(), HeadKind::Retrieval, window.sink, window.recent);
        map.set(0, 1, HeadKind::Streaming);
        map.setLayer(1, HeadKind::Streaming);
        return map;
    }

    static std::vector<std::int64_t> allRows(int count)
    {
        std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
        std::iota(rows.begin(), rows.end(), 0);
        return rows;
    }

    std::vector<float> logits(const HeadMap &map, const std::vector<int> &ids)
    {
        auto pass = *LayerPass::create(m_device, static_cast<std::int64_t>(ids.size()), false);
        auto states = *pass->states();
        EXPECT_TRUE(pass->embed(ids, *states));
        for (int layer = 0; layer < map.layers(); ++layer)
            pass->run(layer, map.patterns(layer), static_cast<std::int64_t>(ids.size()), *states, *states);
        return *pass->logits(allRows(static_cast<int>(ids.size())), *states);
    }

    test::TempFolder m_folder;
    std::shared_ptr<const Model> m_model;
    std::shared_ptr<DeviceModel> m_device;
};

TEST_F(LayerPassTest, LogitsAreTheSessions)
{
    for (const DType type : {DType::F32, DType::BF16}) {
        loadTiny({.layers = 3, .dtype = type});
        const std::vector<int> ids = tokens(90);
        const HeadMap full(m_model->shape(), HeadKind::Retrieval, 3, 6), streaming(m_model->shape(), HeadKind::Streaming, 3, 6);
        HeadMap windows = mixedMap();
        windows.setLayerWindow(1, 0, 20);
        for (const HeadMap &map : {full, streaming, mixedMap(), windows}) {
            auto session = *Session::create(m_device, map, {.maxContext = 90, .chunk = 32});
            const std::vector<float> expected = *session->run(ids, Session::Logits::All), got = logits(map, ids);
            ASSERT_EQ(got.size(), expected.size());
            double difference = 0.0, size = 0.0;
            for (std::size_t i = 0; i < got.size(); ++i) {
                difference += std::pow(static_cast<double>(got[i] - expected[i]), 2);
                size += std::pow(static_cast<double>(expected[i]), 2);
            }
            // BF16 products may round their input differently in chunks of other sizes.
            EXPECT_LE(std::sqrt(difference / size), type == DType::F32 ? 1e-6 : 5e-3) << nameOf(type);
        }
    }
}

TEST_F(LayerPassTest, RefusesWhatCannotBeRun)
{
    loadTiny({});
    const auto tooLong = LayerPass::create(m_device, 10000, false);
    ASSERT_FALSE(tooLong);
    EXPECT_EQ(tooLong.error().kind, ErrorKind::BadInput);
    auto pass = *LayerPass::create(m_device, 8, false);
    auto states = *pass->states();
    EXPECT_FALSE(pass->embed(tokens(9), *states));
    const std::vector<int> foreign = {1, 2, 100000};
    EXPECT_FALSE(pass->embed(foreign, *states));
}

/// The distance of the last hidden states from a target, and its gradient for every gate: the whole backward pass.
class GateGradients : public LayerPassTest
{
protected:
    void start(int count)
    {
        m_ids = tokens(count);
        m_rows = {count / 2, count - 2, count - 1};
        m_pass = *LayerPass::create(m_device, count, true);
        for (int layer = 0; layer <= m_model->config.layers; ++layer)
            m_states.push_back(*m_pass->states());
        m_gradient = *m_pass->states();
        // Near what half-open gates give, as the target of a distillation is: the distance is not lost in rounding.
        m_target.assign(m_rows.size() * static_cast<std::size_t>(m_model->config.hiddenSize), 0.0f);
        loss(gates(0.5f));
        std::mt19937_64 random(7);
        std::normal_distribution<float> normal(0.0f, 0.05f);
        for (std::size_t i = 0; i < m_target.size(); ++i)
            m_target[i] = m_last[i] + normal(random);
    }

    std::span<const float> row(const std::vector<float> &gates, int layer) const
    {
        const auto heads = static_cast<std::size_t>(m_model->config.kvHeads);
        return std::span(gates).subspan(static_cast<std::size_t>(layer) * heads, heads);
    }

    double loss(const std::vector<float> &gates)
    {
        EXPECT_TRUE(m_pass->embed(m_ids, *m_states[0]));
        for (int layer = 0; layer < m_model->config.layers; ++layer)
            m_pass->runGated(layer, row(gates, layer), windowed, count(), *at(layer), *at(layer + 1));
        m_last = *m_pass->lastStates(m_rows, *m_states.back());
        double sum = 0.0;
        for (std::size_t i = 0; i < m_last.size(); ++i)
            sum += std::pow(static_cast<double>(m_last[i]) - static_cast<double>(m_target[i]), 2);
        return sum;
    }

    std::vector<double> gradient(const std::vector<float> &gates)
    {
        loss(gates);
        std::vector<float> gradOut(m_last.size());
        for (std::size_t i = 0; i < m_last.size(); ++i)
            gradOut[i] = 2.0f * (m_last[i] - m_target[i]);
        EXPECT_TRUE(m_pass->lastStatesGradient(m_rows, *m_states.back(), gradOut, count(), *m_gradient));
        std::vector<double> grads(gates.size());
        const auto heads = static_cast<std::size_t>(m_model->config.kvHeads);
        for (int layer = m_model->config.layers - 1; layer >= 0; --layer)
            m_pass->backward(layer, row(gates, layer), windowed, count(), *at(layer), *m_gradient,
                             std::span(grads).subspan(static_cast<std::size_t>(layer) * heads, heads));
        return grads;
    }

    /// The relative error of the gradient, as vectors, against central differences over every gate.
    double error(std::vector<float> gates)
    {
        const std::vector<double> analytical = gradient(gates);
        double difference = 0.0, size = 0.0;
        for (std::size_t i = 0; i < gates.size(); ++i) {
            const float kept = gates[i];
            const auto slope = [&](float step) {
                gates[i] = kept + step;
                const double up = loss(gates);
                gates[i] = kept - step;
                const double down = loss(gates);
                gates[i] = kept;
                return (up - down) / (2.0 * static_cast<double>(step));
            };
            // Two steps cancel the error of the third derivative (Richardson).
            const double numerical = (4.0 * slope(0.04f) - slope(0.08f)) / 3.0;
            difference += std::pow(numerical - analytical[i], 2);
            size += analytical[i] * analytical[i];
        }
        std::printf("    relative error %.1e over %zu gates\n", std::sqrt(difference / size), gates.size());
        return std::sqrt(difference / size);
    }

    std::vector<float> gates(float value) const
    {
        return std::vector<float>(static_cast<std::size_t>(m_model->config.layers * m_model->config.kvHeads), value);
    }
    std::vector<float> randomGates() const
    {
        std::vector<float> values = gates(0.0f);
        std::mt19937_64 random(3);
        std::uniform_real_distribution<float> uniform(0.1f, 0.9f);
        std::generate(values.begin(), values.end(), [&] { return uniform(random); });
        return values;
    }

    std::int64_t count() const { return static_cast<std::int64_t>(m_ids.size()); }
    Buffer *at(int layer) { return m_states[static_cast<std::size_t>(layer)].get(); }

    std::vector<int> m_ids;
    std::vector<std::int64_t> m_rows;
    std::unique_ptr<LayerPass> m_pass;
    std::vector<std::unique_ptr<Buffer>> m_states; // [layers + 1]
    std::unique_ptr<Buffer> m_gradient;
    std::vector<float> m_target, m_last;
};

TEST_F(GateGradients, EndToEndFullStreamingAndBetween)
{
    loadTiny({.layers = 3});
    start(48);
    EXPECT_LE(error(gates(1.0f)), 1e-3) << "full";
    EXPECT_LE(error(gates(0.0f)), 1e-3) << "streaming";
    EXPECT_LE(error(randomGates()), 1e-3) << "between";
}

class FamilyGradients : public GateGradients, public testing::WithParamInterface<const char *>
{ };

TEST_P(FamilyGradients, EndToEnd)
{
    load(std::filesystem::path(test::sourceDir()) / "tests/fixtures/goldens" / GetParam());
    start(40);
    EXPECT_LE(error(randomGates()), 1e-3);
}

// Biases, head norms, tied embeddings, every context extension, and neighbours that turn together.
INSTANTIATE_TEST_SUITE_P(Goldens, FamilyGradients,
                         testing::Values("llama-default", "llama-biases", "llama-tied", "llama-yarn", "mistral-llama3",
                                         "qwen2-default", "qwen3-default", "internlm2", "../gguf/llama-f32.gguf"),
                         [](const auto &tested) {
                             std::string name = tested.param;
                             std::replace_if(
                                 name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
                             return name;
                         });

TEST_F(GateGradients, WholeGatesAreWholeKinds)
{
    loadTiny({.layers = 2});
    start(40);
    auto plain = *LayerPass::create(m_device, 40, false);
    for (const HeadKind kind : {HeadKind::Retrieval, HeadKind::Streaming}) {
        loss(gates(kind == HeadKind::Retrieval ? 1.0f : 0.0f));
        auto states = *plain->states();
        ASSERT_TRUE(plain->embed(m_ids, *states));
        const std::vector<HeadPattern> patterns(static_cast<std::size_t>(m_model->config.kvHeads), patternOf(kind, window));
        for (int layer = 0; layer < 2; ++layer)
            plain->run(layer, patterns, 40, *states, *states);
        const std::vector<float> expected = *plain->lastStates(m_rows, *states);
        for (std::size_t i = 0; i < expected.size(); ++i)
            ASSERT_NEAR(m_last[i], expected[i], 1e-5f);
    }
}

} // namespace
} // namespace zigzag
