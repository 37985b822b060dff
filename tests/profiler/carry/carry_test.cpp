// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/carry/granite_swa_folder.h"

#include "engine/run/session.h"
#include "tests/tiny_model.h"

#include <gtest/gtest.h>
#include <random>

namespace zigzag {
namespace {

namespace fs = std::filesystem;

/// A small random model in a folder, a map of it whose second layer streams, and a text.
class CarryTest : public testing::Test
{
protected:
    void SetUp() override
    {
        test::writeTinyModel(m_source, {.layers = 3});
        open();
        std::mt19937 random(3);
        for (int i = 0; i < 200; ++i)
            m_text.push_back(static_cast<int>(random() % 250));
    }

    void open()
    {
        auto model = loadModel(m_source.string());
        ASSERT_TRUE(model) << model.error().message;
        m_model = *model;
        m_device = onDevice(m_model);
        m_map = HeadMap(m_model->shape(), HeadKind::Retrieval, 4, 24);
        m_map.setLayer(1, HeadKind::Streaming);
    }

    static std::shared_ptr<DeviceModel> onDevice(const std::shared_ptr<const Model> &model)
    {
        auto backend = createBackend("cpu");
        return *uploadModel(model, std::move(*backend));
    }

    std::vector<float> logits(const std::shared_ptr<DeviceModel> &device, HeadMap map) const
    {
        map.setModel(device->model->shape());
        auto session = Session::create(device, map, {.maxContext = 256});
        EXPECT_TRUE(session) << session.error().message;
        return *(*session)->run(m_text, Session::Logits::All);
    }

    SinkCarrier carrier() const
    {
        auto calibrated = calibrateSinks(m_device, m_map, std::vector<std::vector<int>>{m_text});
        EXPECT_TRUE(calibrated) << calibrated.error().message;
        return calibrated.value_or(SinkCarrier());
    }

    ExportModel exported() const { return *loadExportModel(m_source.string()); }
    HeadMap full() const { return m_map.withEvery(HeadKind::Retrieval); }

