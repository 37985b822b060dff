// SPDX-License-Identifier: GPL-3.0-or-later
// The file in which an unfinished search waits, for every method; what is accepted is written and read back as the same, and
// gives scores that may be kept.
#include "engine/map/checks.h"
#include "engine/map/head_scores_io.h"
#include "profiler/search/ablation.h"
#include "profiler/search/attention_score.h"
#include "profiler/search/exhaustive.h"
#include "profiler/search/gate_training.h"
#include "profiler/search/greedy.h"
#include "profiler/search/quality_sweep.h"
#include "profiler/search/search_progress.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace zigzag;

const ModelShape model{"m", 2, 4, 2, 8, "sha256:00"};
constexpr std::size_t prompts = 3;

template <class State, class... Plan> std::optional<State> readTwice(const std::string &text, const Plan &...plan)
{
    auto state = State::fromJson(text, plan...);
    if (!state)
        return std::nullopt;
    const std::string written = state->toJson();
    const auto again = State::fromJson(written, plan...);
    test::require(again.has_value() && again->toJson() == written);
    return std::move(*state);
}

void checked(const HeadScores &scores)
{
    test::require(checkScores(scores, "result").has_value());
}

} // namespace

ZIGZAG_FUZZ(search_progress)
{
    const auto file = test::fuzzFile("progress.json", input);
    for (const std::string_view method : {"ablation", "greedy", "gates", "attention", "sweep", "every-map"}) {
        const auto saved = loadProgress(file, method, "{}");
        if (!saved || !*saved)
            continue;
        for (const Unit unit : {Unit::Layer, Unit::Head}) {
            if (method == "ablation") {
                for (const SearchLoss loss : {SearchLoss::Distillation, SearchLoss::Answer}) {
                    const AblationPlan plan{.unit = unit, .window = {}, .loss = loss, .count = 1};
                    const auto state = readTwice<AblationState>(**saved, model, prompts, plan);
                    if (!state || state->prompts.empty())
                        continue;
                    checked(ablationScores(*state, model, plan));
                    if (const auto sure = confidenceOf(*state, model, plan))
                        test::require(sure->same >= 0 && sure->same <= 1 && sure->streaming.size() == 1);
                }
            } else if (method == "greedy") {
                for (const SearchLoss loss : {SearchLoss::Distillation, SearchLoss::Answer}) {
                    const GreedyPlan plan{.unit = unit, .window = {}, .beam = 2, .loss = loss, .count = 1};
                    if (const auto state = readTwice<GreedyState>(**saved, model, prompts, plan); state && !state->path.empty())
                        checked(greedyScores(*state, model, plan));
                }
            } else if (method == "gates") {
                const GatePlan plan{.unit = unit, .window = {}, .steps = 4};
                if (const auto state = readTwice<GateState>(**saved, model, plan))
                    checked(gateScores(*state, model, plan));
            } else if (method == "attention") {
                if (const auto state = readTwice<AttentionState>(**saved, model, static_cast<int>(prompts));
                    state && state->done > 0)
                    checked(foldAttention(model, measureOf(*state, static_cast<int>(prompts)), Fold::Max));
            } else if (method == "sweep") {
                if (const auto state = sweepStateFrom(**saved, prompts, 2)) {
                    const auto again = sweepStateFrom(sweepStateJson(*state), prompts, 2);
                    test::require(again && sweepStateJson(*again) == sweepStateJson(*state));
                    test::require(state->begun.empty() || state->begun.size() == 3);
                }
            } else if (const auto state = readTwice<ExhaustiveState>(**saved, model, prompts); state && !state->prompts.empty()) {
                (void)rankOf(HeadMap(model, HeadKind::Streaming, 4, 16), outcomesOf(*state));
            }
        }
    }
}
