// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"
#include "engine/model/model_config.h"
#include "profiler/base/run_types.h"
#include "profiler/cost/cost_fit.h"
#include "profiler/cost/cost_samples.h"

#include <array>
#include <bitset>
#include <string>
#include <vector>

namespace zigzag {

/// What is to be predicted.
struct Workload {
    Phase phase = Phase::Decode;
    std::int64_t context = 0;
    int batch = 1;
    int gpus = 1; ///< tensor parallel: heads and intermediate features are dealt to the ranks
};

/// A prediction: never shown like a measurement.
struct Estimate {
    double ms = 0;
    std::vector<double> layerMs; ///< [layers]; the rest of `ms` lies outside the layers
    std::int64_t kvBytes = 0; ///< of all sequences; exact, from the layout
    std::int64_t kvBytesOfRank = 0; ///< of the GPU that holds most
    double allReduceMs = 0; ///< part of `ms`: exchange between GPUs
};

/// One op of one layer of a prediction.
struct OpEstimate {
    Op op = Op::Pass;
    int layer = -1;
    double ms = 0;
};

/// How GPUs of one host talk to each other. What is assumed where nothing is known was measured between two H100s (NVLink; NCCL's
/// all-reduce, replayed): 11 to 12 µs up to 128 KiB, 250 GB/s from 32 MiB on; for more of them the same.
struct Link {
    double bytesPerSecond = 250e9; ///< of an all-reduce, each way
    double latencyUs = 12; ///< of one all-reduce
    bool isGiven = false; ///< both as a person gave them, whatever was measured
    std::vector<LinkSamples> measured = {}; ///< of the machine that is predicted for

    /// What an all-reduce of so many bytes takes: by the samples of just so many GPUs; else by those of the next number of them;
    /// else by bandwidth and latency.
    double sumUs(double bytes, int gpus) const;
    bool isMeasured(int gpus) const { return samplesFor(gpus) != nullptr; }
    /// Bytes a second of an all-reduce, each way: of the largest that was measured, or as assumed or given.
    double rate(int gpus) const;
    /// Where its figures for so many GPUs come from: "link measured between 2 × H100", "link assumed at …".
    std::string told(int gpus) const;
    /// "measured", "measured with N", "given" or "assumed".
    std::string source(int gpus) const;

private:
    const LinkSamples *samplesFor(int gpus) const;
};

/// Per op: a table against the rows of a pass, and for attention launch + rows + operations + bytes, each with a coefficient
/// that this machine's measurements gave. A model that was calibrated has its own; for others the coefficients come from all
/// calibrated models, by bytes and operations. Pure and cheap: an edit asks for hundreds of estimates within a frame.
class CostModel
{
public:
    CostModel() = default;
    /// Empty (isFitted() is false) where the calibration has no samples.
    CostModel(const Calibration &calibration, const ModelConfig &config);

    Estimate estimate(const HeadMap &map, const Workload &work) const;
    Estimate estimate(const HeadMap &map, Phase phase, std::int64_t context) const
    {
        return estimate(map, {.phase = phase, .context = context});
    }
    /// The same op by op: what a recorded trace is compared with. One GPU. Their sum is the estimate's ms.
    std::vector<OpEstimate> breakdown(const HeadMap &map, const Workload &work) const;

    bool isFitted() const { return m_fitted; }
    /// Whether this very model was measured, and not only others on the same machine.
    bool isOwn() const { return m_own; }
    const ModelConfig &config() const { return m_config; }
    const MachineProfile &machine() const { return m_machine; }
    /// The day of the calibration, "2026-11-28"; empty where it is not known.
    const std::string &measured() const { return m_measured; }
    /// How far the fit is from the passes that it was made from, |predicted − measured| / measured, median; where the model
    /// itself was not measured, the worst of those that speak for it.
    double medianFitError() const { return m_medianFitError; }
    /// Whether the machine held still while it was calibrated: a fit that is far off its own passes, or made of samples that
    /// other programs slowed, predicts nothing that can be relied on, and whoever shows its predictions says so.
    bool isReliable() const { return m_medianFitError <= mostFitError && 2 * m_disturbed <= m_samples; }
    /// Samples behind the fit, where calibration counted them, and those that other programs slowed.
    int samples() const { return m_samples; }
    int disturbed() const { return m_disturbed; }
    static constexpr double mostFitError = 0.15; ///< of a machine that is left alone: 0.01 to 0.06
    /// The machine's full pace as calibration knew it (pace_meter.h); 0 where it did not look, or measured other models.
    double paceMs() const { return m_paceMs; }
    int fitPoints() const { return m_fitPoints; }

