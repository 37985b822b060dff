// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/layer_pass.h"
#include "profiler/carry/sink_carrier.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace zigzag {

/// A fit of stand-ins: Adam on the divergence of the next token's distribution from full attention's, the weights frozen.
/// Rates and lengths of pieces are those that did best of what was tried on SmolLM2-135M with every second layer in a
/// window of 512 (resources/checked/sink_fit.md): pieces of three windows bring the positions far beyond the window nearer than
/// any number of short pieces, and biases of more layers, of the feed-forward layers or weights of norms bring nothing.
struct FitPlan {
    int steps = 60; ///< one piece of text each
    double seconds = 0; ///< after which no step begins; 0: no limit
    double insideWeight = 1; ///< of the positions within the window, where those beyond it have 1
    /// Adam's rates, which rise over the first tenth of the steps and fall to zero over the last half.
    double logitRate = 0.15, headRate = 0.009, biasRate = 0.009;
    /// No rate is more than this of the root mean square of what its values are added to: early layers have small numbers.
    double largestShare = 0.05;
    double rateScale = 1; ///< of all rates: less where early layers stream and the loss rises instead
    /// Biases of queries, keys and values too, where the model has none of its own.
    bool fitsProjections = true;
    std::uint64_t seed = 1; ///< of the order of the pieces and of the positions that count
};

/// Tokens that one step of a fit runs through, where texts are long enough.
std::int64_t fitPieceTokens(StreamingWindow window);
/// Whether there is a backward pass for this model on its backend.
bool canFit(const std::shared_ptr<DeviceModel> &model);

/// How far a fit is, a step at a time: it goes on from here to the same stand-ins, to the bit where steps alone end it.
struct FitState {
    std::vector<double> parameters, first,
        second; ///< as they are, and Adam's means of slopes and their squares; empty: not begun
    std::vector<double> losses; // [steps done]
    double seconds = 0; ///< that these took
};

/// What is fitted is one vector: for each layer that streams its sink logits, what is added to its heads before the output
/// projection, and the biases of its queries, keys and values. All values float32, on a backend with gradient ops.
class SinkFitting
{
public:
    /// `from`: of calibrateSinks, for the same map. Texts are cut into pieces of 1.5 to 4 windows; each has positions of a
    /// short prompt and of a long one. Refused where no text is longer than the window.
    static Result<SinkFitting> create(const std::shared_ptr<DeviceModel> &model, const HeadMap &map, SinkCarrier from,
                                      std::span<const std::vector<int>> texts, const FitPlan &plan);

    /// All steps, or those that are left of `soFar`, which holds what there is when the call is cancelled; `onStep` hears that it
    /// has grown. Refused where `soFar` is of another fit.
    Result<SinkCarrier> run(const std::atomic<bool> *cancel = nullptr, const std::function<void(double share)> &progress = {},
                            FitState *soFar = nullptr, const std::function<void()> &onStep = {});

    /// The loss over some positions of a piece, and its gradient: what a step follows. `round` chooses the positions.
    Result<double> lossAndGradient(std::size_t piece, int round, std::span<const double> parameters,
                                   std::vector<double> &gradient, const std::atomic<bool> *cancel = nullptr);
    /// The stand-ins that parameters mean; zeros mean those that it began with.
    Result<SinkCarrier> carrier(std::span<const double> parameters);

    std::size_t pieces() const { return m_pieces.size(); }
    std::size_t parameters() const { return m_parameters; }
    const std::vector<double> &losses() const { return m_losses; } ///< [steps done]

private:
    enum class Kind { SinkLogits, Heads, QueryBias, KeyBias, ValueBias };
    /// Where a layer's values of one kind lie.
    struct Segment {
        int layer;
        Kind kind;
        std::size_t begin, count;
        double rate = 0; ///< at most, once it is known
    };
    struct Piece {
        std::vector<int> tokens;
        std::unique_ptr<Buffer> full; ///< full attention's last hidden states, once they are known
    };

    SinkFitting() = default;
    void cut(std::span<const std::vector<int>> texts);
    void lay();
    Result<void> set(std::span<const double> parameters);
    Result<void> makeTarget(Piece &piece, const std::atomic<bool> *cancel);
    std::vector<std::int64_t> rowsOf(const Piece &piece, int round, std::vector<double> &weights) const;
    /// The rates of all segments, from the sizes of what they are added to in the first piece.
    Result<void> findRates(const std::atomic<bool> *cancel);
    double rateOf(Kind kind, const LayerPass::StandInSizes &sizes) const;
    std::size_t pieceOf(int step) const;
    void tell(double share) const;

    std::shared_ptr<DeviceModel> m_model, m_carried;
    HeadMap m_full;
    SinkCarrier m_from;
    FitPlan m_plan;
    StreamingWindow m_window;
    int m_firstLayer = 0; ///< the lowest that streams: nothing below it is fitted
    std::vector<Segment> m_segments;
    std::size_t m_parameters = 0;
    std::vector<Piece> m_pieces;
    std::unique_ptr<LayerPass> m_plain, m_pass;
    std::vector<std::unique_ptr<Buffer>> m_states; // [layers + 1]
    std::unique_ptr<Buffer> m_gradient;
    std::vector<double> m_losses;
    std::function<void(double)> m_onLayer; ///< with the share of the step
};

} // namespace zigzag
