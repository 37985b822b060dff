// SPDX-License-Identifier: GPL-3.0-or-later
// The fit of stand-ins: its gradient against central differences, and that it lessens what it is to lessen.
#include "profiler/carry/carry_quality.h"
#include "profiler/carry/next_token.h"
#include "profiler/carry/sink_fit.h"
#include "profiler/jobs/carry_job.h"
#include "tests/profiler/loaded_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace zigzag {
namespace {

class SinkFitTest : public test::LoadedModel
{
protected:
    void SetUp() override
    {
        load({.layers = 3});
        m_map = map(HeadKind::Retrieval, 3, 12);
        m_map.setLayer(1, HeadKind::Streaming);
        m_map.setLayer(2, HeadKind::Streaming);
        m_map.set(0, 1, HeadKind::Streaming); // a mixed layer, which is full there
        for (int text = 0; text < 3; ++text)
            m_texts.push_back(textOf(text));
    }

    static std::vector<int> textOf(int seed)
    {
        std::mt19937 random(static_cast<unsigned>(seed));
        std::vector<int> text;
        text.reserve(48);
        for (int i = 0; i < 48; ++i)
            text.push_back(static_cast<int>(random() % 250));
        return text;
    }

    SinkFitting fitting(const FitPlan &plan)
    {
        auto carrier = calibrateSinks(device, m_map, m_texts);
        EXPECT_TRUE(carrier) << carrier.error().message;
        auto fit = SinkFitting::create(device, m_map, *carrier, m_texts, plan);
        EXPECT_TRUE(fit) << fit.error().message;
        return std::move(*fit);
    }

    HeadMap m_map;
    std::vector<std::vector<int>> m_texts;
};

TEST_F(SinkFitTest, TheGradientAgreesWithCentralDifferences)
{
    SinkFitting fit = fitting({});
    // Two layers: four sink logits, 32 numbers of heads, 32 of queries, 16 of keys and 16 of values.
    ASSERT_EQ(fit.parameters(), 2u * (4 + 32 + 32 + 16 + 16));
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal(0, 0.05);
    std::vector<double> parameters(fit.parameters());
    for (double &value : parameters)
        value = normal(random);
    std::vector<double> gradient, ignored;
    ASSERT_TRUE(fit.lossAndGradient(0, 0, parameters, gradient));
    // Along random directions, so that one difference tells of every parameter of a kind.
    const std::size_t layer = fit.parameters() / 2;
    for (const auto &[begin, count] : {std::pair<std::size_t, std::size_t>(0, 4),
                                       {4, 32},
                                       {36, 32},
                                       {68, 16},
                                       {84, 16},
                                       {layer, 4},
                                       {layer + 4, 32},
                                       {layer + 36, 32},
                                       {layer + 68, 16},
                                       {layer + 84, 16}}) {
        std::vector<double> direction(fit.parameters());
        double slope = 0;
        for (std::size_t i = begin; i < begin + count; ++i) {
            direction[i] = gradient[i]; // the steepest, so that rounding is little beside it
            slope += gradient[i] * gradient[i];
        }
        ASSERT_GT(slope, 0) << begin;
        const double length = std::sqrt(slope), step = 0.1;
        const auto lossAt = [&](double way) {
            std::vector<double> moved = parameters;
            for (std::size_t i = 0; i < moved.size(); ++i)
                moved[i] += way * direction[i] / length;
            return *fit.lossAndGradient(0, 0, moved, ignored);
        };
        const double difference = (lossAt(step) - lossAt(-step)) / (2 * step);
        EXPECT_NEAR(difference, length, 0.02 * length) << "parameters from " << begin;
    }
}

TEST_F(SinkFitTest, ItLessensTheDivergence)
{
    FitPlan plan{.steps = 42}; // fourteen times each text
    plan.headRate = plan.biasRate = 0.01;
    SinkFitting fit = fitting(plan);
    double told = 0;
    const auto carrier = fit.run(nullptr, [&](double share) {
        EXPECT_GE(share, told);
        told = share;
    });
    ASSERT_TRUE(carrier) << carrier.error().message;
    EXPECT_LE(told, 1);
    EXPECT_GT(told, 0.9);
    ASSERT_EQ(fit.losses().size(), 42u);
    const auto mean = [&](auto begin) { return std::accumulate(begin, begin + 6, 0.0); };
    EXPECT_LT(mean(fit.losses().end() - 6), 0.95 * mean(fit.losses().begin()));
    EXPECT_EQ(carrier->layers[1].queryBias.size(), 32u);
    EXPECT_TRUE(carrier->layers[0].sinkLogits.empty());
    const auto again = fitting(plan).run();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->layers[1].sinkLogits, carrier->layers[1].sinkLogits) << "seeds are fixed";
    EXPECT_EQ(again->layers[2].outputBias, carrier->layers[2].outputBias);
}

