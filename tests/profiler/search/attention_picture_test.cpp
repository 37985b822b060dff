// SPDX-License-Identifier: GPL-3.0-or-later
// What heads look at, as pictures.
#include "engine/run/session.h"
#include "profiler/jobs/attention_picture_job.h"
#include "profiler/search/attention_picture.h"
#include "profiler/search/logit_contributions.h"
#include "tests/profiler/loaded_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace zigzag {
namespace {

class AttentionPictureTest : public test::LoadedModel
{
protected:
    std::vector<AttentionPicture> pictures(int layer, int kvHead, std::vector<int> tokens, StreamingWindow window = {4, 16})
    {
        auto made = pictureAttention(device, {.layer = layer, .kvHead = kvHead, .tokens = std::move(tokens), .window = window});
        EXPECT_TRUE(made) << made.error().message;
        return made ? *made : std::vector<AttentionPicture>();
    }
    static std::vector<int> someTokens(int count)
    {
        std::vector<int> tokens;
        for (int i = 0; i < count; ++i)
            tokens.push_back((i * 37 + i / 7) % 256);
        return tokens;
    }
};

/// On the bundled model, whose copying heads are known.
class NeedlePicture : public testing::Test
{
protected:
    jobs::AttentionPictures pictures(int layer, int kvHead)
    {
        JobContext context;
        context.device = device;
        auto made = jobs::attentionPictures(context, {.layer = layer, .kvHead = kvHead, .window = {16, 64}, .context = 512});
        EXPECT_TRUE(made) << made.error().message;
        return made ? *made : jobs::AttentionPictures{};
    }
    std::shared_ptr<const Model> model = *loadModel("bundled:zigzag-tiny");
    std::shared_ptr<DeviceModel> device = *uploadModel(model, *createBackend("cpu"));
};

} // namespace

TEST_F(NeedlePicture, AHeadThatCopiesLooksAtTheNeedlesDigits)
{
    // TRAINING.md: layer 6 copies in query heads 2 and 3, which share KV head 1.
    const jobs::AttentionPictures shown = pictures(6, 1);
    ASSERT_EQ(shown.heads.size(), 2u);
    const jobs::PicturedPrompt &prompt = shown.prompt;
    ASSERT_TRUE(prompt.isNeedle());
    ASSERT_EQ(prompt.tokens.size(), 512u);
    ASSERT_EQ(prompt.pieces.size(), 512u);
    EXPECT_EQ(prompt.answerEnd - prompt.answerBegin, prompt.needleEnd - prompt.needleBegin);
    for (const AttentionPicture &head : shown.heads)
        for (std::int64_t asked = prompt.answerBegin; asked < prompt.answerEnd; ++asked) {
            const StrongKey strongest = head.strongestOf(asked).front();
            // The digit that this query generates.
            EXPECT_EQ(strongest.position, prompt.needleBegin + asked - prompt.answerBegin) << head.queryHead << ' ' << asked;
            EXPECT_GT(head.shares[static_cast<std::size_t>(asked)].beyond, 0.5f) << "which a streaming head would not see";
        }
    EXPECT_EQ(prompt.firstAsked(), prompt.answerBegin);
    EXPECT_GT(shown.heads[shown.farthest()].shares[static_cast<std::size_t>(prompt.firstAsked())].beyond, 0.5f);
    // Layer 2 copies nothing.
    const jobs::AttentionPictures other = pictures(2, 1);
    for (const AttentionPicture &head : other.heads)
        EXPECT_LT(head.strongestOf(prompt.answerBegin).front().position == prompt.needleBegin
                      ? head.strongestOf(prompt.answerBegin).front().weight
                      : 0.0f,
                  0.5f);
}

