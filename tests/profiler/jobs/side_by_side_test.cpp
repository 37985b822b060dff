// SPDX-License-Identifier: GPL-3.0-or-later
// Two maps that answer one prompt: on the bundled model, whose needles a streaming map loses, and on a random one.
#include "profiler/evaluate/needle_trials.h"
#include "profiler/jobs/side_by_side_job.h"
#include "tests/profiler/loaded_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace zigzag {
namespace {

using jobs::AnsweredToken;
using jobs::MapAnswer;
using jobs::SideBySide;

std::vector<int> idsOf(const MapAnswer &answer)
{
    std::vector<int> ids;
    for (const AnsweredToken &token : answer.tokens)
        ids.push_back(token.token);
    return ids;
}

/// What one map says by itself, token by token, its end token with it.
std::vector<int> alone(const std::shared_ptr<DeviceModel> &device, const HeadMap &map, const std::vector<int> &prompt, int most)
{
    auto session = Session::create(device, map, {.maxContext = std::ssize(prompt) + most});
    EXPECT_TRUE(session) << session.error().message;
    std::vector<int> next = prompt, said;
    const std::vector<int> &ends = device->config().endTokens;
    for (int i = 0; i < most; ++i) {
        const std::vector<float> logits = (*session)->run(next).value();
        said.push_back(static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
        if (std::find(ends.begin(), ends.end(), said.back()) != ends.end())
            break;
        next = {said.back()};
    }
    return said;
}

/// What a map gives each token of a text behind a prompt.
std::vector<double> givenTo(const std::shared_ptr<DeviceModel> &device, const HeadMap &map, std::vector<int> prompt,
                            const std::vector<int> &text)
{
    const std::size_t begin = prompt.size();
    prompt.insert(prompt.end(), text.begin(), text.end());
    auto session = Session::create(device, map, {.maxContext = std::ssize(prompt)});
    const std::vector<float> rows = (*session)->run(prompt, Session::Logits::All).value();
    const auto vocabulary = static_cast<std::size_t>(device->config().vocabulary);
    std::vector<double> given;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const float *row = rows.data() + (begin + i - 1) * vocabulary;
        double sum = 0;
        for (std::size_t id = 0; id < vocabulary; ++id)
            sum += std::exp(static_cast<double>(row[id]));
        given.push_back(std::exp(static_cast<double>(row[text[i]])) / sum);
    }
    return given;
}

/// What each map gives the text of either, to its end, is what it gives that text in a run of its own.
void expectGiven(const SideBySide &both, const std::shared_ptr<DeviceModel> &device, const std::array<HeadMap, 2> &maps,
                 const std::vector<int> &prompt, double tolerance)
{
    for (std::size_t side = 0; side < 2; ++side) {
        const std::vector<int> text = idsOf(both.answers[side]);
        const std::vector<double> own = givenTo(device, maps[side], prompt, text),
                                  other = givenTo(device, maps[1 - side], prompt, text);
        for (std::size_t i = 0; i < text.size(); ++i) {
            const AnsweredToken &token = both.answers[side].tokens[i];
            EXPECT_NEAR(token.probability, own[i], tolerance) << side << ", " << i;
            ASSERT_TRUE(token.othersProbability) << side << ", " << i;
            EXPECT_NEAR(*token.othersProbability, other[i], tolerance) << side << ", " << i;
        }
    }
}

TEST(SideBySide, AStreamingMapPartsFromFullAttentionAtADigitOfTheKeyThatItLost)
{
    const std::shared_ptr<const Model> model = *loadModel("bundled:zigzag-tiny");
    const std::shared_ptr<DeviceModel> device = *uploadModel(model, *createBackend("cpu"));
    const auto trials = NeedleTrials::plan(*model, {768}, {0.4}, 1, 2);
    ASSERT_TRUE(trials) << trials.error().message;
    const NeedlePrompt needle = trials->prompt(768, 0.4, 0).value();
    const HeadMap full(model->shape(), HeadKind::Retrieval, 4, 64), streaming = full.withEvery(HeadKind::Streaming);
    KnownMachine known;
    constexpr int most = 12;
    const jobs::SideBySidePlan plan{.maps = {{{"full", full}, {"streaming", streaming}}}, .prompt = needle.tokens, .most = most};
    std::size_t told = 0;
    const auto both = jobs::sideBySide({device, &known, nullptr, {}}, plan, [&](const SideBySide &soFar) {
        EXPECT_GE(soFar.answers[0].tokens.size(), told) << "nothing that was said goes away";
        told = soFar.answers[0].tokens.size();
    });
    ASSERT_TRUE(both) << both.error().message;
    EXPECT_TRUE(both->isComplete);
    EXPECT_EQ(both->promptTokens, std::ssize(needle.tokens));
    const std::array maps = {full, streaming};
    for (std::size_t side = 0; side < 2; ++side)
        EXPECT_EQ(idsOf(both->answers[side]), alone(device, maps[side], needle.tokens, most)) << plan.maps[side].name;

    const std::vector<int> ids = idsOf(both->answers[0]), others = idsOf(both->answers[1]);
    ASSERT_GE(ids.size(), needle.answer.size());
    EXPECT_TRUE(std::equal(needle.answer.begin(), needle.answer.end(), ids.begin())) << "full attention finds the key";
    const auto parting
        = static_cast<std::size_t>(std::mismatch(ids.begin(), ids.end(), others.begin(), others.end()).first - ids.begin());
    ASSERT_EQ(both->parting, parting);
    ASSERT_LT(parting, needle.answer.size()) << "at a digit";
    const AnsweredToken &mine = *both->partingToken(0), &its = *both->partingToken(1);
    EXPECT_EQ(mine.text.size(), 1u);
    EXPECT_NE(mine.text.find_first_of("0123456789"), std::string::npos) << mine.text;
    EXPECT_GT(mine.probability, mine.othersProbability.value()) << "who looks back is surer of the digit";
    EXPECT_LT(its.othersProbability.value(), its.probability);
    EXPECT_EQ(mine.likeliest.front().token, mine.token) << "greedy";
    EXPECT_EQ(mine.likeliest.size(), 5u);
    EXPECT_EQ(mine.othersLikeliest.front().token, its.token);

    expectGiven(*both, device, maps, needle.tokens, 0.02); // bfloat16: a token alone is rounded otherwise than many
}

class SideBySideOfARandomModel : public test::LoadedModel
{
protected:
    JobContext context() { return {device, &known, &cancel, {}}; }
    jobs::SideBySidePlan plan(int most = 24) const
    {
        return {.maps = {{{"full", map(HeadKind::Retrieval)}, {"streaming", map(HeadKind::Streaming, 1, 4)}}},
                .prompt = model->tokenizer->encode("Some text that is longer than what streaming heads keep of it.", true),
                .most = most};
    }
    KnownMachine known;
    std::atomic<bool> cancel = false;
};

TEST_F(SideBySideOfARandomModel, TheSameMapTwiceNeverParts)
{
    jobs::SideBySidePlan twice = plan();
    twice.maps[1] = {"again", twice.maps[0].map};
    const auto both = jobs::sideBySide(context(), twice);
    ASSERT_TRUE(both) << both.error().message;
    EXPECT_FALSE(both->parting);
    EXPECT_EQ(both->partingToken(0), nullptr);
    EXPECT_EQ(idsOf(both->answers[0]), idsOf(both->answers[1]));
    for (const AnsweredToken &token : both->answers[0].tokens)
        EXPECT_EQ(token.othersProbability.value(), token.probability);
}

TEST_F(SideBySideOfARandomModel, EachReadsTheOthersTextToItsEnd)
{
    const jobs::SideBySidePlan asked = plan(40); // more than are read at once
    const auto both = jobs::sideBySide(context(), asked);
    ASSERT_TRUE(both) << both.error().message;
    ASSERT_TRUE(both->parting);
    ASSERT_LT(*both->parting, 20u) << "much is read that is not known by itself";
    expectGiven(*both, device, {asked.maps[0].map, asked.maps[1].map}, asked.prompt, 1e-4);
    jobs::SideBySidePlan alone = asked;
    alone.readsOther = false;
    const auto unread = jobs::sideBySide(context(), alone);
    ASSERT_TRUE(unread) << unread.error().message;
    EXPECT_TRUE(unread->answers[0].tokens[*unread->parting].othersProbability);
    EXPECT_FALSE(unread->answers[0].tokens.back().othersProbability);
}

TEST_F(SideBySideOfARandomModel, TheTextsOfTheTokensAreTheTextOfTheAnswer)
{
    const auto both = jobs::sideBySide(context(), plan(48));
    ASSERT_TRUE(both) << both.error().message;
    for (const MapAnswer &answer : both->answers) {
        std::vector<int> all = plan().prompt;
        const std::size_t before = model->tokenizer->decode(all).size();
        for (const AnsweredToken &token : answer.tokens)
            if (!token.isEnd)
                all.push_back(token.token);
        EXPECT_EQ(answer.text(), model->tokenizer->decode(all).substr(before));
        EXPECT_EQ(answer.end, answer.tokens.back().isEnd ? MapAnswer::End::Stop : MapAnswer::End::Length);
    }
}

TEST_F(SideBySideOfARandomModel, ACancelLeavesWhatWasGenerated)
{
    const auto part = jobs::sideBySide(context(), plan(), [&](const SideBySide &soFar) {
        cancel = soFar.answers[0].tokens.size() == 3; // the next step does not end
    });
    ASSERT_TRUE(part) << part.error().message;
    EXPECT_FALSE(part->isComplete);
    for (const MapAnswer &answer : part->answers) {
        EXPECT_EQ(answer.tokens.size(), 3u);
        EXPECT_EQ(answer.end, MapAnswer::End::None);
    }
    cancel = true;
    const auto nothing = jobs::sideBySide(context(), plan());
    ASSERT_FALSE(nothing);
    EXPECT_TRUE(isCancelled(nothing.error()));
}

TEST_F(SideBySideOfARandomModel, AMapRunsAsTheEngineThatServesIt)
{
    jobs::SideBySidePlan served = plan();
    served.maps[1].served
        = EngineServing{.engine = "forgetful", .asRun = [](const HeadMap &map) { return map.withEvery(HeadKind::Retrieval); }};
    const auto both = jobs::sideBySide(context(), served);
    ASSERT_TRUE(both) << both.error().message;
    EXPECT_EQ(idsOf(both->answers[0]), idsOf(both->answers[1]));
    EXPECT_EQ(idsOf(both->answers[1]), alone(device, map(HeadKind::Retrieval), served.prompt, served.most));
}

TEST_F(SideBySideOfARandomModel, WhatDoesNotFitIsRefusedBeforeAnythingRuns)
{
    int told = 0;
    const auto counted = [&](const SideBySide &) { ++told; };
    const auto large = jobs::sideBySide(context(), plan(1 << 30), counted);
    ASSERT_FALSE(large);
    EXPECT_NE(large.error().message.find("choose a context of at most"), std::string::npos) << large.error().message;
    EXPECT_EQ(large.error().message.find('\n'), std::string::npos);
    jobs::SideBySidePlan silent = plan();
    silent.prompt.clear();
    EXPECT_FALSE(jobs::sideBySide(context(), silent, counted));
    EXPECT_FALSE(jobs::sideBySide(context(), plan(0), counted));
    EXPECT_EQ(told, 0);
}

} // namespace
} // namespace zigzag
