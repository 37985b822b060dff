// SPDX-License-Identifier: GPL-3.0-or-later
// Searches by what the answers' tokens lose in likelihood, over tasks and over a person's questions.
#include "engine/base/files.h"
#include "engine/run/log_sum_exp.h"
#include "profiler/evaluate/answer_loss.h"
#include "profiler/evaluate/answered_questions.h"
#include "profiler/search/exhaustive.h"
#include "profiler/search/search.h"
#include "tests/profiler/loaded_model.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace zigzag {
namespace {

class AnswerLoss : public test::LoadedModel
{
protected:
    void SetUp() override { load({.layers = 4}); }

    static constexpr StreamingWindow window{4, 16};
    static TaskPlan tasks(int trials = 2)
    {
        return {.kinds = {TaskKind::Passkey}, .contexts = {200}, .depths = {0.2, 0.8}, .trials = trials};
    }
    MapMeter meter(int trials = 2) const { return *MapMeter::create(device, *makeTaskPrompts(*model, tasks(trials))); }
    SearchPlan plan(SearchMethod method, SearchLoss loss) const
    {
        SearchPlan search;
        search.method = method;
        search.window = window;
        search.tasks = tasks();
        search.loss = loss;
        return search;
    }
    HeadMap layersStream(const std::vector<int> &layers) const { return mapWith(model->shape(), Unit::Layer, window, layers); }

