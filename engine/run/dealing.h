// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/model/model_config.h"
#include "engine/model/weights.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace zigzag {

inline constexpr int mostRanks = 8; ///< GPUs of one host

/// How KV heads get to ranks: in runs, as serving engines do, or such that each rank has as many retrieval heads of a layer as
/// the others, as far as they can be divided.
enum class DealBy { Order, Balance };
std::string_view nameOf(DealBy by);
Result<DealBy> parseDealBy(std::string_view name);

/// Rows, columns or heads [first, end).
struct DealtRange {
    std::int64_t first = 0, end = 0;
    std::int64_t count() const { return end - first; }
    friend bool operator==(const DealtRange &, const DealtRange &) = default;
};

/// Which part of a model each rank of a tensor-parallel group has (arXiv 1909.08053, section 3): KV heads with their queries,
/// rows of gate and up with the columns of down, rows of the head. Parts need not be of one size; where there are more ranks than
/// KV heads, a head is held by several ranks, which share its queries. Norms, biases behind sums, routers and the embedding are
/// whole on each.
class Dealing
{
public:
    /// `map`: what balances the heads; null where they are dealt in order. Refused: more ranks than query heads of a group,
    /// weights in blocks that no cut fits, more ranks than KV heads where a norm is over all of them.
    static Result<Dealing> create(const ModelConfig &config, int ranks, DealBy by = DealBy::Order, const HeadMap *map = nullptr);

    int ranks() const { return static_cast<int>(m_ranks.size()); }
    /// The KV heads of a rank in a layer, ascending.
    const std::vector<int> &kvHeads(int rank, int layer) const;
    /// Of the whole model, as a rank runs it: heads and features are its own, the vocabulary is whole.
    const ModelConfig &config(int rank) const { return m_ranks[at(rank)].config; }
    /// A map of the whole model, as far as it is a rank's.
    HeadMap map(const HeadMap &whole, int rank) const;
    /// Rows of the head. [ranks]
    std::span<const std::int64_t> headWidths() const { return m_headWidths; }
    /// `gathered`: the memory of its scales, where it has some.
    TensorView headRows(const TensorView &head, int rank, std::vector<std::byte> &gathered) const;

    /// A rank's part of a tensor of a layer; empty where it has none (a bias that is added once). A view of the same memory where
    /// the part lies in one piece there, else a copy in `gathered`, where its scales are as well. Of a norm over all heads it is
    /// the whole, in the order of the ranks' heads.
    Result<TensorView> part(int rank, int layer, const WeightSpec &whole, const TensorView &tensor,
                            std::vector<std::byte> &gathered) const;
    /// Query heads of the whole model that a rank has in a layer, ascending.
    std::vector<int> queryHeads(int rank, int layer) const;

private:
    struct Rank {
        ModelConfig config;
        std::vector<std::vector<int>> kvHeads; // [layers] or one for all of them
        DealtRange queries; ///< of each KV head's group
        DealtRange features, expertFeatures, vocabulary;
    };
    static std::size_t at(int rank) { return static_cast<std::size_t>(rank); }
    Result<void> dealFeatures();
    void dealHeads(DealBy by, const HeadMap *map);
    std::vector<DealtRange> ranges(int rank, int layer, WeightId id) const;

    ModelConfig m_whole;
    std::vector<Rank> m_ranks;
    std::vector<std::int64_t> m_headWidths; // [ranks]
};

} // namespace zigzag
