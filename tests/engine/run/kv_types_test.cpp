// SPDX-License-Identifier: GPL-3.0-or-later
// Keys and values in each of their types, whatever the weights are: how far that is from float32, and what it takes.
#include "engine/map/kv_layout.h"
#include "engine/run/layer_pass.h"
#include "engine/run/session.h"
#include "tests/model_surgery.h"
#include "tests/tiny_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

namespace zigzag {
namespace {

class KvTypesTest : public testing::Test
{
protected:
    static constexpr std::int64_t context = 96;

    std::filesystem::path write(const test::TinyModel &shape) { return test::writeTinyModel(m_folder.path(), shape); }

    std::shared_ptr<DeviceModel> load(std::optional<DType> kvType) const
    {
        auto model = loadModel(m_folder.path().string(), {}, kvType);
        EXPECT_TRUE(model) << model.error().message;
        auto device = uploadModel(*model, *createBackend("cpu"));
        EXPECT_TRUE(device) << device.error().message;
        return *device;
    }

    /// Full, streaming, and heads of both kinds in one layer.
    static std::vector<HeadMap> maps(const ModelShape &shape)
    {
        HeadMap mixed(shape, HeadKind::Retrieval, 4, 16);
        mixed.set(0, 1, HeadKind::Streaming);
        return {HeadMap(shape, HeadKind::Retrieval, 4, 16), HeadMap(shape, HeadKind::Streaming, 4, 16), mixed};
    }

    static std::vector<int> tokens(int count)
    {
        std::vector<int> ids(static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i)
            ids[static_cast<std::size_t>(i)] = (i * 37 + 11) % 256;
        return ids;
    }

    static std::vector<float> run(const std::shared_ptr<DeviceModel> &device, const HeadMap &map, std::int64_t chunk = context)
    {
        auto session = Session::create(device, map, {.maxContext = context, .chunk = chunk});
        EXPECT_TRUE(session) << session.error().message;
        auto logits = (*session)->run(tokens(90), Session::Logits::All);
        EXPECT_TRUE(logits) << logits.error().message;
        return logits ? *logits : std::vector<float>();
    }

    /// Root of the mean square, of that of the second.
    static double difference(const std::vector<float> &a, const std::vector<float> &b)
    {
        EXPECT_EQ(a.size(), b.size());
        double squares = 0, size = 0;
        for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
            squares += std::pow(static_cast<double>(a[i] - b[i]), 2);
            size += std::pow(static_cast<double>(b[i]), 2);
        }
        return std::sqrt(squares / size);
    }

