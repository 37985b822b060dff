// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/cli/run_program.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

TEST(Usage, BadUsageIsOneLineAndExitCodeTwo)
{
    const std::vector<std::vector<std::string>> cases = {{},
                                                         {"nonsense"},
                                                         {"info"},
                                                         {"info", "a", "b"},
                                                         {"info", "--no-such-option", "preset:llama-2-7b"},
                                                         {"info", "preset:llama-2-7b", "-o", "xml"},
                                                         {"logits", "preset:llama-2-7b"}};
    for (const auto &arguments : cases)
        EXPECT_EQ(test::refusalFault(test::runZigzag(arguments), 2), "");
}

TEST(Usage, HelpAndVersionSucceed)
{
    EXPECT_EQ(test::runZigzag({"--version"}).output.rfind("zigzag ", 0), 0u);
    const auto help = test::runZigzag({"--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_NE(help.output.find("generate"), std::string::npos);
}

} // namespace
} // namespace zigzag
