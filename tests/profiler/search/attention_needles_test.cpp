// SPDX-License-Identifier: GPL-3.0-or-later
// Attention scores of query heads and of prompts with several needles, on the bundled model.
#include "engine/map/head_scores_io.h"
#include "engine/run/device_model.h"
#include "profiler/search/attention_score.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

class AttentionNeedles : public testing::Test
{
protected:
    AttentionMeasure measure(int needles, const std::atomic<bool> *cancel = nullptr,
                             const std::function<void(int, int)> &progress = {})
    {
        const AttentionScorePlan plan{.contexts = {512}, .depths = {0.2, 0.7}, .trials = 1, .needles = needles, .seed = 9};
        auto measured = measureAttention(device, plan, cancel, progress);
        EXPECT_TRUE(measured) << measured.error().message;
        return measured ? *measured : AttentionMeasure{};
    }
    std::shared_ptr<const Model> model = *loadModel("bundled:zigzag-tiny");
    std::shared_ptr<DeviceModel> device = *uploadModel(model, *createBackend("cpu"));
};

TEST_F(AttentionNeedles, OneAndSeveralFindTheSameCopyingHeads)
{
    for (const int needles : {1, 4}) {
        const AttentionMeasure measured = measure(needles);
        ASSERT_EQ(measured.mean.size(), 64u); // layers x query heads
        EXPECT_EQ(measured.done, 2);
        // TRAINING.md: layer 6 heads 2, 3, 6, 7 and layer 7 heads 2, 3, 6 copy; layer 2 does not.
        for (const std::size_t head : {6 * 8 + 2, 6 * 8 + 3, 6 * 8 + 6, 6 * 8 + 7, 7 * 8 + 2, 7 * 8 + 3})
            EXPECT_GT(measured.mean[head], 0.8f) << needles << " needles, query head " << head;
        EXPECT_LT(*std::max_element(measured.mean.begin() + 2 * 8, measured.mean.begin() + 3 * 8), 0.1f);

        const HeadScores best = foldAttention(model->shape(), measured, Fold::Max),
                         mean = foldAttention(model->shape(), measured, Fold::Mean);
        EXPECT_EQ(best.at(7, 3), std::max(measured.mean[7 * 8 + 6], measured.mean[7 * 8 + 7]));
        EXPECT_NEAR(mean.at(7, 3), 0.5f * (measured.mean[7 * 8 + 6] + measured.mean[7 * 8 + 7]), 1e-6f);
    }
}

TEST_F(AttentionNeedles, ACancelKeepsThePromptsThatWereDone)
{
    std::atomic<bool> cancel = false;
    const AttentionMeasure part = measure(1, &cancel, [&](int done, int) { cancel = done == 1; });
    EXPECT_EQ(part.done, 1);
    EXPECT_EQ(part.all, 2);
    EXPECT_EQ(part.mean.size(), 64u);
    cancel = true;
    const AttentionScorePlan plan{.contexts = {512}, .depths = {0.2}, .trials = 1};
    EXPECT_FALSE(measureAttention(device, plan, &cancel));
}

} // namespace
} // namespace zigzag
