// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/context_limit.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

ModelConfig model(const char *family)
{
    ModelConfig config;
    config.name = "some";
    config.family = findFamily(family);
    config.maxContext = 2048;
    return config;
}

TEST(ContextLimit, WhatIsWithinTheModelNeedsNoWord)
{
    EXPECT_EQ(noteBeyondMaximum(model("llama"), 1), "");
    EXPECT_EQ(noteBeyondMaximum(model("llama"), 2048), "");
    EXPECT_TRUE(checkWithinMaximum(model("llama"), 2048));
    EXPECT_TRUE(checkWithinMaximum(model("llama"), 16, 16));
}

TEST(ContextLimit, WhatIsBeyondIsNotedOrRefusedWithBothNumbers)
{
    const std::string note = noteBeyondMaximum(model("llama"), 2049);
    EXPECT_NE(note.find("2049"), std::string::npos) << note;
    EXPECT_NE(note.find("2048"), std::string::npos) << note;
    EXPECT_EQ(note.find("sliding_window"), std::string::npos) << note;
    EXPECT_NE(noteBeyondMaximum(model("mistral"), 2049).find("sliding_window"), std::string::npos);
    for (const std::int64_t context : {2049, 15, 0, -1}) {
        const auto checked = checkWithinMaximum(model("llama"), context, 16);
        ASSERT_FALSE(checked) << context;
        EXPECT_EQ(checked.error().kind, ErrorKind::BadInput);
        EXPECT_EQ(checked.error().message,
                  "a context of " + std::to_string(context) + " tokens is outside the 16 to 2048 of some: choose one inside");
    }
}

} // namespace
} // namespace zigzag