TEST_F(SinkFitTest, BothSidesOfTheWindowComeNearerToFullAttention)
{
    FitPlan plan{.steps = 60};
    plan.headRate = plan.biasRate = 0.01;
    const auto before = calibrateSinks(device, m_map, m_texts);
    ASSERT_TRUE(before) << before.error().message;
    const auto after = fitting(plan).run();
    ASSERT_TRUE(after) << after.error().message;
    std::vector<std::shared_ptr<DeviceModel>> ways;
    for (const SinkCarrier *carrier : {&*before, &*after}) {
        const auto way = uploadModel(*carriedModel(*model, m_map, *carrier), backend);
        ASSERT_TRUE(way) << way.error().message;
        ways.push_back(*way);
    }
    const auto measured = measureCarried(device, m_map, ways, m_texts);
    ASSERT_TRUE(measured) << measured.error().message;
    EXPECT_LT(measured->back().inside.kl, 0.95 * measured->front().inside.kl);
    EXPECT_LT(measured->back().beyond.kl, 0.95 * measured->front().beyond.kl);
}

TEST_F(SinkFitTest, NoStepIsLargeBesideWhatItsValuesAreAddedTo)
{
    FitPlan plan{.steps = 1};
    plan.logitRate = 0.5;
    plan.rateScale = 0.5;
    plan.headRate = plan.biasRate = 1e6; // whatever is asked
    plan.largestShare = 0.02;
    const auto before = calibrateSinks(device, m_map, m_texts);
    ASSERT_TRUE(before) << before.error().message;
    const auto after = fitting(plan).run();
    ASSERT_TRUE(after) << after.error().message;

    // The sizes by hand: the first piece through a pass of the calibrated model.
    const auto carried = uploadModel(*carriedModel(*model, m_map, *before), backend);
    ASSERT_TRUE(carried) << carried.error().message;
    const auto pass = LayerPass::create(*carried, 48, true);
    ASSERT_TRUE(pass) << pass.error().message;
    const auto states = (*pass)->states();
    ASSERT_TRUE(states);
    ASSERT_TRUE((*pass)->embed(m_texts.front(), **states));
    const HeadMap full((*carried)->model->shape(), HeadKind::Retrieval, 0, 1);
    for (int layer = 0; layer < 3; ++layer) {
        (*pass)->run(layer, full.patterns(layer), 48, **states, **states);
        if (layer == 0)
            continue;
        const auto sizes = (*pass)->standInSizes(48);
        ASSERT_TRUE(sizes) << sizes.error().message;
        // Adam's first step is its rate, whatever the gradient; one step is in the middle of its schedule, where that is 1.
        const LayerCarrier &fitted = after->layers[static_cast<std::size_t>(layer)];
        for (const auto &[values, size] :
             {std::pair(&fitted.queryBias, sizes->queries), {&fitted.keyBias, sizes->keys}, {&fitted.valueBias, sizes->values}}) {
            ASSERT_GT(size, 0);
            for (const float value : *values)
                EXPECT_LE(std::abs(value), 0.0101 * size) << layer;
            EXPECT_NEAR(std::abs(*std::max_element(values->begin(), values->end())), 0.01 * size, 0.001 * size) << layer;
        }
        const auto &was = before->layers[static_cast<std::size_t>(layer)].sinkLogits;
        for (std::size_t head = 0; head < was.size(); ++head)
            EXPECT_NEAR(std::abs(fitted.sinkLogits[head] - was[head]), 0.25, 0.01) << layer;
    }
}

