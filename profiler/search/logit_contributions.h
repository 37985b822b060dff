// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_pattern.h"
#include "engine/run/layer_pass.h"
#include "profiler/evaluate/task_prompts.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace zigzag {

/// From what the logits of a prompt's right answer are made, part by part: direct logit attribution, the direct paths of
/// "A Mathematical Framework for Transformer Circuits" (Elhage et al., 2021, transformer-circuits.pub). The residual stream is a
/// sum, so a logit is one too once the final norm's scale is taken as it came out. Logits are told against the mean over the
/// vocabulary, which no distribution depends on, before a model's soft cap, and as means over the answers' tokens.
///
/// What a part gives is what it says itself; what later layers make of it counts for them.
struct LogitContributions {
    double embedding = 0;
    std::vector<double> heads; // [layers, query_heads]
    /// Of each head the part that comes from keys a streaming head would not see: with the weights of full attention, which a
    /// streaming head would spread over the keys that are left.
    std::vector<double> beyond; // [layers, query_heads]
    std::vector<double> bias; // [layers]; of the output projection
    std::vector<double> layer; // [layers]; all that the layer adds: heads, bias and feed-forward
    double logit = 0; ///< as the model gives it: embedding and layers, but for rounding and a soft cap
    double right = 0; ///< share of the answers that greedy decoding says
    double loss = 0; ///< of the answers' tokens (answerLoss)
};

/// Takes prompts apart, with full attention. Used from one thread at a time.
class LogitParts
{
public:
    /// `tokens`: of the longest prompt. `window`: what a streaming head would keep.
    static Result<LogitParts> create(std::shared_ptr<DeviceModel> device, std::int64_t tokens, StreamingWindow window);

    /// `onLayer` hears which share of the layers is done.
    Result<LogitContributions> of(const TaskPrompt &prompt, const std::atomic<bool> *cancel = nullptr,
                                  const std::function<void(double share)> &onLayer = {});

private:
    LogitParts() = default;
    std::vector<double> directions(const std::vector<int> &targets) const;

    std::shared_ptr<DeviceModel> m_device;
    StreamingWindow m_window;
    std::unique_ptr<LayerPass> m_pass;
    std::unique_ptr<Buffer> m_states;
    std::vector<double> m_norm; // [hidden], the final norm's weight
    std::vector<double> m_meanRow; // [hidden], of the rows that give logits
};

/// The positions whose predictions are a prompt's answers, and the tokens that are right there.
struct AnswerRows {
    std::vector<std::int64_t> rows;
    std::vector<int> targets;
};
AnswerRows answerRows(const TaskPrompt &prompt);

} // namespace zigzag
