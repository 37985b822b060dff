// SPDX-License-Identifier: GPL-3.0-or-later
// The table of what engines themselves made of exports (resources/checked), and what the verdicts say of it.
#include "profiler/exports/engine_checks.h"

#include "engine/base/files.h"
#include "profiler/exports/export_format.h"
#include "tests/paths.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace zigzag {
namespace {

std::vector<EngineCheck> stored()
{
    const std::string file = test::sourceDir() + "/resources/checked/engines.json";
    const auto text = readTextFile(file);
    EXPECT_TRUE(text) << text.error().message;
    const auto checks = text ? parseEngineChecks(*text, file) : std::vector<EngineCheck>{};
    EXPECT_TRUE(checks) << checks.error().message;
    return checks.value_or(std::vector<EngineCheck>{});
}

/// Two programs that compute in float32 part by less; a window too long by one, or a lost sink, shows by far more.
TEST(EngineChecks, EnginesAnswerAsOurEngineSaysTheyWould)
{
    const std::vector<EngineCheck> checks = stored();
    ASSERT_FALSE(checks.empty());
    for (const EngineCheck &check : checks) {
        if (check.format == "model itself") // how an engine reads what we did not write
            continue;
        SCOPED_TRACE(check.engine + " " + check.version + ", " + check.format + " of " + check.model);
        EXPECT_EQ(check.equal, check.tokens);
        EXPECT_GE(check.tokens, 64);
        EXPECT_LT(check.logprobDifference, 1e-3);
        EXPECT_EQ(check.date.size(), 10u);
        EXPECT_FALSE(check.version.empty());
        EXPECT_TRUE(check.format == "granite-swa" || check.format == "gguf" || findExportFormat(check.format));
    }
    const auto ran = [&](std::string_view format) {
        return std::any_of(checks.begin(), checks.end(), [&](const EngineCheck &check) { return check.format == format; });
    };
    EXPECT_TRUE(ran("granite-swa"));
    EXPECT_TRUE(ran("transformers"));
}

TEST(EngineChecks, TheWorstOfAnEngineSpeaksForIt)
{
    const auto checks = parseEngineChecks(R"({"checked": [
        {"format": "vllm", "engine": "vllm", "version": "1.0", "model": "a", "date": "2026-01-02", "tokens": 64, "equal": 64,
         "logprob_difference": 1e-6},
        {"format": "vllm", "engine": "vllm", "version": "1.0", "model": "b", "date": "2026-01-03", "tokens": 64, "equal": 60,
         "logprob_difference": 2e-3},
        {"format": "mlx-lm", "engine": "mlx-lm", "version": "2.0", "model": "a", "date": "2026-01-02", "tokens": 64, "equal": 64,
         "logprob_difference": 1e-6},
        {"format": "kvpress", "engine": "kvpress", "version": "0.5", "model": "a", "date": "2026-01-02", "tokens": 64, "equal": 64,
         "logprob_difference": 1e-6, "reference": "a mask"},
        {"format": "sglang", "engine": "SGLang", "not_tried": "it needs a GPU"},
        {"format": "vllm", "engine": "other", "model": "a", "failed": "no such model"}]})",
                                          "t.json");
    ASSERT_TRUE(checks) << checks.error().message;
    EXPECT_EQ(checks->size(), 4u); // what was not tried, or failed, is no check
    EXPECT_EQ(checkedText(*checks, "vllm"),
              "run by vllm 1.0 (2026-01-03: 60 of 64 greedy tokens as ours, log-probabilities up to 2.0e-03 apart)");
    EXPECT_EQ(checkedText(*checks, "kvpress"),
              "run by kvpress 0.5 (2026-01-02: 64 of 64 greedy tokens as a mask, log-probabilities up to 1.0e-06 apart)");
    EXPECT_EQ(checkedText(*checks, "sglang"), "");
}

TEST(EngineChecks, AFileThatIsNoTableIsRefused)
{
    for (const char *text :
         {"", "[]", R"({"checked": 3})", R"({"checked": [{"format": "vllm"}]})",
          R"({"checked": [{"format": "vllm", "engine": "e", "version": "1", "model": "m", "date": "d", "tokens": 4,
                                 "equal": 5, "logprob_difference": 0}]})"}) {
        const auto checks = parseEngineChecks(text, "t.json");
        ASSERT_FALSE(checks) << text;
        EXPECT_NE(checks.error().message.find("t.json"), std::string::npos);
    }
}

} // namespace
} // namespace zigzag
