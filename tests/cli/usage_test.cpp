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
                                                         {"describe"},
                                                         {"describe", "word"},
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

TEST(Usage, VersionNamesCommitAndEveryBackend)
{
    const std::string text = test::runZigzag({"--version"}).output;
    EXPECT_NE(text.find("\ncommit "), std::string::npos) << text;
    EXPECT_NE(text.find("\nbackend cpu: "), std::string::npos) << text;
    EXPECT_NE(text.find("\nbackend cuda: "), std::string::npos) << text;
}

TEST(Usage, DescribeWritesWhatHelpSaysAndIsNotInIt)
{
    const std::string help = test::runZigzag({"--help"}).output;
    EXPECT_EQ(help.find("describe"), std::string::npos) << help;
    const auto page = test::runZigzag({"describe", "man"});
    EXPECT_EQ(page.code, 0);
    EXPECT_EQ(page.output.find("zigzag describe"), std::string::npos);
    for (const char *part : {".TH ZIGZAG 1 ", ".SS zigzag score", "\\fB\\-\\-method\\fR \\fBattention|ablation|"})
        EXPECT_NE(page.output.find(part), std::string::npos) << part;
    const auto fish = test::runZigzag({"describe", "fish"});
    EXPECT_NE(fish.output.find("__fish_seen_subcommand_from score' -l method -x -a 'attention ablation"), std::string::npos);
}

} // namespace
} // namespace zigzag
