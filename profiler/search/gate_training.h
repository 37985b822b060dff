// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/layer_pass.h"
#include "profiler/evaluate/task_prompts.h"
#include "profiler/evaluate/told_run.h"
#include "profiler/search/search_units.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// DuoAttention's optimisation (arXiv 2410.10819, section 2.3) on the frozen model: the output of a head is
/// α · full + (1 − α) · streaming; the loss is the distillation loss plus λ times the mean of α; Adam; α stays in [0, 1].
struct GatePlan {
    Unit unit = Unit::Head; ///< Layer: one α for a layer, so that the map is exclusive inside the optimisation itself
    StreamingWindow window;
    int steps = 200; ///< one prompt each
    double rate = 0.02; ///< Adam's; it rises over the first tenth and falls to zero over the last half
    double lambda = 0.05; ///< weight of the mean gate
    std::uint64_t seed = 1; ///< of the order of the prompts
};

/// How far a training is: a value that can be written down and taken up again, with the same result as without the break.
struct GateState {
    int step = 0; ///< steps done
    std::vector<double> gates, first, second; // [units]: α and Adam's two moments
    std::vector<double> sums, squares; // [units]: of α over the last quarter of the steps, for the spread
    std::vector<double> losses; // [steps done]: distillation loss of each step
    int answered = 0; ///< steps with a prompt of which full attention says an answer

    std::string toJson() const;
    static Result<GateState> fromJson(std::string_view text, const ModelShape &model, const GatePlan &plan);
};

/// Trains the gates of one model on prompts, on a backend with gradient ops: activations in its type, gradients in float32.
class GateTraining
{
public:
    static Result<GateTraining> create(std::shared_ptr<DeviceModel> model, std::vector<TaskPrompt> prompts, const GatePlan &plan);

    /// Runs the steps that `from` has not run. `onStep` hears of each. Cancelled, it returns the steps that were complete.
    Result<GateState> run(GateState from = {}, const std::atomic<bool> *cancel = nullptr,
                          const std::function<void(const GateState &)> &onStep = {});
    /// The distillation loss of one prompt and its gradient for every unit's α: what one step follows. [units]
    Result<double> lossAndGradient(int prompt, std::span<const double> gates, std::vector<double> &gradient,
                                   const std::atomic<bool> *cancel = nullptr);
    /// Seconds of one step, from one that is timed and thrown away.
    Result<double> estimateSecondsPerStep(const std::atomic<bool> *cancel = nullptr);
    /// Hears, now and then after a layer, which share of the running step is done.
    std::function<void(double share)> onLayer;

    int promptCount() const { return static_cast<int>(m_prompts.size()); }

private:
    GateTraining() = default;
    Result<void> makeTarget(int prompt, const std::atomic<bool> *cancel);
    std::vector<std::vector<float>> gatesByLayer(std::span<const double> gates) const; // [layers][kv_heads]
    int promptOf(int step) const;

    std::shared_ptr<DeviceModel> m_model;
    GatePlan m_plan;
    std::vector<TaskPrompt> m_prompts;
    std::vector<std::vector<std::int64_t>> m_rows; ///< of each prompt: the positions that predict its answers
    std::vector<bool> m_answered; ///< [prompts]: whether full attention says one of the answers
    std::vector<std::vector<float>> m_targets; ///< full attention's last hidden states there; empty where not made yet
    std::unique_ptr<LayerPass> m_pass;
    std::vector<std::unique_ptr<Buffer>> m_states; // [layers + 1]
    std::unique_ptr<Buffer> m_gradient;
    Paced m_paced;
};

/// Score = α; spread = standard deviation of α over the last quarter of the steps.
HeadScores gateScores(const GateState &state, const ModelShape &model, const GatePlan &plan);

} // namespace zigzag