    test::TempFolder m_folder;
    fs::path m_source = m_folder.path() / "model";
    std::shared_ptr<const Model> m_model;
    std::shared_ptr<DeviceModel> m_device;
    HeadMap m_map;
    std::vector<int> m_text;
};

double distance(const std::vector<float> &a, const std::vector<float> &b, std::size_t from)
{
    double sum = 0;
    for (std::size_t i = from; i < a.size(); ++i)
        sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
    return sum;
}

TEST_F(CarryTest, WhatIsCarriedIsNearerToTheSinksThanTheWindowAlone)
{
    const SinkCarrier carried = carrier();
    ASSERT_EQ(carried.layers.size(), 3u);
    EXPECT_TRUE(carried.layers[0].sinkLogits.empty());
    EXPECT_EQ(carried.layers[1].sinkLogits.size(), 4u);
    EXPECT_EQ(carried.layers[1].outputBias.size(), 32u);
    EXPECT_EQ(carried.queries, 200 - 24);
    const auto model = carriedModel(*m_model, m_map, carried);
    ASSERT_TRUE(model) << model.error().message;
    const std::size_t beyond = static_cast<std::size_t>(28) * 258;
    const auto wanted = logits(m_device, m_map), got = logits(onDevice(*model), full());
    HeadMap alone = m_map;
    alone.setWindow(0, 24);
    EXPECT_LT(distance(wanted, got, beyond), 0.5 * distance(wanted, logits(m_device, alone), beyond));
    EXPECT_GT(distance(wanted, got, beyond), 0) << "it is not the map itself";
}

TEST_F(CarryTest, ASinkLogitIsTheMeanOverTheQueriesThatLostTheSinks)
{
    // With one sink and a window of all but the last query's reach, one score is left: that of the last query.
    m_map.setWindow(1, 199);
    const SinkCarrier one = carrier();
    EXPECT_EQ(one.queries, 1);
    m_map.setWindow(1, 198);
    const SinkCarrier two = carrier();
    EXPECT_EQ(two.queries, 2);
    EXPECT_NE(one.layers[1].sinkLogits, two.layers[1].sinkLogits);
}

TEST_F(CarryTest, TheFolderIsTheModelInMemory)
{
    const auto carried = carriedModel(*m_model, m_map, carrier());
    ASSERT_TRUE(carried);
    for (const WeightFiles files : {WeightFiles::Link, WeightFiles::Copy}) {
        const fs::path out = m_folder.path() / (files == WeightFiles::Link ? "linked" : "copied");
        const auto written = writeGraniteSwaFolder(exported(), **carried, out, files);
        ASSERT_TRUE(written) << written.error().message;
        EXPECT_EQ(fs::is_symlink(out / "model-weights.safetensors"), files == WeightFiles::Link);
        const auto read = loadModel(out.string());
        ASSERT_TRUE(read) << read.error().message;
        ASSERT_EQ((*read)->config.notes.size(), 1u);
        EXPECT_NE((*read)->config.notes.front().find("1 of 3 layers have a window of 24 tokens"), std::string::npos);
        EXPECT_EQ((*read)->config.fileWindows, (std::vector<std::int64_t>{0, 24, 0}));
        EXPECT_TRUE((*read)->config.is("granite_swa"));
        EXPECT_TRUE((*read)->tokenizer.has_value());
        EXPECT_EQ(logits(onDevice(*read), full()), logits(onDevice(*carried), full()));
        // No map changes what the file says of a layer.
        EXPECT_EQ(logits(onDevice(*read), m_map), logits(onDevice(*read), full()));
    }
}

TEST_F(CarryTest, WhatCannotBeCarriedIsSaid)
{
    const auto why = [&](const HeadMap &map) { return whyNotCarried(m_model->config, map); };
    EXPECT_EQ(why(m_map), "");
    EXPECT_NE(why(full()).find("no layer"), std::string::npos);
    HeadMap two = m_map;
    two.setLayer(2, HeadKind::Streaming);
    two.setLayerWindow(2, 4, 30);
    EXPECT_NE(why(two).find("24 and 30"), std::string::npos);
    const auto refusal = [&](auto change) {
        ModelConfig config = m_model->config;
        change(config);
        return whyNotCarried(config, m_map);
    };
    EXPECT_NE(refusal([](ModelConfig &c) { c.queryKeyNorm = true; }), "");
    EXPECT_NE(refusal([](ModelConfig &c) { c.experts = 4; }), "");
    EXPECT_NE(refusal([](ModelConfig &c) { c.outputBias = true; }), "");
    EXPECT_NE(graniteSwaVerdict(m_map, nullptr).refusal, "");
    const ExportModel model = exported();
    EXPECT_EQ(graniteSwaVerdict(m_map, &model).refusal, "");

    const auto tooShort = calibrateSinks(m_device, m_map, std::vector<std::vector<int>>{{1, 2, 3}});
    ASSERT_FALSE(tooShort);
    EXPECT_NE(tooShort.error().message.find("3 tokens"), std::string::npos);
    const std::atomic<bool> stop{true};
    const auto stopped = calibrateSinks(m_device, m_map, std::vector<std::vector<int>>{m_text}, &stop);
    ASSERT_FALSE(stopped);
    EXPECT_TRUE(isCancelled(stopped.error()));
}

TEST_F(CarryTest, AFolderThatHoldsAnotherModelIsLeftAlone)
{
    const auto carried = carriedModel(*m_model, m_map, carrier());
    ASSERT_TRUE(carried);
    EXPECT_FALSE(writeGraniteSwaFolder(exported(), **carried, m_source, WeightFiles::Copy));
    EXPECT_TRUE(loadModel(m_source.string()));
    ExportModel preset = exported();
    preset.name = "preset:tinyllama-1.1b";
    const fs::path out = m_folder.path() / "nothing";
    EXPECT_FALSE(writeGraniteSwaFolder(preset, **carried, out, WeightFiles::Copy));
    EXPECT_FALSE(fs::exists(out));
}

} // namespace
} // namespace zigzag
