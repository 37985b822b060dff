// SPDX-License-Identifier: GPL-3.0-or-later
// The whole backward pass on the GPU: against the CPU's, and against central differences on the GPU itself.
#include "engine/run/device_model.h"
#include "engine/run/layer_pass.h"
#include "tests/engine/cpu/op_fixture.h"
#include "tests/paths.h"
#include "tests/tiny_model.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <numeric>

namespace zigzag::test {
namespace {

/// A loss of the last hidden states and its gradient in every gate, through all layers of a model on one backend.
class GatedModel
{
public:
    GatedModel(const std::filesystem::path &folder, const std::string &backend, int tokens, StreamingWindow window)
        : m_streaming(patternOf(HeadKind::Streaming, window))
    {
        m_model = *loadModel(folder.string());
        m_device = *uploadModel(m_model, *createBackend(backend));
        for (int i = 0; i < tokens; ++i)
            m_ids.push_back((i * 37 + 11) % std::min(256, m_model->config.vocabulary));
        m_rows = {tokens / 2, tokens - 2, tokens - 1};
        m_pass = *LayerPass::create(m_device, tokens, true);
        for (int layer = 0; layer <= m_model->config.layers; ++layer)
            m_states.push_back(*m_pass->states());
        m_gradient = *m_pass->states();
    }

    std::size_t gateCount() const { return static_cast<std::size_t>(m_model->config.layers * m_model->config.kvHeads); }

    /// What loss() is the distance from: near what half-open gates give.
    std::vector<float> target()
    {
        std::vector<float> target = last(std::vector<float>(gateCount(), 0.5f));
        const std::vector<float> shift = randomFloats(target.size(), 7, 0.05f);
        std::transform(target.begin(), target.end(), shift.begin(), target.begin(), std::plus<>());
        return target;
    }

    double loss(const std::vector<float> &gates, const std::vector<float> &target)
    {
        m_last = last(gates);
        double sum = 0;
        for (std::size_t i = 0; i < m_last.size(); ++i)
            sum += std::pow(double{m_last[i]} - double{target[i]}, 2);
        return sum;
    }

    std::vector<double> gradient(const std::vector<float> &gates, const std::vector<float> &target)
    {
        loss(gates, target);
        std::vector<float> slope;
        for (std::size_t i = 0; i < m_last.size(); ++i)
            slope.push_back(2 * (m_last[i] - target[i]));
        EXPECT_TRUE(m_pass->lastStatesGradient(m_rows, *m_states.back(), slope, count(), *m_gradient));
        std::vector<double> found(gateCount());
        const auto heads = static_cast<std::size_t>(m_model->config.kvHeads);
        for (auto layer = static_cast<std::size_t>(m_model->config.layers); layer-- > 0;)
            m_pass->backward(static_cast<int>(layer), std::span(gates).subspan(layer * heads, heads), m_streaming, count(),
                             *m_states[layer], *m_gradient, std::span(found).subspan(layer * heads, heads));
        return found;
    }

private:
    std::int64_t count() const { return std::ssize(m_ids); }
    std::vector<float> last(const std::vector<float> &gates)
    {
        EXPECT_TRUE(m_pass->embed(m_ids, *m_states[0]));
        const auto heads = static_cast<std::size_t>(m_model->config.kvHeads);
        for (std::size_t layer = 0; layer + 1 < m_states.size(); ++layer)
            m_pass->runGated(static_cast<int>(layer), std::span(gates).subspan(layer * heads, heads), m_streaming, count(),
                             *m_states[layer], *m_states[layer + 1]);
        return *m_pass->lastStates(m_rows, *m_states.back());
    }