    test::TempFolder m_folder;
};

/// Half a unit in the last place, relative: what a stored number is off by at most. Logits are off by about that much (0.8 to 1.2
/// times, over these maps, types and weights): errors of many keys and values average out, and layers add theirs. F32: what sums
/// in another order may do.
double unitOf(DType type)
{
    return type == DType::F16 ? 0x1p-11 : type == DType::BF16 ? 0x1p-8 : type == DType::F8 ? 0x1p-4 : 0x1p-16;
}
constexpr std::array narrow = {DType::F16, DType::BF16, DType::F8};

TEST_F(KvTypesTest, EveryTypeIsNearFloat32WhateverTheWeightsAre)
{
    for (const DType weights : {DType::F32, DType::BF16}) {
        write({.layers = 3, .headDim = 16, .dtype = weights});
        const auto exact = load(DType::F32);
        EXPECT_EQ(exact->config().dtype, weights);
        for (const HeadMap &map : maps(exact->model->shape())) {
            const std::vector<float> expected = run(exact, map);
            for (const DType type : narrow) {
                const double error = difference(run(load(type), map), expected);
                // Products with bf16 weights round activations to bf16 where the processor has units for it: what differs by a
                // hair before may differ by a unit behind.
                const double rounded = unitOf(type) + (weights == DType::BF16 ? unitOf(DType::BF16) : 0.0);
                EXPECT_LT(error, 2 * rounded) << nameOf(weights) << " weights, KV in " << nameOf(type);
                EXPECT_GT(error, unitOf(type) / 8) << nameOf(weights) << " weights, KV in " << nameOf(type) << ": has no effect";
            }
        }
        EXPECT_EQ(run(load({}), maps(exact->model->shape())[2]), run(load(weights), maps(exact->model->shape())[2]))
            << "the weights' own, where nobody asks";
    }
}

/// Sums in another order make other last bits of a key, and now and then the next number of its type: chunks differ by some of
/// these (measured: up to 0.1 units), and not by as much as the type itself does.
TEST_F(KvTypesTest, ChunksMakeNoDifferenceBeyondRounding)
{
    write({.layers = 3, .headDim = 16});
    for (const DType type : kvTypes) {
        const auto device = load(type);
        for (const HeadMap &map : maps(device->model->shape())) {
            const std::vector<float> whole = run(device, map);
            for (const std::int64_t chunk : {1, 7, 64})
                EXPECT_LT(difference(run(device, map, chunk), whole), unitOf(type) / 2) << nameOf(type) << ' ' << chunk;
        }
    }
}

TEST_F(KvTypesTest, SingleLayersAndBatchesStoreTheSame)
{
    write({.layers = 3, .headDim = 16});
    for (const DType type : kvTypes) {
        const auto device = load(type);
        const HeadMap map = maps(device->model->shape())[2];
        auto pass = *LayerPass::create(device, 90, false);
        auto states = *pass->states();
        ASSERT_TRUE(pass->embed(tokens(90), *states));
        for (int layer = 0; layer < map.layers(); ++layer)
            pass->run(layer, map.patterns(layer), 90, *states, *states);
        std::vector<std::int64_t> rows(90);
        std::iota(rows.begin(), rows.end(), 0);
        EXPECT_LE(difference(*pass->logits(rows, *states), run(device, map)), unitOf(type) / 2) << nameOf(type);

        auto together = *Session::create(device, map, {.maxContext = context, .chunk = 32, .batch = 2});
        auto alone = *Session::create(device, map, {.maxContext = context, .chunk = 32});
        const std::vector<int> ids = tokens(60);
        ASSERT_TRUE(together->run(std::span(ids).first(7), Session::Logits::None, 0));
        ASSERT_TRUE(together->run(ids, Session::Logits::None, 1));
        ASSERT_TRUE(alone->run(ids, Session::Logits::None));
        const std::vector<int> next = {5, 9};
        const auto both = together->step(next), one = alone->step(std::span(next).subspan(1));
        ASSERT_TRUE(both && one);
        EXPECT_LE(difference({both->begin() + std::ssize(*one), both->end()}, *one), unitOf(type) / 2) << nameOf(type);
    }
}

TEST_F(KvTypesTest, AllocatedBytesAreTheComputedOnes)
{
    write({.layers = 3, .headDim = 16, .dtype = DType::BF16});
    for (const DType type : kvTypes) {
        const auto device = load(type);
        EXPECT_EQ(device->config().kvBytesPerToken(), 2 * 3 * 2 * 16 * bytesOf(type));
        for (const HeadMap &map : maps(device->model->shape()))
            for (const std::int64_t length : {1, 7, 21, 300}) {
                const auto session = *Session::create(device, map, {.maxContext = length});
                EXPECT_EQ(session->kvBytesAllocated(), kvBytes(map, length, type)) << nameOf(type);
                EXPECT_EQ(session->kvBytesAllocated() * 4, kvBytes(map, length, DType::F32) * bytesOf(type));
            }
        auto session = *Session::create(device, maps(device->model->shape())[0], {.maxContext = 64});
        session->pretend(60, 3); // as a bench does
        EXPECT_TRUE(session->run(tokens(3))) << nameOf(type);
    }
}

/// Gates are trained in float32, whatever sessions keep.
TEST_F(KvTypesTest, GradientsKeepFloat32)
{
    write({});
    const auto inF8 = load(DType::F8), inF32 = load(DType::F32);
    for (const bool gradients : {false, true})
        EXPECT_EQ(LayerPass::bytesNeeded(*inF8->backend, inF8->config(), 64, gradients)
                      == LayerPass::bytesNeeded(*inF32->backend, inF32->config(), 64, gradients),
                  gradients);
    const auto gated = [](const std::shared_ptr<DeviceModel> &device) {
        auto pass = *LayerPass::create(device, 40, true);
        auto states = *pass->states();
        EXPECT_TRUE(pass->embed(tokens(40), *states));
        const std::vector<float> gates(2, 0.5f);
        for (int layer = 0; layer < 2; ++layer)
            pass->runGated(layer, gates, HeadPattern::streaming(2, 8), 40, *states, *states);
        const std::int64_t last = 39;
        return *pass->lastStates({&last, 1}, *states);
    };
    EXPECT_EQ(gated(inF8), gated(inF32));
}

/// Adds tensors of float32 numbers behind the others of model.safetensors.
void addTensors(const std::filesystem::path &file, const std::vector<std::pair<std::string, std::vector<float>>> &tensors)
{
    const std::string content = test::readText(file);
    std::uint64_t length = 0;
    std::memcpy(&length, content.data(), sizeof length);
    std::size_t end = content.size() - sizeof length - length;
    std::string data;
    test::editHeader(file, [&](test::Json &header) {
        for (const auto &[name, values] : tensors) {
            const std::size_t bytes = values.size() * sizeof(float);
            const test::Json shape = values.size() == 1 ? test::Json::array() : test::Json{values.size()};
            header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {end, end + bytes}}};
            end += bytes;
            data.append(reinterpret_cast<const char *>(values.data()), bytes);
        }
    });
    test::writeText(file, test::readText(file) + data);
}

