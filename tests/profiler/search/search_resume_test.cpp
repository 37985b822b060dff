// SPDX-License-Identifier: GPL-3.0-or-later
// Searches that are stopped within a prompt, and go on to the same end.
#include "profiler/search/search.h"
#include "tests/engine/run/failing_backend.h"
#include "tests/profiler/loaded_model.h"
#include "tests/temp_folder.h"

#include <algorithm>
#include <atomic>
#include <filesystem>

namespace zigzag {
namespace {

/// Sets a flag behind so many of the results that are fetched.
class StoppingBackend : public test::FailingBackend
{
public:
    using FailingBackend::FailingBackend;
    int downloadsLeft = 0;
    std::atomic<bool> *cancel = nullptr;

    void download(void *to, const void *from, std::size_t bytes) override
    {
        FailingBackend::download(to, from, bytes);
        if (downloadsLeft > 0 && --downloadsLeft == 0)
            *cancel = true;
    }
};

class SearchResume : public test::LoadedModel
{
protected:
    void SetUp() override { load({.layers = 4}); }

    static constexpr StreamingWindow window{4, 16};
    static TaskPlan tasks() { return {.kinds = {TaskKind::Passkey}, .contexts = {200}, .depths = {0.2, 0.8}, .trials = 1}; }
    MapMeter meter()
    {
        auto made = MapMeter::create(device, *makeTaskPrompts(*model, tasks()));
        EXPECT_TRUE(made) << made.error().message;
        return std::move(*made);
    }
};

/// Stopped behind any map of any prompt: what was measured waits in the state, is not measured again, and the end is the same.
TEST_F(SearchResume, AblationGoesOnWithinAPrompt)
{
    const AblationPlan ablation{Unit::Layer, window};
    MapMeter one = meter();
    const auto whole = runAblation(one, ablation);
    ASSERT_TRUE(whole);
    for (int stopAt = 1; stopAt < 2 * 5; ++stopAt) {
        MapMeter two = meter();
        std::atomic<bool> cancel = false;
        int heard = 0;
        AblationState last;
        const auto stop = [&](const AblationState &state) {
            last = state;
            cancel = ++heard == stopAt;
        };
        const auto part = runAblation(two, ablation, {}, &cancel, {}, stop);
        const std::size_t prompts = static_cast<std::size_t>(stopAt) / 5;
        EXPECT_EQ(part.has_value(), prompts > 0) << "of no whole prompt there is no result";
        if (part)
            last = *part;
        EXPECT_EQ(last.prompts.size(), prompts);
        const auto read = AblationState::fromJson(last.toJson(), two.shape(), two.prompts().size(), ablation);
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->begun, last.begun);
        EXPECT_EQ(std::count_if(last.begun.begin(), last.begun.end(), [](const auto &each) { return each.has_value(); }),
                  stopAt % 5);
        int more = 0;
        const auto ended = runAblation(two, ablation, *read, nullptr, {}, [&](const AblationState &) { ++more; });
        ASSERT_TRUE(ended);
        EXPECT_EQ(ended->prompts, whole->prompts);
        EXPECT_EQ(more, two.promptCount() * 5 - stopAt);
    }
}

TEST_F(SearchResume, GreedyGoesOnWithinAPrompt)
{
    const GreedyPlan greedy{Unit::Layer, window};
    MapMeter one = meter();
    const auto whole = runGreedy(one, greedy);
    ASSERT_TRUE(whole);
    for (const int stopAt : {1, 2, 5, 17, 19}) {
        MapMeter two = meter();
        std::atomic<bool> cancel = false;
        int heard = 0;
        const auto part = runGreedy(two, greedy, {}, &cancel, {}, [&](const GreedyState &) { cancel = ++heard == stopAt; });
        ASSERT_TRUE(part);
        const auto read = GreedyState::fromJson(part->toJson(), two.shape(), two.prompts().size(), greedy);
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->begun, part->begun);
        int more = 0;
        const auto ended = runGreedy(two, greedy, *read, nullptr, {}, [&](const GreedyState &) { ++more; });
        ASSERT_TRUE(ended);
        EXPECT_EQ(ended->path, whole->path);
        EXPECT_EQ(more, two.promptCount() * (4 + 3 + 2 + 1) - stopAt) << "nothing is measured again";
    }
}

/// The file has it as soon as the search is stopped, also where no prompt is done.
TEST_F(SearchResume, ASearchThatIsStoppedInItsFirstPromptLeavesWhatItMeasured)
{
    const test::TempFolder folder;
    const auto file = folder / "search.progress";
    SearchPlan plan;
    plan.window = window;
    plan.tasks = tasks();
    std::atomic<bool> cancel = false;
    const auto stopping = std::make_shared<StoppingBackend>(*createBackend("cpu"));
    auto onIt = uploadModel(model, stopping);
    ASSERT_TRUE(onIt) << onIt.error().message;
    auto search = Search::create(*onIt, plan);
    ASSERT_TRUE(search) << search.error().message;
    stopping->cancel = &cancel;
    stopping->downloadsLeft = 6; // full attention's reference, and some of the maps
    auto stopped = search->run(file, &cancel);
    ASSERT_FALSE(stopped) << "no prompt was done";
    ASSERT_TRUE(std::filesystem::exists(file));
    cancel = false;
    auto again = Search::create(*onIt, plan, file, Begin::GoOn);
    ASSERT_TRUE(again) << again.error().message;
    auto fresh = Search::create(*onIt, plan);
    const auto resumed = again->run(file, nullptr), whole = fresh->run({}, nullptr);
    ASSERT_TRUE(resumed);
    ASSERT_TRUE(whole);
    EXPECT_EQ(resumed->scores.scores, whole->scores.scores);
    EXPECT_LE(resumed->layerRuns, whole->layerRuns) << "what waited there was not measured again";
}

} // namespace
} // namespace zigzag