    HeadPattern m_streaming;
    std::shared_ptr<const Model> m_model;
    std::shared_ptr<DeviceModel> m_device;
    std::vector<int> m_ids;
    std::vector<std::int64_t> m_rows;
    std::unique_ptr<LayerPass> m_pass;
    std::vector<std::unique_ptr<Buffer>> m_states;
    std::unique_ptr<Buffer> m_gradient;
    std::vector<float> m_last;
};

double distance(const std::vector<double> &got, const std::vector<double> &expected)
{
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        difference += (got[i] - expected[i]) * (got[i] - expected[i]);
        size += expected[i] * expected[i];
    }
    return std::sqrt(difference / size);
}

std::vector<float> someGates(std::size_t count)
{
    std::vector<float> gates;
    for (std::size_t i = 0; i < count; ++i)
        gates.push_back(0.1f + 0.8f * static_cast<float>(i * 7 % 10) / 9.0f);
    return gates;
}

/// The whole gradient on the GPU against the CPU's over the same target.
double wholeError(const std::filesystem::path &folder, int tokens, StreamingWindow window)
{
    GatedModel cpu(folder, "cpu", tokens, window), gpu(folder, "cuda", tokens, window);
    const std::vector<float> target = cpu.target(), gates = someGates(cpu.gateCount());
    const double error = distance(gpu.gradient(gates, target), cpu.gradient(gates, target));
    fmt::print("whole gradient, {} gates, {} tokens: {:.1e}\n", gates.size(), tokens, error);
    return error;
}

TEST(GateGradientParity, TheBundledModel)
{
    EXPECT_LE(wholeError(std::filesystem::path(sourceDir()) / "resources/models/zigzag-tiny", 400, {8, 32}), 0.1);
}

TEST(GateGradientParity, Float32)
{
    TempFolder folder;
    EXPECT_LE(wholeError(writeTinyModel(folder.path(), {.layers = 3}), 150, {3, 20}), 1e-3);
}

TEST(GateGradientParity, WideHeadsInBf16)
{
    TempFolder folder;
    const TinyModel shape{
        .layers = 2, .hidden = 256, .queryHeads = 4, .kvHeads = 2, .headDim = 128, .intermediate = 320, .dtype = DType::BF16};
    EXPECT_LE(wholeError(writeTinyModel(folder.path(), shape), 300, {4, 70}), 0.1);
}

/// What stands in for sinks, in one layer: its gradients on one backend, one after another.
std::vector<double> standIns(const std::filesystem::path &folder, const std::string &backend)
{
    constexpr std::int64_t tokens = 200;
    const auto model = *loadModel(folder.string());
    const std::shared_ptr<Backend> used = *createBackend(backend);
    const auto device = *uploadModel(model, used);
    const auto pass = *LayerPass::create(device, tokens, true);
    const auto in = *pass->states(), gradient = *pass->states();
    std::vector<int> ids(tokens);
    std::iota(ids.begin(), ids.end(), 0);
    EXPECT_TRUE(pass->embed(ids, *in));
    const auto slope = randomFloats(static_cast<std::size_t>(tokens * model->config.hiddenSize), 5);
    used->upload(*gradient, 0, slope.data(), slope.size() * sizeof(float));
    const std::vector<HeadPattern> patterns(static_cast<std::size_t>(model->config.kvHeads), HeadPattern::streaming(2, 70));
    const auto found = pass->backwardStandIns(0, patterns, tokens, *in, *gradient);
    const auto sizes = pass->standInSizes(tokens);
    EXPECT_TRUE(found && sizes);
    std::vector<double> all = found->heads;
    for (const auto *part : {&found->queryBias, &found->keyBias, &found->valueBias})
        all.insert(all.end(), part->begin(), part->end());
    all.insert(all.end(), {sizes->queries, sizes->keys, sizes->values});
    return all;
}

TEST(GateGradientParity, StandInsForSinks)
{
    for (const DType type : {DType::F32, DType::BF16}) {
        TempFolder folder;
        const auto at = writeTinyModel(
            folder.path(), {.hidden = 128, .queryHeads = 4, .kvHeads = 2, .headDim = 64, .intermediate = 160, .dtype = type});
        const double error = distance(standIns(at, "cuda"), standIns(at, "cpu"));
        fmt::print("stand-ins for sinks, {}: {:.1e}\n", nameOf(type), error);
        EXPECT_LE(error, type == DType::F32 ? 1e-4 : 5e-2);
    }
}

TEST(GateGradientParity, CentralDifferencesOnTheGpu)
{
    TempFolder folder;
    GatedModel gpu(writeTinyModel(folder.path(), {.layers = 3}), "cuda", 48, {3, 6});
    std::vector<float> gates = someGates(gpu.gateCount());
    const std::vector<float> target = gpu.target();
    const std::vector<double> analytical = gpu.gradient(gates, target);
    std::vector<double> numerical;
    for (float &gate : gates) {
        const float kept = gate;
        const auto slope = [&](float step) {
            gate = kept + step;
            const double up = gpu.loss(gates, target);
            gate = kept - step;
            const double down = gpu.loss(gates, target);
            gate = kept;
            return (up - down) / (2.0 * double{step});
        };
        // Two steps cancel the error of the third derivative (Richardson).
        numerical.push_back((4.0 * slope(0.04f) - slope(0.08f)) / 3.0);
    }
    const double error = distance(numerical, analytical);
    fmt::print("central differences over {} gates: {:.1e}\n", gates.size(), error);
    EXPECT_LE(error, 2e-3);
}

} // namespace
} // namespace zigzag::test