const std::string layer0 = "model.layers.0.self_attn.", layer1 = "model.layers.1.self_attn.";

TEST_F(KvTypesTest, ScalesOfTheFilesMakeRoomInF8Alone)
{
    write({});
    const HeadMap map = maps(load({})->model->shape())[2];
    const std::vector<float> exact = run(load(DType::F32), map), unscaled = run(load(DType::F8), map);
    // Powers of two change no mantissa.
    addTensors(m_folder / "model.safetensors",
               {{layer0 + "k_scale", {0.125f}}, {layer0 + "v_scale", {0.25f}}, {layer1 + "k_proj.k_scale", {0.5f}}});
    const auto scaled = load(DType::F8);
    ASSERT_EQ(scaled->model->weights.kvScales.size(), 2u);
    EXPECT_EQ(scaled->layers[0].kvScales(DType::F8).key, 0.125f);
    EXPECT_EQ(scaled->layers[0].kvScales(DType::F8).value, 0.25f);
    EXPECT_EQ(scaled->layers[1].kvScales(DType::F8).key, 0.5f);
    EXPECT_EQ(scaled->layers[1].kvScales(DType::F8).value, 1.0f);
    EXPECT_EQ(scaled->layers[0].kvScales(DType::BF16).key, 1.0f);
    EXPECT_TRUE(scaled->config().notes.empty()) << scaled->config().notes.front();
    EXPECT_LT(difference(run(scaled, map), unscaled), unitOf(DType::F8)) << "but for subnormal numbers the same";
    EXPECT_LT(difference(run(scaled, map), exact), 2 * unitOf(DType::F8));
    EXPECT_EQ(run(load(DType::F32), map), exact);

    addTensors(m_folder / "model.safetensors", {{layer1 + "v_scale", {1e-4f}}}); // values of this layer are cut off at 0.0448
    EXPECT_GT(difference(run(load(DType::F8), map), unscaled), 0x1p-4);
}

TEST_F(KvTypesTest, AScaleThatIsNoneIsRefused)
{
    for (const std::vector<float> &scale : {std::vector<float>{0}, {-1}, {NAN}, {INFINITY}, {1, 1}}) {
        write({});
        addTensors(m_folder / "model.safetensors", {{layer1 + "v_scale", scale}});
        const auto refused = loadModel(m_folder.path().string());
        ASSERT_FALSE(refused) << scale[0];
        EXPECT_EQ(refused.error().kind, ErrorKind::BadInput);
        EXPECT_NE(refused.error().message.find(layer1 + "v_scale"), std::string::npos) << refused.error().message;
        EXPECT_EQ(refused.error().message.find('\n'), std::string::npos);
    }
}

} // namespace
} // namespace zigzag
