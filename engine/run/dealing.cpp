// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/dealing.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <fmt/format.h>
#include <numeric>

namespace zigzag {

namespace {

/// The part of `count` things that the nth of `shares` gets: as equal as they can be, the larger ones first.
DealtRange share(std::int64_t count, int shares, int nth)
{
    const std::int64_t each = count / shares, more = count % shares;
    const std::int64_t first = nth * each + std::min<std::int64_t>(nth, more);
    return {first, first + each + (nth < more ? 1 : 0)};
}

/// In how many numbers the columns of a matrix can be cut.
std::int64_t columnUnit(const ModelConfig &config, WeightId id)
{
    std::int64_t unit = 1;
    for (int layer = 0; layer < config.layers; ++layer)
        if (layerPlan(config, layer).has(id))
            unit = std::lcm(unit, config.weightType(layer, id).blockLength());
    return unit;
}

/// Features of a feed-forward are dealt in such pieces: whole blocks of the quantised, and where it can be had enough for kernels
/// that read sixteen bytes at a time.
Result<std::int64_t> featureUnit(const ModelConfig &config, std::int64_t features, WeightId down, int ranks)
{
    const std::int64_t block = columnUnit(config, down);
    if (features % block != 0 || features / block < ranks)
        return badInput(
            fmt::format("{} ranks: the {} features of a feed-forward of {} are stored in blocks of {}, which leaves some rank "
                        "without any; give fewer",
                        ranks, features, config.name, block));
    for (std::int64_t unit = 128; unit > block; unit /= 2)
        if (unit % block == 0 && features % unit == 0 && features / unit >= 2 * ranks)
            return unit;
    return block;
}

DealtRange scaled(DealtRange range, std::int64_t by)
{
    return {range.first * by, range.end * by};
}

void append(std::vector<DealtRange> &ranges, DealtRange next)
{
    if (!ranges.empty() && ranges.back().end == next.first)
        ranges.back().end = next.end;
    else
        ranges.push_back(next);
}

bool hasFeatures(WeightId id)
{
    switch (id) {
    case WeightId::Gate:
    case WeightId::Up:
    case WeightId::Down:
    case WeightId::GateBias:
    case WeightId::UpBias:
        return true;
    default:
        return false;
    }
}

bool hasExpertFeatures(WeightId id)
{
    return id == WeightId::ExpertGate || id == WeightId::ExpertUp || id == WeightId::ExpertDown;
}

/// How many rows, or columns, of a part share a scale, where those of the whole do by `block`: fewer where a cut goes through
/// one.
std::int64_t sharedInPart(std::int64_t block, std::int64_t extent, std::span<const DealtRange> cut)
{
    if (block >= extent) // one for all
        return block;
    for (const DealtRange &range : cut)
        block = std::gcd(block, std::gcd(range.first, range.count()));
    return block;
}

/// The scales of the rows or columns `cut` of a matrix in F8, behind what `memory` has; those of the part point there.
void gatherScales(const TensorView &from, std::span<const DealtRange> cut, ShardAxis axis, TensorView &part,
                  std::vector<std::byte> &memory)
{
    const bool isRows = axis == ShardAxis::Rows;
    WeightScales scales = from.scales;
    std::int64_t &shared = isRows ? scales.rowsPerScale : scales.columnsPerScale;
    shared = sharedInPart(shared, isRows ? from.rows : from.columns, cut);
    std::vector<float> numbers;
    const std::int64_t perRow = from.scales.perRow(from.columns);
    if (isRows) {
        if (scales.rowsPerScale >= from.rows)
            numbers.assign(from.scales.data, from.scales.data + perRow);
        else
            for (const DealtRange &range : cut)
                for (std::int64_t row = range.first; row < range.end; row += scales.rowsPerScale) {
                    const float *ofRow = from.scales.ofRow(row, from.columns);
                    numbers.insert(numbers.end(), ofRow, ofRow + perRow);
                }
    } else {
        for (std::int64_t row = 0; row < from.rows; row += from.scales.rowsPerScale) {
            const float *ofRow = from.scales.ofRow(row, from.columns);
            if (scales.columnsPerScale >= from.columns)
                numbers.push_back(*ofRow);
            else
                for (const DealtRange &range : cut)
                    for (std::int64_t column = range.first; column < range.end; column += scales.columnsPerScale)
                        numbers.push_back(ofRow[column / from.scales.columnsPerScale]);
        }
    }
    const std::size_t before = (memory.size() + alignof(float) - 1) / alignof(float) * alignof(float);
    memory.resize(before + numbers.size() * sizeof(float));
    std::memcpy(memory.data() + before, numbers.data(), numbers.size() * sizeof(float));
    part.scales = scales;
    part.scales.data = reinterpret_cast<const float *>(memory.data() + before);
}

/// The rows or columns `ranges` of a tensor behind each other.
void gather(const TensorView &from, std::span<const DealtRange> ranges, ShardAxis axis, std::byte *to)
{
    const std::int64_t whole = rowBytes(from.type, from.columns);
    if (axis == ShardAxis::Rows) {
        for (const DealtRange &range : ranges)
            to = std::copy_n(from.data + range.first * whole, range.count() * whole, to);
        return;
    }
    for (std::int64_t row = 0; row < from.rows; ++row)
        for (const DealtRange &range : ranges)
            to = std::copy_n(from.data + row * whole + rowBytes(from.type, range.first), rowBytes(from.type, range.count()), to);
}

} // namespace

std::string_view nameOf(DealBy by)
{
    return by == DealBy::Order ? "order" : "balance";
}

Result<DealBy> parseDealBy(std::string_view name)
{
    for (const DealBy by : {DealBy::Order, DealBy::Balance})
        if (name == nameOf(by))
            return by;
    return badInput(fmt::format("'{}' is no way to deal heads: choose order or balance", name));
}

Result<Dealing> Dealing::create(const ModelConfig &config, int ranks, DealBy by, const HeadMap *map)
{
    if (ranks < 1 || ranks > mostRanks)
        return badInput(fmt::format("{} ranks: give 1 to {}", ranks, mostRanks));
    if (ranks > config.kvHeads && config.queryKeyNorm && config.normsWidth)
        return badInput(
            fmt::format("{} ranks: {} norms its {} KV heads together, and a head that several ranks hold would count more than "
                        "once; give at most {}",
                        ranks, config.name, config.kvHeads, config.kvHeads));
    if (const int most = config.kvHeads * config.group(); ranks > most)
        return badInput(fmt::format("{} ranks: {} has {} query heads; give fewer", ranks, config.name, most));
    Dealing dealing;
    dealing.m_whole = config;
    for (int rank = 0; rank < ranks; ++rank)
        dealing.m_ranks.push_back(
            {.config = config, .kvHeads = {}, .queries = {}, .features = {}, .expertFeatures = {}, .vocabulary = {}});
    dealing.dealHeads(by, map);
    if (const std::int64_t unit = columnUnit(config, WeightId::Output); unit > 1)
        for (int rank = 0; rank < ranks; ++rank)
            for (int layer = 0; layer < config.layers; ++layer)
                for (const DealtRange &range : dealing.ranges(rank, layer, WeightId::Output))
                    if (range.first % unit != 0 || range.end % unit != 0)
                        return badInput(fmt::format(
                            "{} ranks: the output projection of {} is stored in blocks of {} numbers, and a cut between "
                            "heads of {} would go through one; give fewer ranks, or --deal order",
                            ranks, config.name, unit, config.headDim));
    ZIGZAG_CHECK(dealing.dealFeatures());
    return dealing;
}

void Dealing::dealHeads(DealBy by, const HeadMap *map)
{
    const int count = ranks(), heads = m_whole.kvHeads, group = m_whole.group();
    std::vector<int> held(m_ranks.size()); // KV heads of a rank, in every layer
    for (int rank = 0; rank < count; ++rank) {
        Rank &to = m_ranks[at(rank)];
        DealtRange own = share(heads, count, rank);
        to.queries = {0, group};
        if (heads < count) { // ranks are dealt to heads, and share the head's queries
            for (int head = 0; head < heads; ++head)
                if (const DealtRange sharing = share(count, heads, head); rank >= sharing.first && rank < sharing.end) {
                    own = {head, head + 1};
                    to.queries = share(group, static_cast<int>(sharing.count()), static_cast<int>(rank - sharing.first));
                }
        }
        std::vector<int> &list = to.kvHeads.emplace_back(static_cast<std::size_t>(own.count()));
        std::iota(list.begin(), list.end(), static_cast<int>(own.first));
        held[at(rank)] = static_cast<int>(own.count());
        to.config.kvHeads = static_cast<int>(own.count());
        to.config.queryHeads = static_cast<int>(own.count() * to.queries.count());
    }
    if (by == DealBy::Order || !map || heads <= count)
        return;
    // Layer by layer: the longest caches first, each to the rank that has fewest of them, and has had fewest so far.
    std::vector<int> before(m_ranks.size()); // retrieval heads of a rank in the layers so far
    for (Rank &rank : m_ranks)
        rank.kvHeads.assign(static_cast<std::size_t>(m_whole.layers), {});
    for (int layer = 0; layer < m_whole.layers; ++layer) {
        std::vector<int> retrieval(m_ranks.size());
        for (const bool keepsAll : {true, false})
            for (int head = 0; head < heads; ++head) {
                if (map->pattern(layer, head).keepsEverything() != keepsAll)
                    continue;
                std::size_t best = m_ranks.size();
                for (std::size_t rank = 0; rank < m_ranks.size(); ++rank) {
                    const auto has = m_ranks[rank].kvHeads[at(layer)].size();
                    if (has == static_cast<std::size_t>(held[rank]))
                        continue;
                    const auto load = std::pair(retrieval[rank], before[rank]);
                    if (best == m_ranks.size() || (keepsAll && load < std::pair(retrieval[best], before[best])))
                        best = rank;
                }
                m_ranks[best].kvHeads[at(layer)].push_back(head);
                retrieval[best] += keepsAll ? 1 : 0;
            }
        for (std::size_t rank = 0; rank < m_ranks.size(); ++rank) {
            std::sort(m_ranks[rank].kvHeads[at(layer)].begin(), m_ranks[rank].kvHeads[at(layer)].end());
            before[rank] += retrieval[rank];
        }
    }
}

Result<void> Dealing::dealFeatures()
{
    std::int64_t unit = 1, expertUnit = 1;
    const bool hasDense = mostRows(m_whole, WeightId::Gate) > 0, hasExperts = m_whole.experts > 0;
    if (hasDense) {
        ZIGZAG_TRY(found, featureUnit(m_whole, m_whole.intermediateSize, WeightId::Down, ranks()));
        unit = found;
    }
    if (hasExperts) {
        ZIGZAG_TRY(found, featureUnit(m_whole, m_whole.expertIntermediateSize, WeightId::ExpertDown, ranks()));
        expertUnit = found;
    }
    for (int rank = 0; rank < ranks(); ++rank) {
        Rank &to = m_ranks[at(rank)];
        if (hasDense) {
            to.features = scaled(share(m_whole.intermediateSize / unit, ranks(), rank), unit);
            to.config.intermediateSize = static_cast<int>(to.features.count());
        }
        if (hasExperts) {
            to.expertFeatures = scaled(share(m_whole.expertIntermediateSize / expertUnit, ranks(), rank), expertUnit);
            to.config.expertIntermediateSize = static_cast<int>(to.expertFeatures.count());
        }
        to.vocabulary = share(m_whole.vocabulary, ranks(), rank);
        m_headWidths.push_back(to.vocabulary.count());
    }
    return {};
}

const std::vector<int> &Dealing::kvHeads(int rank, int layer) const
{
    const auto &all = m_ranks[at(rank)].kvHeads;
    return all[all.size() == 1 ? 0 : at(layer)];
}

std::vector<int> Dealing::queryHeads(int rank, int layer) const
{
    std::vector<int> heads;
    const DealtRange &queries = m_ranks[at(rank)].queries;
    for (const int head : kvHeads(rank, layer))
        for (std::int64_t query = queries.first; query < queries.end; ++query)
            heads.push_back(head * m_whole.group() + static_cast<int>(query));
    return heads;
}

HeadMap Dealing::map(const HeadMap &whole, int rank) const
{
    const ModelConfig &own = config(rank);
    ModelShape shape = whole.model();
    shape.kvHeads = own.kvHeads;
    shape.queryHeads = own.queryHeads;
    HeadMap map(shape, HeadKind::Retrieval, defaultSink, defaultRecent);
    for (int layer = 0; layer < whole.layers(); ++layer) {
        const StreamingWindow window = whole.window(layer);
        map.setLayerWindow(layer, window.sink, window.recent);
        int to = 0;
        for (const int head : kvHeads(rank, layer))
            map.set(layer, to++, whole.at(layer, head));
    }
    map.setProvenance(whole.provenance());
    return map;
}

std::vector<DealtRange> Dealing::ranges(int rank, int layer, WeightId id) const
{
    const Rank &own = m_ranks[at(rank)];
    if (hasFeatures(id))
        return {own.features};
    if (hasExpertFeatures(id))
        return {own.expertFeatures};
    std::vector<DealtRange> ranges;
    const bool ofKeys = id == WeightId::Key || id == WeightId::Value || id == WeightId::KeyBias || id == WeightId::ValueBias
        || id == WeightId::KeyNorm;
    const std::int64_t each = id == WeightId::SinkLogits ? 1 : m_whole.headDim; // rows or columns of a head
    for (const int head : ofKeys ? kvHeads(rank, layer) : queryHeads(rank, layer))
        append(ranges, scaled({head, head + 1}, each));
    return ranges;
}

TensorView Dealing::headRows(const TensorView &head, int rank, std::vector<std::byte> &gathered) const
{
    const DealtRange &rows = m_ranks[at(rank)].vocabulary;
    TensorView part = head;
    part.data = head.data + rows.first * rowBytes(head.type, head.columns);
    part.rows = rows.count();
    if (head.scales && part.rows < head.rows)
        gatherScales(head, {&rows, 1}, ShardAxis::Rows, part, gathered);
    return part;
}

Result<TensorView> Dealing::part(int rank, int layer, const WeightSpec &whole, const TensorView &tensor,
                                 std::vector<std::byte> &gathered) const
{
    if (whole.shard == ShardAxis::Whole) {
        const bool isAddedOnce = whole.id == WeightId::OutputBias || whole.id == WeightId::DownBias;
        return isAddedOnce && rank > 0 ? TensorView() : tensor;
    }
    const bool isOfWidth = whole.id == WeightId::QueryNorm || whole.id == WeightId::KeyNorm;
    std::vector<DealtRange> cut;
    if (!isOfWidth)
        cut = ranges(rank, layer, whole.id);
    for (int other = 0; isOfWidth && other < ranks(); ++other) // heads of all are normed together, in the order of the ranks
        for (const DealtRange &range : ranges(other, layer, whole.id))
            append(cut, range);
    TensorView part = tensor;
    const auto count = std::accumulate(cut.begin(), cut.end(), std::int64_t{0},
                                       [](std::int64_t sum, const DealtRange &range) { return sum + range.count(); });
    (whole.shard == ShardAxis::Rows ? part.rows : part.columns) = count;
    const bool isRun = cut.size() == 1;
    if (isRun && part.rows == tensor.rows && part.columns == tensor.columns)
        return tensor;
    if (whole.shard == ShardAxis::Rows && isRun) {
        part.data = tensor.data + cut.front().first * rowBytes(tensor.type, tensor.columns);
    } else {
        gathered.resize(static_cast<std::size_t>(part.bytes()));
        gather(tensor, cut, whole.shard, gathered.data());
    }
    const bool isCopy = !gathered.empty();
    if (tensor.scales)
        gatherScales(tensor, cut, whole.shard, part, gathered);
    if (isCopy) // the scales behind it may have moved it
        part.data = gathered.data();
    return part;
}

} // namespace zigzag
