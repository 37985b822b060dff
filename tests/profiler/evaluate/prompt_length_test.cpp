// SPDX-License-Identifier: GPL-3.0-or-later
// Prompts have the length that they say, in the tokens of every kind of tokenizer.
#include "profiler/evaluate/needle.h"
#include "profiler/evaluate/task_text.h"
#include "tests/paths.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

constexpr std::int64_t contexts[] = {512, 2048, 8192};
constexpr double depths[] = {0.0, 0.4, 1.0};
constexpr std::int64_t seams = 3; ///< filler, needle, filler, question: each may cost a token

/// Kinds of tokenizer: bytes alone, byte-level pairs (GPT-2, Llama 3, Qwen), SentencePiece-like with and without words.
class PromptLength : public testing::TestWithParam<const char *>
{
protected:
    Tokenizer tokenizer
        = *Tokenizer::load(std::string(test::sourceDir() + "/tests/fixtures/tokenizers/") + GetParam() + "/tokenizer.json");
};

TEST_P(PromptLength, ANeedlePromptHasTheLengthThatItSays)
{
    const NeedleTask task = *NeedleTask::load(test::sourceDir() + "/resources/tasks/passkey.json");
    for (const std::int64_t context : contexts)
        for (const double depth : depths)
            for (std::uint64_t seed = 1; seed <= 3; ++seed) {
                std::mt19937_64 random(seed);
                const auto prompt = task.prompt(tokenizer, context, depth, random);
                ASSERT_TRUE(prompt) << prompt.error().message;
                const auto size = static_cast<std::int64_t>(prompt->tokens.size() + prompt->answer.size());
                EXPECT_LE(size, context);
                EXPECT_GE(size, context - seams) << "depth " << depth << ", seed " << seed;
            }
}

TEST_P(PromptLength, EveryTaskHasTheLengthThatItSays)
{
    const TaskText text = *TaskText::load();
    for (const TaskKind kind : {TaskKind::Passkey, TaskKind::Passkeys, TaskKind::Recall, TaskKind::Copy})
        for (const std::int64_t context : contexts)
            for (const double depth : depths) {
                std::mt19937_64 random(5);
                const auto prompt = text.prompt(kind, tokenizer, context, depth, 4, random);
                ASSERT_TRUE(prompt) << nameOf(kind) << ": " << prompt.error().message;
                const auto size = static_cast<std::int64_t>(prompt->tokens.size());
                EXPECT_LE(size, context) << nameOf(kind);
                EXPECT_GE(size, context - seams) << nameOf(kind) << ", depth " << depth;
                ASSERT_FALSE(prompt->answers.empty());
                const AnswerSpan &answer = prompt->answers.back();
                EXPECT_EQ(answer.end, size) << nameOf(kind);
                // What has to be said has been said before.
                const auto begin = prompt->tokens.begin() + answer.begin, end = prompt->tokens.begin() + answer.end;
                if (kind != TaskKind::Copy) {
                    EXPECT_NE(std::search(prompt->tokens.begin(), begin, begin, end), begin) << nameOf(kind);
                }
            }
}

/// A context without room for the question is refused with what it needs, and that much is enough.
TEST_P(PromptLength, TheContextThatARefusalNamesIsEnough)
{
    const NeedleTask task = *NeedleTask::load(test::sourceDir() + "/resources/tasks/passkey.json");
    std::mt19937_64 random(1);
    const auto refused = task.prompt(tokenizer, 16, 0.5, random);
    ASSERT_FALSE(refused);
    const std::string &message = refused.error().message;
    const std::int64_t needed = std::stoll(message.substr(message.find_first_of("0123456789")));
    random.seed(1);
    const auto prompt = task.prompt(tokenizer, needed, 0.5, random);
    ASSERT_TRUE(prompt) << prompt.error().message;
    EXPECT_EQ(static_cast<std::int64_t>(prompt->tokens.size() + prompt->answer.size()), needed);
}

INSTANTIATE_TEST_SUITE_P(EveryKind, PromptLength,
                         testing::Values("bytes", "gpt2", "llama3", "qwen", "llama2", "mistral", "metaspace"),
                         [](const auto &kind) { return std::string(kind.param); });

} // namespace
} // namespace zigzag
