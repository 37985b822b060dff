// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/run_pace.h"

#include <gtest/gtest.h>

namespace zigzag::test {

TEST(RunPace, TellsTheTimeLeftFromItsOwnPace)
{
    RunPace pace;
    pace.begin(100);
    pace.reach(0, 100);
    EXPECT_FALSE(pace.secondsLeft(105)) << "nobody can know";
    EXPECT_FALSE(pace.fraction(105)) << "a bar that moves, and does not stand at 0";
    pace.reach(0.25, 110);
    EXPECT_NEAR(*pace.secondsLeft(110), 30, 1e-9);
    EXPECT_NEAR(*pace.fraction(115), 0.375, 1e-9) << "it goes on between what the run says";
    EXPECT_NEAR(*pace.secondsLeft(115), 25, 1e-9);
    // What was due at 120 has not come by 150: nobody is further than one stride on, and the time left grows.
    EXPECT_LT(*pace.fraction(150), 0.5);
    EXPECT_GT(*pace.secondsLeft(150), *pace.secondsLeft(115));
    pace.reach(1, 160);
    EXPECT_NEAR(*pace.secondsLeft(160), 0, 1e-9);
}

TEST(RunPace, AnExpectationCountsUntilThereIsAPace)
{
    RunPace pace;
    pace.begin(0, 40);
    EXPECT_NEAR(*pace.secondsLeft(10), 30, 1e-9);
    EXPECT_NEAR(*pace.fraction(10), 0.25, 1e-9);
    EXPECT_FALSE(pace.secondsLeft(41)) << "it was wrong, and nothing better is known";
    EXPECT_LT(*pace.fraction(1000), 1);
    pace.reach(0, 0);
    pace.reach(0.5, 100);
    EXPECT_NEAR(*pace.secondsLeft(100), 100, 1e-9) << "twice 100 s, whatever was expected";
}

TEST(RunPace, WhatWasDoneBeforeIsNoPace)
{
    RunPace pace;
    pace.begin(0);
    pace.reach(0.8, 1); // a search that goes on
    pace.expect(1, 20);
    EXPECT_NEAR(*pace.fraction(1), 0.8, 1e-9);
    EXPECT_NEAR(*pace.secondsLeft(6), 15, 1e-9);
    pace.reach(0.9, 31);
    EXPECT_NEAR(*pace.secondsLeft(31), 30, 1e-9);
}

TEST(RunPace, TimeLeftHasNoMoreDigitsThanAreKnown)
{
    EXPECT_EQ(timeLeftText(0.4), QStringLiteral("a moment left"));
    EXPECT_EQ(timeLeftText(7.3), QStringLiteral("7 s left"));
    EXPECT_EQ(timeLeftText(43.9), QStringLiteral("45 s left"));
    EXPECT_EQ(timeLeftText(200), QStringLiteral("3 min left"));
    EXPECT_EQ(timeLeftText(3 * 3600 + 60), QStringLiteral("3 h left"));
}

} // namespace zigzag::test
