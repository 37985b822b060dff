// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/progress.h"

#include <algorithm>
#include <chrono>
#include <gtest/gtest.h>
#include <thread>

namespace zigzag {
namespace {

TEST(Progress, SaysWhatIsLeftFromItsOwnPace)
{
    EXPECT_EQ(progressText("bench", {.done = 12, .all = 40, .fraction = 0.3, .seconds = 12}),
              "bench: 12 of 40, 30 %, 12 s, about 28 s left");
    EXPECT_EQ(progressText("calibrate", {.fraction = 0.25, .seconds = 50}), "calibrate: 25 %, 50 s, about 2 min left");
    EXPECT_EQ(progressText("score", {.done = 80, .all = 100, .fraction = 0.8, .begunAt = 0.6, .seconds = 10}),
              "score: 80 of 100, 80 %, 10 s, about 10 s left")
        << "an earlier process did the first 60 %";
    EXPECT_EQ(progressText("bench", {.done = 0, .all = 40, .seconds = 7}), "bench: 0 of 40, 7 s") << "no pace yet";
    EXPECT_EQ(progressText("bench", {.done = 40, .all = 40, .fraction = 1, .seconds = 7}), "bench: 40 of 40, 100 %, 7 s");
    EXPECT_EQ(progressText("bench", {.done = 999, .all = 1000, .fraction = 0.999, .seconds = 999}),
              "bench: 999 of 1000, 99 %, 17 min, about 1 s left");
}

TEST(Progress, DurationsAreRound)
{
    EXPECT_EQ(durationText(0.4), "0 s");
    EXPECT_EQ(durationText(99), "99 s");
    EXPECT_EQ(durationText(150), "2 min");
    EXPECT_EQ(durationText(12'000), "3 h 20 min");
    EXPECT_EQ(durationText(1e12), "very long");
}

/// Work that reports nothing for seconds: the line comes all the same.
TEST(Progress, IsSeenFromTheFirstSecondsAndQuietInShortWork)
{
    testing::internal::CaptureStderr();
    {
        Progress quick("quick");
        quick(1, 10);
        quick(2, 10);
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    testing::internal::CaptureStderr();
    {
        Progress slow("slow");
        slow(0.1);
        std::this_thread::sleep_for(std::chrono::milliseconds(2300));
    }
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(said.rfind("slow: 10 %, ", 0), 0u) << said;
    EXPECT_NE(said.find(" left\n"), std::string::npos) << said;
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    testing::internal::CaptureStderr();
    {
        Progress counted("counted");
        for (int done = 1; done <= 8; ++done)
            counted(done, 8);
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "a refusal right after it stays one line";
    testing::internal::CaptureStderr();
    {
        Progress counted("counted");
        std::this_thread::sleep_for(std::chrono::milliseconds(2300));
        for (int done = 1; done <= 8; ++done)
            counted(done, 8);
    }
    const std::string quarters = testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(quarters.begin(), quarters.end(), '\n'), 1 + 4) << quarters;
}

} // namespace
} // namespace zigzag