TEST_F(NeedlePicture, WhatHeadsAddIsWhatTakesTheAnswersLogitApart)
{
    const jobs::AttentionPictures copying = pictures(6, 1), other = pictures(2, 1);
    ASSERT_EQ(copying.spoken.size(), 2u);
    ASSERT_EQ(other.spoken.size(), 2u);
    auto parts = LogitParts::create(device, 512, {16, 64});
    ASSERT_TRUE(parts) << parts.error().message;
    TaskPrompt prompt;
    prompt.tokens = copying.prompt.tokens;
    const std::int64_t digits = copying.prompt.needleEnd - copying.prompt.needleBegin;
    prompt.answers = {{512 - digits, 512}}; // at the end
    const auto apart = parts->of(prompt);
    ASSERT_TRUE(apart) << apart.error().message;
    EXPECT_DOUBLE_EQ(copying.answerLogit, apart->logit);
    double mostOther = 0;
    for (std::size_t index = 0; index < 2; ++index) {
        const auto at = static_cast<std::size_t>(6 * model->config.queryHeads + copying.heads[index].queryHead);
        EXPECT_DOUBLE_EQ(copying.spoken[index].given, apart->heads[at]);
        EXPECT_DOUBLE_EQ(copying.spoken[index].beyond, apart->beyond[at]);
        mostOther = std::max(mostOther, std::abs(other.spoken[index].beyond));
    }
    // A head that copies the needle's digits says them; one that copies nothing does not.
    EXPECT_GT(copying.spoken[0].beyond + copying.spoken[1].beyond, 10 * mostOther);
}

TEST_F(NeedlePicture, TheStrongestKeysAreThoseThatAttentionItselfTells)
{
    const jobs::AttentionPictures shown = pictures(7, 3);
    SessionOptions options;
    options.maxContext = 512;
    auto session = Session::create(device, HeadMap(model->shape(), HeadKind::Retrieval, 0, 1), options);
    ASSERT_TRUE(session) << session.error().message;
    std::vector<std::int32_t> told; // [tokens, query_heads] of layer 7
    (*session)->setAttentionObserver([&](int layer, std::span<const std::int32_t> strongest) {
        if (layer == 7)
            told.insert(told.end(), strongest.begin(), strongest.end());
    });
    ASSERT_TRUE((*session)->run(shown.prompt.tokens));
    const auto heads = static_cast<std::size_t>(model->config.queryHeads);
    ASSERT_EQ(told.size(), 512 * heads);
    int differ = 0;
    for (const AttentionPicture &head : shown.heads)
        for (std::size_t query = 0; query < 512; ++query) {
            const auto strong = head.strongestOf(static_cast<std::int64_t>(query));
            const std::int32_t theirs = told[query * heads + static_cast<std::size_t>(head.queryHead)];
            if (strong[0].position == theirs)
                continue;
            ++differ; // keys alike but for rounding may change places
            EXPECT_NEAR(strong[0].weight, strong[1].weight, 1e-4f) << query;
            EXPECT_EQ(strong[1].position, theirs) << query;
        }
    EXPECT_LE(differ, 5);
}

TEST_F(AttentionPictureTest, AShortPromptHasADotForEveryPair)
{
    const auto made = pictures(1, 1, someTokens(40));
    ASSERT_EQ(made.size(), 2u);
    EXPECT_EQ(made[0].queryHead, 2);
    EXPECT_EQ(made[1].queryHead, 3);
    for (const AttentionPicture &picture : made) {
        ASSERT_EQ(picture.bins, 40);
        EXPECT_EQ(picture.mean, picture.largest);
        for (int query = 0; query < 40; ++query) {
            const auto row = picture.mean.begin() + query * 40;
            EXPECT_NEAR(std::accumulate(row, row + query + 1, 0.0), 1.0, 1e-5) << query;
            EXPECT_EQ(std::accumulate(row + query + 1, row + 40, 0.0), 0.0) << "nothing is seen that comes later";
            const AttentionShares &shares = picture.shares[static_cast<std::size_t>(query)];
            EXPECT_NEAR(shares.sink + shares.window + shares.beyond, 1.0f, 1e-5f);
            const auto sum = [&](int begin, int end) { return end > begin ? std::accumulate(row + begin, row + end, 0.0) : 0.0; };
            EXPECT_NEAR(static_cast<double>(shares.beyond), sum(4, query + 1 - 16), 1e-5) << "neither sink nor recent";
            const auto strong = picture.strongestOf(query);
            EXPECT_EQ(strong[0].weight, *std::max_element(row, row + query + 1));
            for (std::size_t i = 1; i < strong.size(); ++i)
                EXPECT_LE(strong[i].weight, strong[i - 1].weight);
            EXPECT_EQ(strong[static_cast<std::size_t>(std::min(query + 1, 7))].position < 0, query < 7)
                << "no more keys than there are";
        }
    }
}

