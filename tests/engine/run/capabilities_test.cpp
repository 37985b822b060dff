// SPDX-License-Identifier: GPL-3.0-or-later
// What a backend says of itself is what it does: code above it asks nothing else.
#include "tests/engine/run/golden_fixture.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace zigzag {
namespace {

TEST(CapabilitiesTest, AreWhatTheBackendDoes)
{
    auto created = createBackend(test::backendUnderTest());
    ASSERT_TRUE(created) << created.error().message;
    Backend &backend = **created;
    const Capabilities can = backend.capabilities();
    EXPECT_EQ(can.gradients, backend.gradients() != nullptr);

    auto buffer = backend.allocate(64);
    ASSERT_TRUE(buffer) << buffer.error().message;
    const std::array<float, 16> values = {1, 2, 3};
    backend.beginTimed();
    backend.upload(**buffer, 0, values.data(), sizeof values);
    backend.endTimed();
    ASSERT_TRUE(backend.synchronize());
    EXPECT_EQ(can.ownClock, backend.timedMs().has_value());
    const auto recording = backend.record([&] {
        backend.copyHeads({.in = (*buffer)->data(),
                           .out = (*buffer)->as<float>() + 8,
                           .heads = std::array{0},
                           .tokens = 1,
                           .inHeads = 1,
                           .outHeads = 1,
                           .headDim = 8});
    });
    EXPECT_EQ(can.recordsSteps, recording != nullptr);
    ASSERT_TRUE(backend.synchronize());
    EXPECT_EQ(can.onProcessor, !backend.measureCeilings(nullptr)) << "the profiler measures processors itself";
}

TEST(CapabilitiesTest, PreparesWeightsOfEveryTypeThatItNames)
{
    auto backend = createBackend(test::backendUnderTest());
    ASSERT_TRUE(backend) << backend.error().message;
    const Capabilities can = (*backend)->capabilities();
    EXPECT_FALSE(can.weightTypes.empty());
    EXPECT_FALSE(can.kvTypes.empty());
    alignas(64) static const std::array<std::byte, 16384> memory = {};
    for (const WeightType type : can.weightTypes) {
        auto matrix = (*backend)->prepare({memory.data(), type, 16, 256});
        ASSERT_TRUE(matrix) << nameOf(type) << ": " << matrix.error().message;
        EXPECT_EQ((*matrix)->rows, 16);
    }
}

} // namespace
} // namespace zigzag
