// SPDX-License-Identifier: GPL-3.0-or-later
// The engine against transformers, over the families and RoPE types that it runs. The tables that these tests print are
// what the project shows for its exactness: build/PRESET/bin/zigzag_engine_tests --gtest_filter='Golden.*'
#include "engine/map/kv_layout.h"
#include "tests/engine/run/golden_fixture.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

namespace zigzag {
namespace {

constexpr double chunkTolerance = 1e-5;
constexpr MixedMode mixedModes[] = {MixedMode::Fused, MixedMode::TwoLaunch, MixedMode::Reference};

TEST(Golden, LogitsAgreeWithTransformers)
{
    fmt::print("largest difference from transformers / largest logit\n{:<16} {:<8} {:<8} {:<8} {:>9} {:>9} {:>9} {:>9}\n",
               "fixture", "family", "RoPE", "stored", "full", "mixed", "streaming", "allowed");
    for (const auto &golden : test::goldens()) {
        SCOPED_TRACE(golden.name);
        const test::GoldenModel model(golden);
        ASSERT_TRUE(model);
        std::string row = fmt::format("{:<16} {:<8} {:<8} {:<8}", golden.name, golden.family, golden.rope, golden.dtype);
        for (const std::string which : {"full", "mixed", "streaming"}) {
            const auto expected = golden.logits(which);
            const double difference = test::relativeDifference(model.run(model.map(which), std::ssize(model.tokens())), expected);
            EXPECT_LE(difference, golden.tolerance) << which;
            row += fmt::format(" {:>9.1e}", difference);
        }
        fmt::print("{} {:>9.0e}\n", row, golden.tolerance);
    }
}

/// A golden that any map met would prove nothing.
TEST(Golden, AnotherMapIsTold)
{
    for (const auto &golden : test::goldens()) {
        SCOPED_TRACE(golden.name);
        const test::GoldenModel model(golden);
        ASSERT_TRUE(model);
        if (!model.isMappable()) { // what the file decides no map changes
            EXPECT_EQ(model.run(model.map("full"), 64), model.run(model.map("streaming"), 64));
            continue;
        }
        EXPECT_GT(test::relativeDifference(model.run(model.map("full"), 64), golden.logits("streaming")), golden.tolerance);
        HeadMap shifted = model.map("streaming");
        shifted.setWindow(shifted.oneWindow()->sink, shifted.oneWindow()->recent + 1);
        EXPECT_GT(test::relativeDifference(model.run(shifted, 64), golden.logits("streaming")), golden.tolerance);
    }
}

TEST(Golden, EveryChunkSizeAndMixedModeAgree)
{
    fmt::print("largest difference between chunks of 1, 7, 64 and whole (mixed: also between the three modes) / largest logit\n"
               "{:<16} {:<8} {:>9} {:>9} {:>9} {:>9}\n",
               "fixture", "stored", "full", "mixed", "streaming", "allowed");
    for (const auto &golden : test::goldens()) {
        SCOPED_TRACE(golden.name);
        const test::GoldenModel model(golden);
        ASSERT_TRUE(model);
        const auto whole = std::ssize(model.tokens());
        // With rounded weights another order of the same sum may round another way.
        const double allowed = golden.isFloat32() ? chunkTolerance : golden.tolerance;
        std::string row = fmt::format("{:<16} {:<8}", golden.name, golden.dtype);
        for (const std::string which : {"full", "mixed", "streaming"}) {
            const HeadMap map = model.map(which);
            const auto reference = model.run(map, whole);
            double most = 0;
            for (const MixedMode mode : mixedModes) {
                if (which != "mixed" && mode != MixedMode::Fused)
                    continue; // the modes differ in mixed layers alone
                for (const std::int64_t chunk : {std::int64_t{1}, std::int64_t{7}, std::int64_t{64}, std::int64_t{whole}}) {
                    const double difference = test::relativeDifference(model.run(map, chunk, mode), reference);
                    EXPECT_LE(difference, allowed) << which << ", chunk " << chunk << ", " << nameOf(mode);
                    most = std::max(most, difference);
                }
            }
            row += fmt::format(" {:>9.1e}", most);
        }
        fmt::print("{} {:>9.0e}\n", row, allowed);
    }
}

TEST(Golden, KvBytesComputedAreKvBytesAllocated)
{
    fmt::print("KV bytes, computed = allocated\n{:<16} {:>9} {:>9} {:>9} {:>9}\n", "fixture", "full", "mixed", "exclusive",
               "streaming");
    for (const auto &golden : test::goldens()) {
        SCOPED_TRACE(golden.name);
        const test::GoldenModel model(golden);
        ASSERT_TRUE(model);
        HeadMap exclusive = model.map("full");
        exclusive.setLayer(0, HeadKind::Streaming);
        ASSERT_TRUE(exclusive.isExclusive());
        std::string row = fmt::format("{:<16}", golden.name);
        std::int64_t least = std::numeric_limits<std::int64_t>::max();
        for (const HeadMap &map : {model.map("full"), model.map("mixed"), exclusive, model.map("streaming")}) {
            const auto session = model.session(map, 64);
            ASSERT_TRUE(session);
            const std::int64_t computed = kvBytes(map, session->maxContext(), model.model().config.dtype);
            EXPECT_EQ(session->kvBytesAllocated(), computed);
            least = std::min(least, computed);
            row += fmt::format(" {:>9}", computed);
        }
        const std::int64_t full = kvBytes(model.map("full"), std::ssize(model.tokens()), model.model().config.dtype);
        if (model.isMappable())
            EXPECT_LT(least, full);
        else
            EXPECT_EQ(least, full);
        fmt::print("{}\n", row);
    }
}

/// One model in two spellings of config.json: the same numbers, bit for bit.
TEST(Golden, OldAndNewSpellingOfTheConfigAreOneModel)
{
    std::vector<std::vector<float>> logits;
    for (const auto &golden : test::goldens())
        if (golden.name == "llama-yarn" || golden.name == "llama-yarn-old") {
            const test::GoldenModel model(golden);
            ASSERT_TRUE(model);
            EXPECT_EQ(model.model().config.rope.type, RopeType::Yarn);
            logits.push_back(model.run(model.map("full"), 64));
        }
    ASSERT_EQ(logits.size(), 2u);
    ASSERT_FALSE(logits[0].empty());
    // A GPU's library takes the algorithm that was fastest just then.
    EXPECT_LE(test::relativeDifference(logits[0], logits[1]), test::backendUnderTest() == "cpu" ? 0 : 1e-5);
}

} // namespace
} // namespace zigzag