TEST_F(AttentionPictureTest, ALongPromptIsPooled)
{
    const auto made = pictures(0, 0, someTokens(500));
    ASSERT_EQ(made.size(), 2u);
    const AttentionPicture &picture = made.front();
    ASSERT_EQ(picture.bins, AttentionPicture::mostBins);
    EXPECT_EQ(picture.binBegin(0), 0);
    EXPECT_EQ(picture.binBegin(picture.bins), 500);
    double all = 0;
    for (int row = 0; row < picture.bins; ++row) {
        float strongest = 0;
        for (std::int64_t query = picture.binBegin(row); query < picture.binBegin(row + 1); ++query) {
            EXPECT_EQ(picture.binOf(query), row);
            strongest = std::max(strongest, picture.strongestOf(query)[0].weight);
        }
        const auto begin = picture.largest.begin() + row * picture.bins;
        EXPECT_EQ(*std::max_element(begin, begin + picture.bins), strongest) << "the largest weight of a row is not lost";
        for (int column = 0; column <= row; ++column) {
            const auto at = static_cast<std::size_t>(row * picture.bins + column);
            EXPECT_LE(picture.mean[at], picture.largest[at] * 1.00001f);
            std::int64_t pairs = 0;
            for (std::int64_t query = picture.binBegin(row); query < picture.binBegin(row + 1); ++query)
                pairs += std::max<std::int64_t>(0, std::min(query + 1, picture.binBegin(column + 1)) - picture.binBegin(column));
            all += static_cast<double>(picture.mean[at]) * static_cast<double>(pairs);
        }
    }
    EXPECT_NEAR(all, 500.0, 0.01) << "every query gives 1 in all";
}

TEST_F(AttentionPictureTest, WhatIsNoneIsRefused)
{
    const auto refused = [&](const AttentionPicturePlan &plan) {
        const auto made = pictureAttention(device, plan);
        return made ? std::string() : made.error().message;
    };
    EXPECT_NE(refused({.layer = 2, .tokens = {1}}).find("layers 0 to 1"), std::string::npos);
    EXPECT_NE(refused({.kvHead = -1, .tokens = {1}}).find("KV heads 0 to 1"), std::string::npos);
    EXPECT_NE(refused({}).find("empty"), std::string::npos);
    EXPECT_NE(refused({.tokens = std::vector<int>(AttentionPicturePlan::mostTokens + 1)}).find("too long"), std::string::npos);
    EXPECT_NE(refused({.tokens = {300}}).find("vocabulary"), std::string::npos);
    std::atomic<bool> cancel = true;
    const auto stopped = pictureAttention(device, {.layer = 1, .tokens = someTokens(8)}, &cancel);
    ASSERT_FALSE(stopped);
    EXPECT_TRUE(isCancelled(stopped.error()));
    // A text of the user's: the query to begin with is its last token.
    JobContext context;
    context.device = device;
    const auto text = jobs::attentionPictures(context, {.layer = 1, .kvHead = 0, .text = "abc"});
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_FALSE(text->prompt.isNeedle());
    EXPECT_EQ(text->prompt.firstAsked(), std::ssize(text->prompt.tokens) - 1);
}

} // namespace zigzag