    Link link;

private:
    friend class CostModelFit;
    using Tables = std::array<RowTable, opNames.size()>;
    using PerKind = std::array<double, 2>;

    /// One sequence of passes, with what they have in common summed up.
    struct Passes {
        double rows = 0; ///< of one pass
        double count = 0; ///< of such passes
    };
    Features attentionFeatures(const HeadPattern &pattern, const HeadMap &map, const Workload &work) const;
    /// From ops that were recorded to passes that were not: each op without what recording it took, times the rest.
    struct Level {
        double scale = 1;
        double spanUs = 0;
    };
    double levelled(double us, double calls, Phase phase) const;
    /// What attention takes in one layer, however little there is to attend to: its part of a rank is not dealt out.
    double attentionLaunchUs(const HeadPattern &pattern, const HeadMap &map, const Workload &work) const;
    std::vector<Passes> passesOf(const Workload &work) const;
    double opUs(Op op, const HeadPattern &pattern, const HeadMap &map, const Workload &work,
                const std::vector<Passes> &passes) const;
    /// What the heads of a layer add to it: each by its kind, and all of them once.
    struct HeadCosts {
        PerKind us{};
        double launchUs = 0;
    };
    HeadCosts headCosts(const HeadMap &map, StreamingWindow window, const Workload &work,
                        const std::vector<Passes> &passes) const;
    double launchesUs(const Workload &work, const std::vector<Passes> &passes) const;

    /// What estimates ask of the layers' plans again and again.
    void describeLayers();
    bool runs(int layer, Op op) const { return m_layerOps[static_cast<std::size_t>(layer)][static_cast<std::size_t>(op)]; }

    ModelConfig m_config;
    std::vector<std::bitset<opNames.size()>> m_layerOps; ///< [layers]
    std::bitset<opNames.size()> m_dealt; ///< ops that are dealt to ranks
    double m_weightBytes = 0; ///< read by a decode step
    MachineProfile m_machine;
    std::string m_measured;
    bool m_fitted = false, m_own = false, m_cached = true;
    double m_medianFitError = 0, m_paceMs = 0;
    int m_fitPoints = 0;
    int m_samples = 0, m_disturbed = 0;
    double m_launchUs = 0; ///< of an op, whatever it does
    std::array<Level, 2> m_level; ///< by phase
    std::array<std::array<Tables, 2>, 2> m_tables; ///< by phase and kind: every op but attention
    std::array<std::array<Features, 2>, 2>
        m_attention{}; ///< by phase and kind: passes, rows, operations (decode: uncached bytes), bytes, latencyKeys (decode)
};

/// In one sentence, for a person, why predictions cannot be relied on, and what to do; empty when they can.
std::string whyUnreliable(const CostModel &cost);

/// Whether two models cost the same: all that the name and the vocabulary's meaning do not change.
bool sameCosts(const ModelConfig &a, const ModelConfig &b);

/// How much of what a decode step reads is no more in the last-level cache when the next step reads it: nothing of a step of
/// half the cache's bytes, which others use too, everything of one that fills it.
double uncachedShare(double bytesOfStep, const MachineProfile &machine);

/// What the keys of one sequence add to a decode step's attention beside their bytes: a GPU deals them to its processors in
/// pieces that are joined at the end, which takes the longer the more pieces there are, until all processors have one.
double latencyKeys(std::int64_t keys);

/// Whether the weights and a short cache of a model stay in the last-level cache from step to step.
bool staysInCache(const ModelConfig &config, const MachineProfile &machine);

} // namespace zigzag
