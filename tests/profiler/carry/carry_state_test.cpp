// SPDX-License-Identifier: GPL-3.0-or-later
// Stand-ins that were stopped: what there is of them is kept, and goes on to the same values.
#include "engine/base/files.h"
#include "profiler/jobs/carry_state.h"
#include "tests/profiler/loaded_model.h"
#include "tests/temp_folder.h"

#include <random>

namespace zigzag {
namespace {

class CarryStateTest : public test::LoadedModel
{
protected:
    void SetUp() override
    {
        load({.layers = 3});
        m_map = map(HeadKind::Retrieval, 3, 12);
        m_map.setLayer(1, HeadKind::Streaming);
        m_map.setLayer(2, HeadKind::Streaming);
        std::mt19937 random(1);
        for (int text = 0; text < 5; ++text) {
            std::vector<int> &tokens = (text < 3 ? m_plan.texts.calibration : m_plan.texts.heldOut).emplace_back();
            for (int i = 0; i < 48; ++i)
                tokens.push_back(static_cast<int>(random() % 250));
        }
        m_plan.texts.fit = m_plan.texts.calibration;
        m_plan.fit = FitPlan{.steps = 4};
    }

    /// Stopped at the step with which `at` says so; empty: never.
    Result<jobs::Carried> carried(jobs::CarriedSoFar *soFar, const std::function<bool(const JobStep &)> &at = {})
    {
        std::atomic<bool> cancel{false};
        const JobContext context{device, &m_machine, &cancel, [&](const JobStep &step) { cancel = cancel || (at && at(step)); }};
        return jobs::carry(context, m_map, m_plan, soFar);
    }

