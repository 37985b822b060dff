// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/layer_pass.h"
#include "engine/run/session.h"
#include "profiler/evaluate/task_prompts.h"
#include "profiler/evaluate/told_run.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zigzag {

/// What one map does to one prompt, against full attention.
struct PromptMeasure {
    /// DuoAttention's distillation loss (arXiv 2410.10819, section 2.3): the squared distance of the last hidden states,
    /// mean over hidden dimensions and over the positions that predict the answers' tokens.
    double loss = 0;
    double kl = 0; ///< of the next-token distribution from full attention's, nats, mean over the same positions
    double right = 0; ///< share of the answers that greedy decoding says
    /// Of the answers' tokens, each after the right ones before it: mean negative log-likelihood, nats. What lies behind an
    /// answer does not count. Not-a-number where it was read from a file that did not have it.
    double answer = 0;
    double answerRise = 0; ///< `answer` less full attention's on the same prompt, nats; of either sign

    bool operator==(const PromptMeasure &) const = default;
};

/// A prompt that was stopped between two maps: the measures that there are. [maps], or empty: none.
using BegunPrompt = std::vector<std::optional<PromptMeasure>>;

/// How an engine that is not ours runs the maps that are measured.
struct ServedBy {
    std::string engine; ///< as --as-engine names it; empty: ours, and nothing below counts
    HeadMap (*asRun)(const HeadMap &map) = nullptr; ///< the map that it runs in the place of one
    /// The model with what stands in for sinks there, in every layer that a map may let stream: a layer of a measured map is
    /// this model's where it streams, and the plain one's where it does not. Null where nothing stands in.
    std::shared_ptr<DeviceModel> standIns;
};

/// Measures maps on prompts. Maps that agree in their lowest layers share those layers' work: the maps of a call are sorted,
/// so that each distinct beginning of layers is run once. Used from one thread at a time.
class MapMeter
{
public:
    /// What is measured against is full attention of `model` whoever serves the maps. Stand-ins must be on its backend.
    static Result<MapMeter> create(std::shared_ptr<DeviceModel> model, std::vector<TaskPrompt> prompts, ServedBy served = {});

    /// One measure for each map, in the maps' order. `share` false runs every map from layer 0, to the same numbers. What
    /// `begun` has of the same prompt and maps is not measured again, and cancelled, it holds what this call measured; it is
    /// empty behind a call that came to its end.
    Result<std::vector<PromptMeasure>> measure(int prompt, std::span<const HeadMap> maps, const std::atomic<bool> *cancel,
                                               bool share = true, BegunPrompt *begun = nullptr);

    /// The measures of the prompts behind those that `measures` has, added to it one complete prompt at a time; `onPrompt` is
    /// called after each. [prompts][maps] `begun`: of the first of them, as in `measure`.
    Result<void> measureRest(std::span<const HeadMap> maps, std::vector<std::vector<PromptMeasure>> &measures,
                             const std::atomic<bool> *cancel, bool share, const std::function<void()> &onPrompt,
                             BegunPrompt *begun = nullptr);

    /// Hears, now and then after a layer, which share of the running `measure` or `estimateSeconds` is done.
    std::function<void(double share)> onLayer;
    /// Hears of every measure that is added to the `begun` of a `measure`.
    std::function<void()> onMap;

    int promptCount() const { return static_cast<int>(m_prompts.size()); }
    const std::vector<TaskPrompt> &prompts() const { return m_prompts; }
    const ModelConfig &config() const { return m_pass->config(); }
    const ServedBy &served() const { return m_served; }
    ModelShape shape() const;
    /// Layers run so far.
    std::int64_t layerRuns() const { return m_layerRuns; }
    /// Layers that measuring these maps on one prompt takes, when it shares and when it does not. A prompt's first call runs
    /// full attention besides, which a full map among the maps then shares.
    static std::int64_t sharedLayerRuns(std::span<const HeadMap> maps);
    static std::int64_t plainLayerRuns(std::span<const HeadMap> maps);
    /// Seconds that so many layer runs on every prompt will take, from a timed pass over the longest prompt.
    Result<double> estimateSeconds(std::int64_t layerRunsPerPrompt, const std::atomic<bool> *cancel = nullptr);

private:
    /// Full attention's answer at one prompt.
    struct Reference {
        std::vector<std::int64_t> rows;
        std::vector<float> states; // [rows, hidden]
        std::vector<float> logits; // [rows, vocabulary]
        double answer = 0; ///< PromptMeasure::answer
    };

    MapMeter() = default;
    Result<void> run(int prompt, const HeadMap &map, int fromLayer, const std::atomic<bool> *cancel);
    Result<bool> makeReference(int prompt, const HeadMap &full, const std::atomic<bool> *cancel);
    Result<PromptMeasure> compare(int prompt);

    std::shared_ptr<DeviceModel> m_model;
    std::vector<TaskPrompt> m_prompts;
    std::vector<Reference> m_references; // empty rows where not made yet
    ServedBy m_served;
    std::unique_ptr<LayerPass> m_pass;
    std::unique_ptr<LayerPass> m_standIns; ///< runs the layers that stream; null where nothing stands in for sinks
    std::vector<std::unique_ptr<Buffer>> m_states; // [layers + 1]: the inputs of the layers, and the last one's output
    std::int64_t m_layerRuns = 0;
    Paced m_paced;
    std::int64_t m_callRuns = 0, m_callAll = 0; ///< of the call that runs
    double m_secondsPerToken = 0; ///< of one layer
};

/// A meter's `onMap` for as long as this lives.
class HearingMaps
{
public:
    HearingMaps(MapMeter &meter, std::function<void()> onMap)
        : m_meter(meter)
    {
        m_meter.onMap = std::move(onMap);
    }
    ~HearingMaps() { m_meter.onMap = {}; }
    HearingMaps(const HearingMaps &) = delete;
    HearingMaps &operator=(const HearingMaps &) = delete;

private:
    MapMeter &m_meter;
};

} // namespace zigzag
