// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/op.h"
#include "engine/model/weight_type.h"

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace zigzag {

/// What a tensor of a layer is for. The order is that of the fingerprint and of random weights: new ones go to the end.
enum class WeightId : std::uint8_t {
    InputNorm,
    Query,
    Key,
    Value,
    QueryBias,
    KeyBias,
    ValueBias,
    QueryNorm,
    KeyNorm,
    Output,
    OutputBias,
    PostNorm,
    Gate,
    Up,
    Down,
    GateBias,
    UpBias,
    DownBias,
    Router,
    ExpertGate,
    ExpertUp,
    ExpertDown,
    SinkLogits,
    AttentionNorm, ///< of what attention adds to the residual stream
    FeedForwardNorm ///< of what the feed-forward adds
};
inline constexpr std::size_t weightIds = 25;

enum class TensorRole : std::uint8_t { Matrix, Norm, Bias };

/// How a tensor is dealt to the ranks of a tensor-parallel group: whole to each, or a share of its rows (output features,
/// heads, experts) or of its columns (input features, whose partial results are summed).
enum class ShardAxis : std::uint8_t { Whole, Rows, Columns };

/// One tensor of a layer.
struct WeightSpec {
    WeightId id = WeightId::InputNorm;
    TensorRole role = TensorRole::Matrix;
    ShardAxis shard = ShardAxis::Whole;
    std::string_view name; ///< in Hugging Face's files, behind "model.layers.N."; "{}" stands for the number of an expert
    std::string_view ggufName; ///< in GGUF files, behind "blk.N."; experts are one tensor there
    std::int64_t rows = 0; ///< output features
    std::int64_t columns = 1; ///< input features; 1 for norms and biases
    int count = 1; ///< tensors of this kind: experts
    /// Where files hold several weights as one tensor of `storedRows` rows: this one's begin there. 0 rows: a tensor of its own.
    std::int64_t storedFrom = 0, storedRows = 0;
    /// Where such a tensor has the heads of each group behind each other: of every `storedPeriod` rows this weight has
    /// `storedPiece`, the first of them at `storedFrom`. 0: its rows follow each other. GGUF files have tensors of their own
    /// then.
    std::int64_t storedPiece = 0, storedPeriod = 0;
    WeightType type = DType::F32; ///< as stored; families leave it to `layerPlan`

    std::int64_t numbers() const { return rows * columns * count; }
    /// Of one tensor, as stored.
    std::int64_t bytesOfEach() const { return rows * rowBytes(type, columns); }
    std::int64_t bytes() const { return bytesOfEach() * count; }
};

/// One op of a layer: its weights are `weights` [firstWeight, firstWeight + weightCount) of the plan.
struct OpPlan {
    Op op = Op::Pass;
    std::uint8_t firstWeight = 0, weightCount = 0;
    std::int64_t moved = 0; ///< activations that are read and written for each token, numbers
};

/// One layer of a decoder, as its family describes it (family.h): the ops in the order in which they run, each with
/// its weights. Everything that asks what a layer is made of asks here: weight files, upload, forward pass, gradients, costs,
/// floors, ranks. Small and without memory of its own, so that a cost formula may ask for it again and again.
class LayerPlan
{
public:
    std::span<const OpPlan> ops() const { return {m_ops.data(), m_opCount}; }
    std::span<const WeightSpec> weights() const { return {m_weights.data(), m_weightCount}; }
    std::span<WeightSpec> weights() { return {m_weights.data(), m_weightCount}; }
    std::span<const WeightSpec> weightsOf(const OpPlan &op) const { return weights().subspan(op.firstWeight, op.weightCount); }
    /// Null where the layer has no such op, or no such weight.
    const OpPlan *find(Op op) const
    {
        for (const OpPlan &each : ops())
            if (each.op == op)
                return &each;
        return nullptr;
    }
    const WeightSpec *find(WeightId id) const
    {
        for (const WeightSpec &each : weights())
            if (each.id == id)
                return &each;
        return nullptr;
    }
    bool has(WeightId id) const { return find(id) != nullptr; }
    std::int64_t parameters() const
    {
        std::int64_t sum = 0;
        for (const WeightSpec &each : weights())
            sum += each.numbers();
        return sum;
    }

    /// For families: the next op, and a weight of the op that was added last.
    void add(Op op, std::int64_t moved)
    {
        assert(m_opCount < m_ops.size());
        m_ops[m_opCount++] = {op, static_cast<std::uint8_t>(m_weightCount), 0, moved};
    }
    void add(const WeightSpec &weight)
    {
        assert(m_opCount > 0 && m_weightCount < m_weights.size());
        m_weights[m_weightCount++] = weight;
        ++m_ops[m_opCount - 1].weightCount;
    }

private:
    std::array<OpPlan, 16> m_ops;
    std::array<WeightSpec, 24> m_weights;
    std::size_t m_opCount = 0, m_weightCount = 0;
};

struct ModelConfig;

/// The plan of one layer of a model, 0 ≤ layer < config.layers; layers may differ.
LayerPlan layerPlan(const ModelConfig &config, int layer);

/// Whether any layer norms what attention or feed-forward add to the residual stream.
bool normsBehind(const ModelConfig &config);

/// The most rows that a weight has in any layer: the width of a buffer for all of them. 0 where no layer has it.
std::int64_t mostRows(const ModelConfig &config, WeightId id);

} // namespace zigzag