    test::TempFolder folder;
};

/// The mean of −log p over the answers' tokens, of logits that a session computed with a cache, in chunks.
double lossOfSession(const std::shared_ptr<DeviceModel> &device, const HeadMap &map, const TaskPrompt &prompt)
{
    auto session = *Session::create(device, map, {.maxContext = std::ssize(prompt.tokens)});
    const std::vector<float> logits = *session->run(prompt.tokens, Session::Logits::All);
    const auto vocabulary = static_cast<std::size_t>(device->config().vocabulary);
    double sum = 0;
    int tokens = 0;
    for (const AnswerSpan &answer : prompt.answers)
        for (std::int64_t at = answer.begin; at < answer.end; ++at, ++tokens) {
            const auto row = std::span(logits).subspan(static_cast<std::size_t>(at - 1) * vocabulary, vocabulary);
            sum += logSumExp(row)
                - static_cast<double>(row[static_cast<std::size_t>(prompt.tokens[static_cast<std::size_t>(at)])]);
        }
    return sum / tokens;
}

TEST_F(AnswerLoss, IsThatOfASessionsLogits)
{
    MapMeter measured = meter();
    const std::vector<HeadMap> maps = {layersStream({}), layersStream({2}), layersStream({0, 1, 3})};
    for (int prompt = 0; prompt < measured.promptCount(); ++prompt) {
        const auto measures = measured.measure(prompt, maps, nullptr);
        ASSERT_TRUE(measures);
        const TaskPrompt &asked = measured.prompts()[static_cast<std::size_t>(prompt)];
        const double full = lossOfSession(device, maps[0], asked);
        for (std::size_t map = 0; map < maps.size(); ++map) {
            const double expected = lossOfSession(device, maps[map], asked);
            EXPECT_NEAR((*measures)[map].answer, expected, 1e-5) << map;
            EXPECT_NEAR((*measures)[map].answerRise, expected - full, 2e-5) << map;
        }
        EXPECT_EQ((*measures)[0].answerRise, 0.0);
        EXPECT_NE((*measures)[2].answerRise, 0.0);
    }
}

TEST_F(AnswerLoss, EachLossRanksByItsOwnMeasure)
{
    for (const SearchLoss loss : {SearchLoss::Distillation, SearchLoss::Kl, SearchLoss::Answer}) {
        auto search = *Search::create(device, plan(SearchMethod::Ablation, loss));
        const auto result = search.run({}, nullptr);
        ASSERT_TRUE(result) << result.error().message;
        MapMeter measured = meter();
        std::vector<double> means(4);
        for (int prompt = 0; prompt < measured.promptCount(); ++prompt) {
            const auto measures = *measured.measure(
                prompt, std::vector{layersStream({0}), layersStream({1}), layersStream({2}), layersStream({3})}, nullptr);
            for (std::size_t layer = 0; layer < 4; ++layer)
                means[layer] += lossOf(measures[layer], loss) / measured.promptCount();
        }
        for (std::size_t a = 0; a < 4; ++a) {
            EXPECT_NEAR(result->effects[a].loss, means[a], 1e-12) << nameOf(loss);
            for (std::size_t b = 0; b < 4; ++b)
                if (means[a] < means[b]) {
                    EXPECT_LE(result->scores.at(static_cast<int>(a), 0), result->scores.at(static_cast<int>(b), 0))
                        << nameOf(loss);
                }
        }
        ASSERT_TRUE(result->confidence);
        EXPECT_EQ(result->confidence->count, 2) << "half, where nobody says";
        std::vector<int> order = {0, 1, 2, 3};
        std::sort(order.begin(), order.end(),
                  [&](int a, int b) { return means[static_cast<std::size_t>(a)] < means[static_cast<std::size_t>(b)]; });
        std::vector<int> lowest = {order[0], order[1]};
        std::sort(lowest.begin(), lowest.end());
        EXPECT_EQ(result->confidence->streaming, lowest);
    }
}

TEST_F(AnswerLoss, GreedySelectsAnewForEveryCount)
{
    MapMeter one = meter();
    const ExhaustiveState every = *measureEveryMap(one, window);
    EXPECT_TRUE(hasAnswerLoss(every));
    for (const SearchLoss loss : {SearchLoss::Kl, SearchLoss::Answer}) {
        const GreedyPlan greedy{.unit = Unit::Layer, .window = window, .loss = loss, .count = 2};
        const auto found = runGreedy(one, greedy);
        ASSERT_TRUE(found) << found.error().message;
        const std::vector<MapOutcome> all = outcomesOf(every, loss);
        unsigned before = 0;
        for (std::size_t count = 1; count < found->path.size(); ++count) {
            unsigned mask = before;
            for (const int layer : found->path[count].streaming)
                mask |= 1u << layer;
            EXPECT_NEAR(found->path[count].loss, all[mask].loss, 1e-12);
            for (unsigned layer = 0; layer < 4; ++layer)
                if (!(before >> layer & 1u)) {
                    EXPECT_GE(all[before | 1u << layer].loss, all[mask].loss - 1e-12);
                }
            before = mask;
            ASSERT_TRUE(found->path[count].same);
            EXPECT_GT(*found->path[count].same, 0.0);
        }
        EXPECT_EQ(found->path[4].same, 1.0) << "one candidate is left";
        ASSERT_TRUE(found->cut);
        EXPECT_EQ(found->cut->streaming, found->path[2].streaming);
        EXPECT_EQ(found->cut->same, found->path[2].same);
        // A beam as wide as there are maps finds the best of every count, by this loss.
        const auto wide = runGreedy(one, {.unit = Unit::Layer, .window = window, .beam = 16, .loss = loss});
        for (const GreedyStep &step : wide->path)
            EXPECT_EQ(rankOf(layersStream(step.streaming), all)->byLoss, 1) << nameOf(loss);
    }
}

TEST_F(AnswerLoss, AnUnfinishedSearchGoesOnToTheSameAndOnlyByItsOwnLoss)
{
    const auto file = folder / "p.progress";
    for (const SearchMethod method : {SearchMethod::Ablation, SearchMethod::Greedy}) {
        SearchPlan asked = plan(method, SearchLoss::Answer);
        asked.untilSettled = method == SearchMethod::Ablation; // of four prompts none is settled, and they are shuffled
        const auto whole = Search::create(device, asked)->run({}, nullptr);
        ASSERT_TRUE(whole) << whole.error().message;
        std::atomic<bool> cancel = false;
        ASSERT_TRUE(Search::create(device, asked)->run(file, &cancel, [&](double done, int) { cancel = done >= 3; }));
        for (const SearchLoss other : {SearchLoss::Distillation, SearchLoss::Kl}) {
            SearchPlan another = asked;
            another.loss = other;
            EXPECT_FALSE(Search::create(device, another, file, Begin::GoOn)) << nameOf(other);
        }
        auto second = Search::create(device, asked, file, Begin::GoOn);
        ASSERT_TRUE(second) << second.error().message;
        EXPECT_EQ(second->alreadyDone(), 3);
        const auto finished = second->run(file, nullptr);
        ASSERT_TRUE(finished) << finished.error().message;
        EXPECT_EQ(finished->scores.scores, whole->scores.scores);
        EXPECT_EQ(finished->scores.spread, whole->scores.spread);
        EXPECT_EQ(finished->path, whole->path);
        EXPECT_EQ(finished->confidence, whole->confidence);
        EXPECT_TRUE(finished->confidence);
        std::filesystem::remove(file);
    }
}

/// Three numbers a measure, and no losses of answers.
TEST_F(AnswerLoss, ProgressOfBeforeIsStillRead)
{
    const AblationPlan byDistillation{.unit = Unit::Layer, .window = window};
    const std::string row = "[[0.0,0.0,1.0],[0.25,0.5,1.0],[0.5,0.25,0.0],[0.125,0.125,1.0],[0.25,0.0625,1.0]]";
    const auto old = AblationState::fromJson("{\"prompts\":[" + row + "]}", model->shape(), 2, byDistillation);
    ASSERT_TRUE(old) << old.error().message;
    EXPECT_EQ(effectsOf(*old)[1].loss, 0.5);
    EXPECT_EQ(old->toJson(), "{\"prompts\":[" + row + "]}") << "and written as it was";
    EXPECT_TRUE(std::isnan(old->prompts[0][1].answer));
    AblationPlan byAnswer = byDistillation;
    byAnswer.loss = SearchLoss::Answer;
    EXPECT_FALSE(AblationState::fromJson(old->toJson(), model->shape(), 2, byAnswer)) << "what is not there cannot choose";
    ExhaustiveState every;
    every.prompts = old->prompts;
    EXPECT_FALSE(hasAnswerLoss(every));

    const std::string path = R"({"path":[{"streaming":[],"loss":0.0,"error":0.0,"right":0.5}],"beam":[[]],"measured":[]})";
    const auto greedy = GreedyState::fromJson(path, model->shape(), 2, {.unit = Unit::Layer, .window = window});
    ASSERT_TRUE(greedy) << greedy.error().message;
    EXPECT_GT(greedy->answered, 0);
    EXPECT_FALSE(greedy->path[0].same);

    const auto refused = [&](const std::string &text, const GreedyPlan &plan) {
        const auto state = GreedyState::fromJson(text, model->shape(), 2, plan);
        return !state && state.error().kind == ErrorKind::BadInput;
    };
    const std::string below = R"({"path":[{"streaming":[],"loss":-0.5,"error":0.0,"right":0.5}],"beam":[[]],"measured":[]})";
    EXPECT_TRUE(refused(below, {.unit = Unit::Layer, .window = window}));
    EXPECT_FALSE(refused(below, {.unit = Unit::Layer, .window = window, .loss = SearchLoss::Answer}));
    const GreedyPlan cut{.unit = Unit::Layer, .window = window, .count = 1};
    const std::string begin
        = R"({"path":[{"streaming":[],"loss":0,"error":0,"right":1},{"streaming":[2],"loss":1,"error":0,"right":1)";
    const auto cutText
        = [&](const std::string &with) { return begin + "}],\"beam\":[[2]],\"measured\":[],\"cut\":" + with + "}"; };
    EXPECT_FALSE(refused(cutText(R"({"prompts":2,"same":0.5,"side":[1,1,0.5,0.5]})"), cut));
    EXPECT_TRUE(refused(cutText(R"({"prompts":2,"same":0.5,"side":[1,1,0.5]})"), cut));
    EXPECT_TRUE(refused(cutText(R"({"prompts":3,"same":0.5,"side":[1,1,0.5,0.5]})"), cut)) << "more than there are";
    EXPECT_TRUE(refused(cutText(R"({"prompts":2,"same":1.5,"side":[1,1,0.5,0.5]})"), cut));
    EXPECT_TRUE(refused(cutText(R"({"prompts":2,"same":0.5,"side":[1,1,0.5,2]})"), cut));
    EXPECT_TRUE(refused(cutText(R"({"prompts":2,"same":0.5,"side":[1,1,0.5,0.5]})"), {.unit = Unit::Layer, .window = window}));
}

TEST_F(AnswerLoss, ASearchStopsWithTheFirstPromptThatSettlesItsCut)
{
    for (const int count : {1, 2, 3}) {
        SearchPlan asked = plan(SearchMethod::Ablation, SearchLoss::Distillation);
        asked.tasks = tasks(10);
        asked.count = count;
        asked.untilSettled = true;
        const auto result = Search::create(device, asked)->run({}, nullptr);
        ASSERT_TRUE(result) << result.error().message;
        ASSERT_TRUE(result->confidence);
        EXPECT_TRUE(result->complete);
        EXPECT_EQ(result->all, 20);
        EXPECT_EQ(result->confidence->prompts, result->done);
        EXPECT_TRUE(result->confidence->isSettled() || result->done == result->all) << count;
        EXPECT_GE(result->done, settledPrompts);
    }
    // The same by hand: no shorter beginning of the prompts was settled.
    MapMeter measured = meter(10);
    AblationPlan ablation{.unit = Unit::Layer, .window = window, .count = 2, .untilSettled = true};
    const auto stopped = runAblation(measured, ablation);
    ASSERT_TRUE(stopped);
    for (std::size_t prompts = 2; prompts <= stopped->prompts.size(); ++prompts) {
        AblationState part;
        part.prompts.assign(stopped->prompts.begin(), stopped->prompts.begin() + static_cast<std::ptrdiff_t>(prompts));
        EXPECT_EQ(confidenceOf(part, model->shape(), ablation)->isSettled(), prompts == stopped->prompts.size() && prompts < 20)
            << prompts;
    }
}

TEST_F(AnswerLoss, WhatAMethodDoesNotHaveIsRefused)
{
    EXPECT_FALSE(Search::create(device, plan(SearchMethod::Gates, SearchLoss::Answer)));
    EXPECT_FALSE(Search::create(device, plan(SearchMethod::Attention, SearchLoss::Kl)));
    SearchPlan asked = plan(SearchMethod::Greedy, SearchLoss::Answer);
    asked.untilSettled = true;
    EXPECT_FALSE(Search::create(device, asked));
    asked = plan(SearchMethod::Ablation, SearchLoss::Answer);
    asked.count = 4;
    EXPECT_FALSE(Search::create(device, asked)) << "all four stream: nothing is chosen";
    asked.count = 3;
    EXPECT_TRUE(Search::create(device, asked));
    asked = plan(SearchMethod::Attention, SearchLoss::Distillation);
    asked.asked = std::make_shared<const std::vector<TaskPrompt>>(*makeTaskPrompts(*model, tasks()));
    EXPECT_FALSE(Search::create(device, asked));
}

/// The bundled model, whose answers mean something, and a person's questions to it.
class AnswerLossOfQuestions : public testing::Test
{
protected:
    void SetUp() override
    {
        model = *loadModel("bundled:zigzag-tiny");
        device = *uploadModel(model, *createBackend("cpu"));
        // A model that was trained on one way to ask knows no other: the questions are its tasks, as a person would write them.
        const std::vector<TaskPrompt> prompts
            = *makeTaskPrompts(*model, {.kinds = {TaskKind::Passkey}, .contexts = {300}, .depths = {0.1, 0.4}, .trials = 2});
        for (const TaskPrompt &prompt : prompts) {
            const std::span<const int> tokens(prompt.tokens);
            const auto begin = static_cast<std::size_t>(prompt.answers[0].begin),
                       end = static_cast<std::size_t>(prompt.answers[0].end);
            const nlohmann::json line = {{"prompt", model->tokenizer->decode(tokens.first(begin))},
                                         {"answer", model->tokenizer->decode(tokens.subspan(begin, end - begin))}};
            lines += line.dump() + "\n";
        }
        test::writeText(file(), lines);
    }
    std::filesystem::path file() const { return folder / "questions.jsonl"; }
    Result<AnsweredQuestions> read(const std::filesystem::path &path, std::int64_t longest = 400) const
    {
        std::vector<std::string> notes;
        return readAllQuestions(std::vector{path}, notes).and_then([&](const std::vector<Question> &questions) {
            return withGivenAnswers(*model, questions, AskAs::Auto, longest);
        });
    }
    SearchPlan plan(const std::vector<TaskPrompt> &prompts) const
    {
        SearchPlan search;
        search.window = {16, 64};
        search.loss = SearchLoss::Answer;
        search.asked = std::make_shared<const std::vector<TaskPrompt>>(prompts);
        return search;
    }

