// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/kv_layout.h"
#include "engine/map/run_alike.h"
#include "samples.h"
#include "views/models/csv.h"
#include "views/models/plotted_maps.h"

#include <gtest/gtest.h>

namespace zigzag::test {

namespace {

ModelConfig configOf(const ModelShape &shape)
{
    ModelConfig config;
    config.name = shape.name;
    config.layers = shape.layers;
    config.queryHeads = shape.queryHeads;
    config.kvHeads = shape.kvHeads;
    config.headDim = shape.headDim;
    config.maxContext = 1024;
    config.dtype = config.kvType = DType::BF16;
    return config;
}

BenchRecord record(const char *map, Phase phase, std::int64_t context, double ms)
{
    BenchRecord made;
    made.map = map;
    made.phase = phase;
    made.context = context;
    made.samplesMs = {ms};
    made.medianMs = ms;
    made.spreadMs = ms / 10;
    return made;
}

} // namespace

TEST(PlottedMaps, VariantsHaveCurvesAndMeasurementsOfTheirOwn)
{
    PlottedMaps plotted;
    plotted.setModel(shapeOf(4, 2), configOf(shapeOf(4, 2)));
    HeadMap one = fullMap(4, 2), two = fullMap(4, 2);
    one.setLayer(1, HeadKind::Streaming);
    two.setLayer(2, HeadKind::Streaming);
    two.setLayer(3, HeadKind::Streaming);
    plotted.setMaps(fullMap(4, 2), nullptr, 0.5);
    EXPECT_EQ(plotted.variantCount(), 0u);
    plotted.setVariants({{"one", one}, {"two, of <all>", two}});
    ASSERT_EQ(plotted.variantCount(), 2u);
    const std::vector<double> &curve = plotted.predictedOfVariant(1, Quantity::Kv);
    ASSERT_EQ(curve.size(), plotted.contexts().size());
    for (std::size_t index = 0; index < curve.size(); ++index)
        EXPECT_EQ(static_cast<std::int64_t>(curve[index]), kvBytes(two, plotted.contexts()[index], DType::BF16));
    plotted.measurements().addRecords({{"b", two}}, {record("b", Phase::Decode, 512, 3)});
    EXPECT_TRUE(plotted.measured(plotted.variantMap(0), Quantity::Tpot).empty());
    ASSERT_EQ(plotted.measured(plotted.variantMap(1), Quantity::Tpot).size(), 1u);
    EXPECT_TRUE(csvOf(plotted, Quantity::Tpot).contains("\"variant: two, of <all>\",512,measured,3,"))
        << csvOf(plotted, Quantity::Tpot).toStdString();
    plotted.setVariants({{"two", two}}); // the first is gone: the curve follows its map
    ASSERT_EQ(plotted.variantCount(), 1u);
    EXPECT_EQ(plotted.variantName(0), "two");
    EXPECT_EQ(static_cast<std::int64_t>(plotted.predictedOfVariant(0, Quantity::Kv).back()),
              kvBytes(two, plotted.contexts().back(), DType::BF16));
    plotted.setVariants(std::vector<PlottedMaps::Variant>(40, {"many", two}));
    EXPECT_EQ(plotted.variantCount(), PlottedMaps::mostVariants);
    plotted.setModel(shapeOf(4, 2), {});
    EXPECT_EQ(plotted.variantCount(), 0u);
}

TEST(PlottedMaps, KvCurvesAreTheLayoutsOwnBytes)
{
    PlottedMaps plotted;
    plotted.setModel(shapeOf(4, 2), configOf(shapeOf(4, 2)));
    HeadMap map = fullMap(4, 2);
    map.setLayer(1, HeadKind::Streaming);
    plotted.setMaps(map, nullptr, 0.5);
    ASSERT_EQ(plotted.contexts().back(), 1024);
    const std::vector<double> &curve = plotted.predicted(Series::Current, Quantity::Kv);
    ASSERT_EQ(curve.size(), plotted.contexts().size());
    for (std::size_t index = 0; index < curve.size(); ++index)
        EXPECT_EQ(static_cast<std::int64_t>(curve[index]), kvBytes(map, plotted.contexts()[index], DType::BF16));
    EXPECT_TRUE(plotted.predicted(Series::Current, Quantity::Ttft).empty()) << "nothing is predicted before calibration";
    EXPECT_EQ(plotted.compare(Quantity::Tpot, 1024).current.source, Figure::Source::Unknown);
    double layers = 0;
    for (int layer = 0; layer < 4; ++layer)
        layers += plotted.layerKv(map, layer, 1024);
    EXPECT_DOUBLE_EQ(layers, plotted.kv(map, 1024));
}

TEST(PlottedMaps, WithoutAHeadDimensionItCountsKeys)
{
    PlottedMaps plotted;
    const ModelShape shape = shapeOf(2, 2, 0);
    plotted.setModel(shape, {});
    HeadMap map(shape, HeadKind::Retrieval, 4, 60);
    map.set(0, 0, HeadKind::Streaming);
    plotted.setMaps(map, nullptr, 0.5);
    EXPECT_FALSE(plotted.hasBytes());
    EXPECT_EQ(plotted.contexts().back(), 1 << 20);
    EXPECT_DOUBLE_EQ(plotted.kv(map, 1024), 3 * 1024 + 64);
}

TEST(PlottedMaps, ReferenceSeriesComeFromTheScoresAtTheirSparsity)
{
    PlottedMaps plotted;
    plotted.setModel(shapeOf(4, 2), {});
    plotted.setMaps(fullMap(4, 2), nullptr, 0.25);
    EXPECT_EQ(plotted.map(Series::Zigzag), nullptr);
    plotted.setMaps(fullMap(4, 2), risingScores(4, 2), 0.25);
    ASSERT_NE(plotted.map(Series::Zigzag), nullptr);
    EXPECT_EQ(plotted.map(Series::Zigzag)->layerKind(0), LayerKind::Streaming);
    EXPECT_EQ(plotted.map(Series::Zigzag)->streamingHeads(), 2);
    EXPECT_EQ(plotted.map(Series::Duo)->streamingHeads(), 2);
    HeadMap narrower = fullMap(4, 2);
    narrower.setWindow(4, 28);
    plotted.setMaps(narrower, risingScores(4, 2), 0.75);
    EXPECT_EQ(plotted.map(Series::Zigzag)->streamingHeads(), 6);
    EXPECT_EQ(plotted.map(Series::Zigzag)->oneWindow()->recent, 28);
}

TEST(PlottedMaps, AMeasurementBelongsToTheMapThatItWasMadeWith)
{
    PlottedMaps plotted;
    plotted.setModel(shapeOf(4, 2), {});
    const HeadMap full = fullMap(4, 2);
    HeadMap edited = full;
    edited.setLayer(2, HeadKind::Streaming);
    plotted.setMaps(edited, nullptr, 0.5);
    plotted.measurements().addRecords({{"full", full}, {"this map", edited}},
                                      {record("full", Phase::Decode, 512, 10), record("this map", Phase::Decode, 512, 8)});
    EXPECT_EQ(plotted.measured(Series::Current, Quantity::Tpot), (std::vector<PlottedMaps::Point>{{512, 8, 0.8}}));
    const Comparison tpot = plotted.compare(Quantity::Tpot, 512);
    EXPECT_EQ(tpot.current.source, Figure::Source::Measured);
    EXPECT_DOUBLE_EQ(tpot.current.value, 8);
    EXPECT_DOUBLE_EQ(tpot.full.value, 10);

    HeadMap other = edited;
    other.set(0, 0, HeadKind::Streaming);
    plotted.setMaps(other, nullptr, 0.5);
    EXPECT_TRUE(plotted.measured(Series::Current, Quantity::Tpot).empty()) << "an edited map was not measured";
    EXPECT_EQ(plotted.measured(Series::Full, Quantity::Tpot).size(), 1u);
    plotted.setMaps(edited, nullptr, 0.5);
    EXPECT_EQ(plotted.measured(Series::Current, Quantity::Tpot).size(), 1u) << "an undo brings its result back";

    plotted.measurements().addRecords({{"this map", edited}}, {record("this map", Phase::Decode, 512, 7)});
    EXPECT_EQ(plotted.measured(Series::Current, Quantity::Tpot), (std::vector<PlottedMaps::Point>{{512, 7, 0.7}}));
    BenchRecord without = record("this map", Phase::Decode, 1024, 7);
    without.failure = "out of memory";
    plotted.measurements().addRecords({{"this map", edited}}, {without});
    EXPECT_EQ(plotted.measured(Series::Current, Quantity::Tpot).size(), 1u) << "a failure is no point";
}

TEST(PlottedMaps, PredictionsAreNotHeldAgainstDisturbedMeasurements)
{
    PlottedMaps plotted;
    const ModelConfig config = configOf(shapeOf(4, 2));
    plotted.setModel(shapeOf(4, 2), config);
    const HeadMap full = fullMap(4, 2);
    plotted.setMaps(full, nullptr, 0.5);
    // Passes of 4 ms, and nothing known of their ops: every prediction is 4 ms.
    ModelSamples samples;
    samples.config = config;
    samples.layers = config.layers;
    const PassPoint point{.phase = Phase::Decode, .pass = {.tokens = 1, .firstPosition = 511, .batch = 1}};
    samples.ops.push_back({point, Op::Logits, 4000});
    samples.passes.push_back({point, 4});
    plotted.setCost(CostModel({{}, {samples}}, config));
    ASSERT_TRUE(plotted.hasTimes());
    EXPECT_FALSE(plotted.predictionError(Quantity::Tpot)) << "nothing was measured";
    EXPECT_FALSE(plotted.isOnlyDisturbed(Quantity::Tpot));

    BenchRecord slowed = record("full", Phase::Decode, 512, 8);
    slowed.disturbed = 1;
    plotted.measurements().addRecords({{"full", full}}, {slowed});
    EXPECT_FALSE(plotted.predictionError(Quantity::Tpot));
    EXPECT_TRUE(plotted.isOnlyDisturbed(Quantity::Tpot));
    EXPECT_EQ(plotted.compare(Quantity::Tpot, 512).full.source, Figure::Source::Disturbed);
    EXPECT_TRUE(csvOf(plotted, Quantity::Tpot).contains("full,512,measured (disturbed),8,"));

    plotted.measurements().addRecords({{"full", full}}, {record("full", Phase::Decode, 1024, 5)});
    EXPECT_NEAR(plotted.predictionError(Quantity::Tpot).value(), 0.2, 1e-9) << "of the one point that counts";
    EXPECT_FALSE(plotted.isOnlyDisturbed(Quantity::Tpot));
}

/// Two sequences at once take longer than one: the one is no newer measurement of the other.
TEST(PlottedMaps, PredictionsOfADisturbedCalibrationSaySo)
{
    PlottedMaps plotted;
    const ModelConfig config = configOf(shapeOf(4, 2));
    plotted.setModel(shapeOf(4, 2), config);
    plotted.setMaps(fullMap(4, 2), nullptr, 0.5);
    EXPECT_FALSE(plotted.isUnreliable()) << "there are no predictions";
    ModelSamples samples;
    samples.config = config;
    samples.layers = config.layers;
    for (const std::int64_t context : {128, 256, 512}) {
        const PassPoint point{.phase = Phase::Decode, .pass = {.tokens = 1, .firstPosition = context - 1, .batch = 1}};
        samples.ops.push_back({point, Op::Logits, 4000});
        samples.passes.push_back({point, context == 128 ? 1.0 : context == 256 ? 4.0 : 40.0});
    }
    plotted.setCost(CostModel({{}, {samples}}, config));
    ASSERT_TRUE(plotted.hasTimes());
    EXPECT_TRUE(plotted.isUnreliable());
    EXPECT_EQ(plotted.compare(Quantity::Tpot, 512).current.source, Figure::Source::Unreliable);
    EXPECT_TRUE(csvOf(plotted, Quantity::Tpot).contains("full,512,predicted (disturbed calibration),"));
    EXPECT_FALSE(csvOf(plotted, Quantity::Kv).contains("disturbed")) << "bytes are computed";
}

TEST(PlottedMaps, AMeasurementBelongsToItsBatch)
{
    PlottedMaps plotted;
    plotted.setModel(shapeOf(4, 2), {});
    const HeadMap full = fullMap(4, 2);
    plotted.setMaps(full, nullptr, 0.5);
    BenchRecord two = record("full", Phase::Decode, 512, 15);
    two.batch = 2;
    plotted.measurements().addRecords({{"full", full}}, {record("full", Phase::Decode, 512, 10), two});
    EXPECT_EQ(plotted.measured(Series::Full, Quantity::Tpot), (std::vector<PlottedMaps::Point>{{512, 10, 1}}))
        << "plots speak of one";
    EXPECT_DOUBLE_EQ(plotted.compare(Quantity::Tpot, 512).full.value, 10);
    plotted.measurements().addRecords({{"full", full}}, {two});
    EXPECT_DOUBLE_EQ(plotted.compare(Quantity::Tpot, 512).full.value, 10);
}

TEST(PlottedMaps, MapsThatRunAlikeAreOne)
{
    HeadMap full = fullMap(2, 2), otherWindow = fullMap(2, 2, 8, 8);
    EXPECT_TRUE(runAlike(full, otherWindow)) << "no head streams";
    full.set(0, 1, HeadKind::Streaming);
    otherWindow.set(0, 1, HeadKind::Streaming);
    EXPECT_FALSE(runAlike(full, otherWindow));
    otherWindow.setWindow(full.oneWindow()->sink, full.oneWindow()->recent - 1);
    EXPECT_FALSE(runAlike(full, otherWindow)) << "recent alone";
    otherWindow.setWindow(full.oneWindow()->sink + 1, full.oneWindow()->recent);
    EXPECT_FALSE(runAlike(full, otherWindow)) << "sink alone";
    otherWindow.setWindow(full.oneWindow()->sink, full.oneWindow()->recent);
    otherWindow.setProvenance({"zigzag", "", 0.25, ""});
    EXPECT_TRUE(runAlike(full, otherWindow));
    EXPECT_FALSE(runAlike(full, fullMap(2, 3)));
}

TEST(PlottedMaps, NeedleResultsFollowTheMap)
{
    PlottedMaps plotted;
    plotted.setModel(shapeOf(2, 2), {});
    HeadMap map = fullMap(2, 2);
    map.setLayer(0, HeadKind::Streaming);
    plotted.setMaps(map, nullptr, 0.5);
    NeedleResult result;
    result.accuracy = 0.75;
    plotted.measurements().addNeedle(map, result);
    EXPECT_EQ(plotted.compareNeedle().current.source, Figure::Source::Measured);
    EXPECT_EQ(plotted.compareNeedle().full.source, Figure::Source::Unknown);
    plotted.setMaps(fullMap(2, 2), nullptr, 0.5);
    EXPECT_EQ(plotted.compareNeedle().current.source, Figure::Source::Unknown);
}

TEST(PlottedMaps, ContextsArePowersOfTwoUpToTheModels)
{
    EXPECT_EQ(plottedContexts(2048).back(), 2048);
    EXPECT_EQ(plottedContexts(131072).back(), 131072);
    EXPECT_LE(plottedContexts(1 << 20).size(), 8u);
    EXPECT_GE(plottedContexts(512).size(), 3u);
    EXPECT_EQ(plottedContexts(40960).back(), 32768);
    EXPECT_EQ(plottedContexts(1), (std::vector<std::int64_t>{1}));
    EXPECT_EQ(plottedContexts(1000), (std::vector<std::int64_t>{64, 128, 256, 512}));
    EXPECT_EQ(plottedContexts(131072), (std::vector<std::int64_t>{1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072}));
    EXPECT_EQ(plottedContexts(40), (std::vector<std::int64_t>{32})) << "the model's longest is no power of two";
}

} // namespace zigzag::test