TEST(NextTokenTest, TheLossThatComesWithItsGradientIsTheDivergence)
{
    std::mt19937 random(3);
    std::normal_distribution<float> normal(0, 3);
    std::vector<float> full(3 * 40), other(full.size());
    for (std::vector<float> *each : {&full, &other})
        for (float &value : *each)
            value = normal(random);
    const std::vector<double> weights{0.5, 0.3, 0.2};
    const auto rows = compareNextTokens(full, other, 40);
    double expected = 0;
    for (std::size_t row = 0; row < weights.size(); ++row)
        expected += weights[row] * rows[row].kl;
    ASSERT_GT(expected, 0.1);
    EXPECT_NEAR(divergenceGradient(full, other, weights), expected, 1e-6 * expected);
}

TEST_F(SinkFitTest, WithinTheWindowAMapIsFullAttentionAndStandInsAreNot)
{
    const jobs::CarryPlan plan{.texts = {m_texts, m_texts, {textOf(9)}}, .fit = FitPlan{.steps = 2}};
    KnownMachine machine;
    std::vector<std::string> parts;
    const JobContext context{device, &machine, nullptr, [&](const JobStep &step) {
                                 if (parts.empty() || parts.back() != step.subject)
                                     parts.emplace_back(step.subject);
                             }};
    const auto carried = jobs::carry(context, m_map, plan);
    ASSERT_TRUE(carried) << carried.error().message;
    EXPECT_EQ(parts, (std::vector<std::string>{"calibration", "fit", "measurement"}));
    EXPECT_EQ(carried->steps, 2);
    const CarryQuality &quality = carried->calibrated;
    EXPECT_EQ(quality.inside.positions, 12 - 8);
    EXPECT_EQ(quality.beyond.positions, 47 - 15);
    EXPECT_EQ(quality.sinksKept.positions, 47 - 15);
    EXPECT_GT(quality.inside.kl, 0);
    EXPECT_LT(quality.sinksKept.kl, quality.windowAlone.kl);
    const auto weighed = [](const CarryQuality &of) { return of.inside.kl + of.beyond.kl; };
    EXPECT_EQ(carried->isFitted, weighed(*carried->fitted) < weighed(quality));

    // Stand-ins that take no weight and add nothing are the window alone.
    SinkCarrier none = blankCarrier(model->config, m_map);
    for (LayerCarrier &layer : none.layers)
        std::fill(layer.sinkLogits.begin(), layer.sinkLogits.end(), noSink);
    const auto alone = uploadModel(*carriedModel(*model, m_map, none), backend);
    ASSERT_TRUE(alone);
    const auto measured = measureCarried(device, m_map, {&*alone, 1}, plan.texts.heldOut);
    ASSERT_TRUE(measured) << measured.error().message;
    EXPECT_LT(measured->front().inside.kl, 1e-9);
    EXPECT_EQ(measured->front().inside.sameTop, 1);
    EXPECT_NEAR(measured->front().beyond.kl, measured->front().windowAlone.kl, 1e-5);
}

TEST_F(SinkFitTest, WhatCannotBeFittedIsSaid)
{
    const auto carrier = calibrateSinks(device, m_map, m_texts);
    ASSERT_TRUE(carrier);
    const std::vector<std::vector<int>> tooShort{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}};
    const auto refused = SinkFitting::create(device, m_map, *carrier, tooShort, {});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("window of 12"), std::string::npos);
    const std::atomic<bool> stop{true};
    const auto stopped = fitting({}).run(&stop);
    ASSERT_FALSE(stopped);
    EXPECT_TRUE(isCancelled(stopped.error()));
}

} // namespace
} // namespace zigzag
