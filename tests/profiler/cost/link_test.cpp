// SPDX-License-Identifier: GPL-3.0-or-later
// How GPUs talk to each other: assumed, given or measured, and what predictions make of it.
#include "engine/run/rank_group.h"
#include "profiler/cost/cost_model.h"
#include "profiler/cost/profile_file.h"
#include "profiler/measure/link_meter.h"
#include "tests/profiler/loaded_model.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

Link measured()
{
    Link link;
    link.measured = {{2, "2 × GPU", {{1000, 10}, {2000, 12}, {10000, 52}}}, {8, "8 × GPU", {{1000, 40}, {10000, 90}}}};
    return link;
}

TEST(Links, AreReadBetweenTheirSamples)
{
    const Link link = measured();
    EXPECT_DOUBLE_EQ(link.sumUs(100, 2), 10) << "less than the smallest takes as long";
    EXPECT_DOUBLE_EQ(link.sumUs(1000, 2), 10);
    EXPECT_DOUBLE_EQ(link.sumUs(1500, 2), 11);
    EXPECT_DOUBLE_EQ(link.sumUs(6000, 2), 32);
    EXPECT_DOUBLE_EQ(link.sumUs(20000, 2), 102) << "beyond the largest as between the last two";
    EXPECT_DOUBLE_EQ(link.sumUs(10000, 8), 90);
    // Four GPUs were not measured: the nearer two, with what goes over a link growing from a half to three quarters.
    EXPECT_DOUBLE_EQ(link.sumUs(4000, 4), link.sumUs(6000, 2));
    EXPECT_DOUBLE_EQ(link.rate(2), 1e6 * 10000 / 52);
    EXPECT_EQ(link.source(2), "measured");
    EXPECT_EQ(link.source(4), "measured with 2");
    EXPECT_NE(link.told(2).find("measured between 2 × GPU: 10 µs an all-reduce of 1000 bytes"), std::string::npos)
        << link.told(2);
    EXPECT_NE(link.told(4).find("taken for 4 GPUs"), std::string::npos) << link.told(4);
}

TEST(Links, AssumedAndGivenOnesSaySo)
{
    Link link;
    EXPECT_EQ(link.source(2), "assumed");
    EXPECT_DOUBLE_EQ(link.sumUs(250e3, 2), 12 + 1);
    EXPECT_NE(link.told(4).find("link assumed at 250 GB/s and 12 µs"), std::string::npos) << link.told(4);
    link = measured();
    link.isGiven = true;
    link.bytesPerSecond = 1e9;
    EXPECT_EQ(link.source(2), "given") << "whatever was measured";
    EXPECT_DOUBLE_EQ(link.sumUs(1000, 2), 12 + 1);
}

class MeasuredLinks : public test::LoadedModel
{ };

TEST_F(MeasuredLinks, AreOfTheRanksAtHandAndKeptInAProfile)
{
    const auto links = measureLinks("cpu", 2);
    ASSERT_TRUE(links) << links.error().message;
    ASSERT_EQ(links->size(), 1u);
    EXPECT_EQ((*links)[0].gpus, 2);
    EXPECT_EQ((*links)[0].between.rfind("2 shares of ", 0), 0u) << (*links)[0].between;
    for (const LinkSamples &each : *links) {
        ASSERT_GT(each.sums.size(), 4u);
        for (const LinkSample &sum : each.sums)
            EXPECT_GT(sum.us, 0);
        // 16 MiB are summed in milliseconds, 4 KiB are not: however busy the machine is.
        EXPECT_GT(each.sums.back().us, each.sums.front().us);
    }
    std::atomic<bool> cancel{true};
    EXPECT_EQ(measureLinks("cpu", 2, &cancel).error().kind, ErrorKind::Cancelled);
    EXPECT_FALSE(measureLinks("nothing", 2));

    Calibration calibration;
    calibration.machine.device = "a processor";
    ModelSamples samples;
    samples.config = model->config;
    samples.layers = model->config.layers;
    calibration.models.push_back(samples);
    calibration.links = *links;
    const std::string text = profileText(calibration);
    const auto back = profileFrom(text, "profile");
    ASSERT_TRUE(back) << back.error().message;
    ASSERT_EQ(back->links.size(), 1u);
    EXPECT_EQ(back->links[0].gpus, 2);
    EXPECT_EQ(back->links[0].between, (*links)[0].between);
    EXPECT_EQ(back->links[0].sums.back().bytes, (*links)[0].sums.back().bytes);
    EXPECT_DOUBLE_EQ(back->links[0].sums.back().us, (*links)[0].sums.back().us);
    EXPECT_EQ(CostModel(*back, model->config).link.source(2), "measured") << "predictions take them from there";
    calibration.links.clear();
    EXPECT_EQ(profileText(calibration).find("links"), std::string::npos);
    EXPECT_EQ(CostModel(*profileFrom(profileText(calibration), "profile"), model->config).link.source(2), "assumed");
}

TEST_F(MeasuredLinks, HostileOnesAreRefused)
{
    Calibration calibration;
    ModelSamples samples;
    samples.config = model->config;
    samples.layers = model->config.layers;
    calibration.models.push_back(samples);
    const auto refused = [&](const LinkSamples &link) {
        calibration.links = {link};
        return !profileFrom(profileText(calibration), "profile");
    };
    EXPECT_FALSE(refused({2, "x", {{1, 1}, {2, 1}}}));
    EXPECT_TRUE(refused({1, "x", {{1, 1}, {2, 1}}})) << "one GPU has nobody to talk to";
    EXPECT_TRUE(refused({2, "x", {{2, 1}, {1, 1}}})) << "not in order";
    EXPECT_TRUE(refused({2, "x", {{1, -1}}}));
    EXPECT_TRUE(refused({2, "x", {{0, 1}}}));
}

} // namespace
} // namespace zigzag
