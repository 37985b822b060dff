// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/machine/machine_json.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

Result<MachineProfile> readFrom(const std::string &text)
{
    ZIGZAG_TRY(value, json::parse(text, "a test"));
    return readMachine(value, "a test");
}

TEST(MachineJson, KeepsWhetherABackendComputesOnTheProcessors)
{
    for (const bool onProcessor : {true, false}) {
        MachineProfile machine;
        machine.backend = "a later one";
        machine.onProcessor = onProcessor;
        const auto read = readFrom(machineJson(machine).dump());
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->onProcessor, onProcessor);
    }
}

TEST(MachineJson, FilesFromBeforeItWasKeptAreReadAsTheyWere)
{
    EXPECT_FALSE(readFrom(R"({"backend": "cuda"})")->onProcessor);
    EXPECT_TRUE(readFrom(R"({"backend": "cpu"})")->onProcessor);
    EXPECT_TRUE(readFrom("{}")->onProcessor);
    EXPECT_FALSE(readFrom(R"({"backend": "cpu", "on_processor": 1})")) << "neither true nor false";
}

} // namespace
} // namespace zigzag