    HeadMap m_map;
    jobs::CarryPlan m_plan;
    KnownMachine m_machine;
};

void expectSame(const SinkCarrier &a, const SinkCarrier &b)
{
    EXPECT_EQ(a.queries, b.queries);
    ASSERT_EQ(a.layers.size(), b.layers.size());
    for (std::size_t layer = 0; layer < a.layers.size(); ++layer) {
        EXPECT_EQ(a.layers[layer].sinkLogits, b.layers[layer].sinkLogits);
        EXPECT_EQ(a.layers[layer].outputBias, b.layers[layer].outputBias);
        EXPECT_EQ(a.layers[layer].queryBias, b.layers[layer].queryBias);
        EXPECT_EQ(a.layers[layer].keyBias, b.layers[layer].keyBias);
        EXPECT_EQ(a.layers[layer].valueBias, b.layers[layer].valueBias);
    }
}

TEST_F(CarryStateTest, WhatWasStoppedGoesOnToTheSameBits)
{
    const auto whole = carried(nullptr);
    ASSERT_TRUE(whole) << whole.error().message;
    jobs::CarriedSoFar soFar;
    int stops = 0;
    for (const auto &[subject, share] :
         {std::pair("calibration", 0.4), std::pair("calibration", 0.7), std::pair("fit", 0.6), std::pair("measurement", 0.6)}) {
        const auto stopped
            = carried(&soFar, [&](const JobStep &step) { return step.subject == subject && step.fraction >= share; });
        stops += !stopped && isCancelled(stopped.error());
        // Another program goes on from what was written down.
        const auto again = jobs::carryStateFrom(jobs::carryStateJson(soFar.state), device->config());
        ASSERT_TRUE(again) << again.error().message;
        soFar.state = *again;
        soFar.told = {};
    }
    EXPECT_EQ(stops, 4);
    EXPECT_EQ(soFar.state.calibration.scored, 3u);
    EXPECT_EQ(soFar.state.sums.texts, 1u) << "the first text was measured before it was stopped";
    std::vector<std::string> parts;
    const auto last = carried(&soFar, [&](const JobStep &step) {
        if (parts.empty() || parts.back() != step.subject)
            parts.emplace_back(step.subject);
        return false;
    });
    ASSERT_TRUE(last) << last.error().message;
    EXPECT_EQ(parts, std::vector<std::string>{"measurement"}) << "nothing is done twice";
    expectSame(last->carrier, whole->carrier);
    EXPECT_EQ(last->isFitted, whole->isFitted);
    EXPECT_EQ(last->steps, 4);
    EXPECT_EQ(last->calibrated.beyond.kl, whole->calibrated.beyond.kl);
    EXPECT_EQ(last->fitted->inside.kl, whole->fitted->inside.kl);
    EXPECT_EQ(last->calibrated.windowAlone.positions, whole->calibrated.windowAlone.positions);
}

TEST_F(CarryStateTest, AFitKeepsItsStepsAndACalibrationItsTexts)
{
    jobs::CarriedSoFar soFar;
    ASSERT_FALSE(carried(&soFar, [](const JobStep &step) { return step.subject == "calibration" && step.fraction >= 0.4; }));
    EXPECT_EQ(soFar.state.calibration.scored, 2u) << "two of three texts, of the first of two rounds";
    EXPECT_FALSE(soFar.state.calibrated);
    int told = 0;
    soFar.told = [&] { ++told; };
    ASSERT_FALSE(carried(&soFar, [&](const JobStep &) { return soFar.state.fit.losses.size() == 2; }));
    EXPECT_EQ(soFar.state.fit.losses.size(), 2u);
    EXPECT_EQ(told, 3) << "the calibration and two steps";
    EXPECT_TRUE(soFar.state.calibrated);
    EXPECT_FALSE(soFar.state.fitted);
}

TEST_F(CarryStateTest, AFileIsOfOneMapAndOnePlan)
{
    const test::TempFolder folder;
    const std::filesystem::path file = folder.path() / "it.progress";
    const JobContext context{device, &m_machine, nullptr, {}};
    {
        jobs::CarryFile kept(file, context, m_map, m_plan, Begin::GoOn);
        ASSERT_TRUE(jobs::carry(context, m_map, m_plan, &kept.soFar()));
        ASSERT_TRUE(kept.save());
    }
    const auto knows = [&](const HeadMap &map, const jobs::CarryPlan &plan, Begin begin) {
        return jobs::CarryFile(file, context, map, plan, begin).soFar().state.calibrated.has_value();
    };
    EXPECT_TRUE(knows(m_map, m_plan, Begin::GoOn));
    EXPECT_FALSE(knows(m_map, m_plan, Begin::Anew));
    HeadMap other = m_map;
    other.setLayer(1, HeadKind::Retrieval);
    EXPECT_FALSE(knows(other, m_plan, Begin::GoOn));
    jobs::CarryPlan longer = m_plan;
    longer.fit->steps = 5;
    EXPECT_FALSE(knows(m_map, longer, Begin::GoOn));
    longer = m_plan;
    longer.texts.calibration.front().back() ^= 1;
    EXPECT_FALSE(knows(m_map, longer, Begin::GoOn));
    const std::string text = *readTextFile(file);
    for (std::size_t length = 0; length < text.size(); length += text.size() / 40) { // what is damaged is begun anew
        ASSERT_TRUE(writeFileAtomically(file, text.substr(0, length)));
        EXPECT_FALSE(knows(m_map, m_plan, Begin::GoOn)) << length;
    }
}

TEST_F(CarryStateTest, AStateIsHostileUntilRead)
{
    jobs::CarriedSoFar soFar;
    ASSERT_TRUE(carried(&soFar));
    const std::string text = jobs::carryStateJson(soFar.state);
    ASSERT_TRUE(jobs::carryStateFrom(text, device->config()));
    const auto refuses = [&](const std::string &from, const std::string &to) {
        std::string changed = text;
        const std::size_t at = changed.find(from);
        ASSERT_NE(at, std::string::npos) << from;
        changed.replace(at, from.size(), to);
        EXPECT_FALSE(jobs::carryStateFrom(changed, device->config())) << to;
    };
    refuses("\"scores\":[[", "\"scores\":[[1,");
    refuses("\"scores_of\":3", "\"scores_of\":-3");
    refuses("\"parameters\":[", "\"parameters\":[0,");
    refuses("\"losses\":[", "\"losses\":[null,");
    refuses("\"sink_logits\":[", "\"sink_logits\":[0,");
    refuses("\"inside\":[[", "\"inside\":[[0],[");
    refuses("\"texts\":2", "\"texts\":\"2\"");
    ModelConfig another = device->config();
    another.layers = 4;
    EXPECT_FALSE(jobs::carryStateFrom(text, another));
}

} // namespace
} // namespace zigzag
