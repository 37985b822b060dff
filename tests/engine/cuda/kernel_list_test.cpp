// SPDX-License-Identifier: GPL-3.0-or-later
// Every kernel of the product runs on the CPU and agrees with its reference, or says why it cannot.
#include "tests/paths.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <sys/wait.h>

namespace zigzag::test {
namespace {

struct ListedKernel {
    const char *name;
    const char *tests; ///< a filter for the tests of this program that run it; null: it cannot run here
    const char *reason; ///< why not
};

const ListedKernel list[] = {
    {"addBias", "AddBiasKernel.*", nullptr},
    {"addParts", "AddPartsKernel.*", nullptr},
    {"attentionDecode", "Cases/DecodeAttention.*", nullptr},
    {"attentionHopper", nullptr,
     "is made of asynchronous products of warp groups, which the emulator does not have; AttentionParity runs it on a GPU"},
    {"attentionJoin", "Cases/DecodeAttention.*", nullptr},
    {"attentionPrefill", "Cases/PrefillAttention.*", nullptr},
    {"attentionPrefillF8", "Cases/PrefillAttention.*", nullptr},
    {"attentionSimple", "Cases/SimpleAttention.*", nullptr},
    {"blend", "BlendKernels.*", nullptr},
    {"blendGradient", "BlendKernels.*", nullptr},
    {"blockRows", "BlockRowsKernel.*", nullptr},
    {"commit", "CommitKernel.*", nullptr},
    {"copyHeads", "CopyHeadsKernel.*", nullptr},
    {"embed", "EmbedKernel.*", nullptr},
    {"exchangeGather", "Ranks/ExchangeKernels.*", nullptr},
    {"exchangeSum", "Ranks/ExchangeKernels.*", nullptr},
    {"expertDown", "ExpertsKernel*", nullptr},
    {"expertDownBlocks", "ExpertsKernel*", nullptr},
    {"expertGateUp", "ExpertsKernel*", nullptr},
    {"expertGateUpBlocks", "ExpertsKernel*", nullptr},
    {"expertRows", "ExpertsKernel*", nullptr},
    {"expertSum", "ExpertsKernel*", nullptr},
    {"expertTiles", "ExpertsKernel*", nullptr},
    {"fillRandom", nullptr, "fills the memory that a GPU's own rates are measured on; no result depends on the numbers"},
    {"keyGradient", "Cases/AttentionGradientKernels.*", nullptr},
    {"keyGradientSimple", "Cases/AttentionGradientKernels.*", nullptr},
    {"matvec", "Cases/Matvec.*", nullptr},
    {"matvecBlocks", "MatvecBlocksKernel.*", nullptr},
    {"matvecCodes", "MatvecBlocksKernel.*", nullptr},
    {"nextToken", "NextTokenKernel.*", nullptr},
    {"queryGradient", "Cases/AttentionGradientKernels.*", nullptr},
    {"queryGradientSimple", "Cases/AttentionGradientKernels.*", nullptr},
    {"readAll", nullptr, "times the reading of a GPU's memory and drops what it read"},
    {"rmsNorm", "RmsNormKernel.*", nullptr},
    {"rmsNormGradient", "RmsNormGradientKernel.*", nullptr},
    {"ropeAppend", "RopeAppendKernel.*", nullptr},
    {"rotateGradient", "RotateGradientKernel.*", nullptr},
    {"ropeAppendRows", "RopeAppendRowsKernel.*", nullptr},
    {"routeExperts", "ExpertsKernel*", nullptr},
    {"sortRoutes", "ExpertsKernel*", nullptr},
    {"sinkLogitGradient", "Cases/AttentionGradientKernels.*", nullptr},
    {"softCap", "SoftCapKernel.*", nullptr},
    {"swiGlu", "SwiGluKernel.*", nullptr},
    {"swiGluGradient", "SwiGluGradientKernel.*", nullptr},
    {"widthNorm", "WidthNormKernel.*", nullptr},
};

/// The names of the kernels that a source defines: what stands before the parenthesis of `ZZ_KERNEL … void NAME(ZZ_ARGS`.
std::set<std::string> kernelsIn(const std::string &text)
{
    std::set<std::string> names;
    for (std::size_t at = text.find("(ZZ_ARGS "); at != std::string::npos; at = text.find("(ZZ_ARGS ", at + 1)) {
        const std::size_t before = text.find_last_of(" \n", at - 1);
        names.insert(text.substr(before + 1, at - before - 1));
    }
    return names;
}

/// How many tests passed in a run of their own of this program; -1 where one failed.
int passedTests(const std::string &filter)
{
    const std::string program = std::filesystem::read_symlink("/proc/self/exe");
    FILE *run = popen(fmt::format("env -u GTEST_OUTPUT '{}' '--gtest_filter={}' 2>&1", program, filter).c_str(), "r");
    if (!run)
        return -1;
    std::string output;
    std::array<char, 4096> part;
    while (const std::size_t count = std::fread(part.data(), 1, part.size(), run))
        output.append(part.data(), count);
    const int status = pclose(run);
    constexpr std::string_view passed = "[  PASSED  ] ";
    const std::size_t at = output.find(passed);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || at == std::string::npos) {
        fmt::print("{}", output);
        return -1;
    }
    return std::stoi(output.substr(at + passed.size()));
}

TEST(KernelList, FindsKernelsInASource)
{
    const auto names = kernelsIn("template <class T>\nZZ_KERNEL ZZ_LAUNCH_BOUNDS(8, 1) void one(ZZ_ARGS A args)\n{ }\n"
                                 "ZZ_DEVICE int helper(int x);\ntemplate <> ZZ_KERNEL void two(ZZ_ARGS B args);");
    EXPECT_EQ(names, (std::set<std::string>{"one", "two"}));
}

TEST(KernelList, EveryKernelRunsOnTheCpuOrSaysWhyNot)
{
    std::set<std::string> defined, listed;
    for (const auto &entry : std::filesystem::recursive_directory_iterator(sourceDir() + "/engine/cuda")) {
        const std::string extension = entry.path().extension();
        if (extension != ".cuh" && extension != ".cu")
            continue;
        std::ifstream stream(entry.path());
        defined.merge(kernelsIn({std::istreambuf_iterator<char>(stream), {}}));
    }
    int ran = 0;
    std::map<std::string, int> passedBy;
    for (const ListedKernel &kernel : list) {
        EXPECT_TRUE(listed.insert(kernel.name).second) << kernel.name << " is listed twice";
        EXPECT_TRUE(defined.contains(kernel.name)) << kernel.name << " is listed, and not in engine/cuda";
        if (!kernel.tests) {
            ASSERT_TRUE(kernel.reason) << kernel.name << " has neither tests nor a reason";
            fmt::print("  {:<18} cannot run here: {}\n", kernel.name, kernel.reason);
            continue;
        }
        const auto [known, isNew] = passedBy.try_emplace(kernel.tests, 0); // several kernels are run by the same tests
        if (isNew)
            known->second = passedTests(kernel.tests);
        const int passed = known->second;
        EXPECT_GT(passed, 0) << kernel.name << ": no test, or one that fails, in " << kernel.tests;
        fmt::print("  {:<18} {}\n", kernel.name, passed > 0 ? fmt::format("ran, {} tests agree", passed) : "FAILED");
        ran += passed > 0 ? 1 : 0;
    }
    fmt::print("CUDA kernels on the CPU: {} of {} ran and agree with their references, {} cannot run here\n", ran,
               std::size(list),
               std::count_if(std::begin(list), std::end(list), [](const auto &kernel) { return !kernel.tests; }));
    for (const std::string &name : defined)
        EXPECT_TRUE(listed.contains(name)) << name << " is in engine/cuda, and not in this test's list";
}

} // namespace
} // namespace zigzag::test