    test::TempFolder folder;
    std::string lines;
    std::shared_ptr<const Model> model;
    std::shared_ptr<DeviceModel> device;
};

TEST_F(AnswerLossOfQuestions, FullAttentionsOwnWordsCountWhereTheyAreRight)
{
    std::vector<std::string> notes;
    auto questions = readAllQuestions(std::vector{file()}, notes);
    ASSERT_TRUE(questions) << questions.error().message;
    for (Question &question : *questions)
        question.answerTokens = 8;
    const std::size_t all = questions->size();
    Question failed = questions->front();
    failed.references = {"what nobody says"};
    questions->push_back(failed);
    const auto own = withOwnAnswers(device, *model, *questions, AskAs::Text, 400);
    ASSERT_TRUE(own) << own.error().message;
    ASSERT_EQ(own->prompts.size(), all) << "what full attention fails is left out";
    ASSERT_EQ(own->notes.size(), 1u);
    EXPECT_NE(own->notes[0].find(std::to_string(all) + " of " + std::to_string(all + 1) + " questions"), std::string::npos)
        << own->notes[0];
    auto meter = MapMeter::create(device, own->prompts);
    ASSERT_TRUE(meter) << meter.error().message;
    const HeadMap full(model->shape(), HeadKind::Retrieval, 16, 64);
    for (int prompt = 0; prompt < meter->promptCount(); ++prompt) {
        const auto measured = meter->measure(prompt, std::vector{full}, nullptr);
        ASSERT_TRUE(measured);
        EXPECT_EQ(measured->front().right, 1.0) << "greedy decoding says its own words";
    }
}

TEST_F(AnswerLossOfQuestions, LayersAreRankedOverAPersonsPrompts)
{
    const auto questions = read(file());
    ASSERT_TRUE(questions) << questions.error().message;
    ASSERT_EQ(questions->prompts.size(), 4u);
    const auto result = Search::create(device, plan(questions->prompts))->run({}, nullptr);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_TRUE(result->complete && result->answered && result->isAsked);
    EXPECT_EQ(result->scores.method, "answer-loss");
    double largest = -1e9;
    for (const AblationEffect &effect : result->effects)
        largest = std::max(largest, effect.loss);
    EXPECT_GT(largest, 0.5) << "some layer alone carries what is far away";
    const auto gates = [&] {
        SearchPlan trained = plan(questions->prompts);
        trained.method = SearchMethod::Gates;
        trained.loss = SearchLoss::Distillation;
        trained.steps = 2;
        return Search::create(device, trained)->run({}, nullptr);
    }();
    ASSERT_TRUE(gates) << gates.error().message;
    EXPECT_TRUE(gates->answered);
}

TEST_F(AnswerLossOfQuestions, OtherQuestionsDoNotGoOnFromTheProgressOfThese)
{
    const auto progress = folder / "p.progress";
    const auto questions = read(file());
    ASSERT_TRUE(questions);
    std::atomic<bool> cancel = false;
    ASSERT_TRUE(
        Search::create(device, plan(questions->prompts))->run(progress, &cancel, [&](double done, int) { cancel = done >= 2; }));
    std::string other = lines;
    const std::size_t at = other.rfind("answer\":\"") + 9;
    other[at + 1] = other[at + 1] == '7' ? '3' : '7';
    test::writeText(folder / "other.jsonl", other);
    const auto others = read(folder / "other.jsonl");
    ASSERT_TRUE(others) << others.error().message;
    EXPECT_NE(digestOf(others->prompts), digestOf(questions->prompts));
    const auto refused = Search::create(device, plan(others->prompts), progress, Begin::GoOn);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("another search"), std::string::npos);
    const auto same = Search::create(device, plan(read(file())->prompts), progress, Begin::GoOn);
    ASSERT_TRUE(same) << same.error().message;
    EXPECT_EQ(same->alreadyDone(), 2);
}

TEST(IsAnswered, APersonsAnswerMustBeLikelyAndAMadeOneSaid)
{
    TaskPrompt made, asked;
    asked.kind = TaskKind::Asked;
    EXPECT_TRUE(isAnswered(made, 0.5, 9));
    EXPECT_FALSE(isAnswered(made, 0, 0.1));
    EXPECT_TRUE(isAnswered(asked, 0, 2.3));
    EXPECT_FALSE(isAnswered(asked, 0, 2.31));
    EXPECT_TRUE(isAnswered(asked, 1, 9));
}

/// Among all 256 maps of the bundled model: what greedy search by the answers' loss takes loses the answers no more than what it
/// takes by distillation, at every count.
TEST(BundledAnswerLoss, GreedyByItIsNoWorseInIt)
{
    const auto model = *loadModel("bundled:zigzag-tiny");
    const auto device = *uploadModel(model, *createBackend("cpu"));
    const StreamingWindow window{16, 64};
    auto meter = *MapMeter::create(
        device,
        *makeTaskPrompts(*model, {.kinds = {TaskKind::Passkey, TaskKind::Passkeys}, .contexts = {300}, .depths = {0.1, 0.5}}));
    const std::vector<MapOutcome> all = outcomesOf(*measureEveryMap(meter, window), SearchLoss::Answer);
    ASSERT_EQ(all.size(), 256u);
    const auto riseOf = [&](SearchLoss loss) {
        std::vector<double> rises;
        const auto found = runGreedy(meter, {.unit = Unit::Layer, .window = window, .loss = loss});
        for (const GreedyStep &step : found->path) {
            std::size_t mask = 0;
            for (const int layer : step.streaming)
                mask |= std::size_t{1} << layer;
            rises.push_back(all[mask].loss);
        }
        return rises;
    };
    const std::vector<double> byAnswer = riseOf(SearchLoss::Answer), byDistillation = riseOf(SearchLoss::Distillation);
    for (std::size_t count = 0; count < byAnswer.size(); ++count)
        EXPECT_LE(byAnswer[count], byDistillation[count] + 1e-5) << count << " streaming"; // nats: as sure as float32 logits are
}

} // namespace
} // namespace zigzag
