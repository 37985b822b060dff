// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/activations.h"
#include "engine/cpu/attention.h"
#include "engine/cpu/kernels.h"
#include "engine/run/key_runs.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace zigzag {

namespace {

using kernels::blockKeys;
using kernels::panelRows;

/// Query rows of one tile: enough that a key block's conversion is shared by many, few enough to stay in the cache.
constexpr std::int64_t tileRows = 256;
/// Below every score and finite, so that a row with no visible key yet has weights of zero, not NaN.
constexpr float lowest = -1e30f;

/// A unit of work: some consecutive queries of one KV head's group.
struct Tile {
    int head = 0;
    std::int64_t begin = 0, end = 0; // tokens of the chunk
    std::int64_t cost = 0; ///< visible keys over its queries
};

KeyRange rangeOf(const AttentionArgs &args, int head, std::int64_t token)
{
    return args.heads[static_cast<std::size_t>(head)].pattern.visibleKeys(args.firstPosition + token);
}

std::vector<Tile> planTiles(const AttentionArgs &args)
{
    const std::int64_t group = args.queryHeads / args.kvHeads;
    const std::int64_t step = std::max<std::int64_t>(1, tileRows / group);
    std::vector<Tile> tiles;
    for (const int head : args.selected) {
        for (std::int64_t begin = 0; begin < args.tokens; begin += step) {
            const std::int64_t end = std::min(args.tokens, begin + step);
            const std::int64_t keys = rangeOf(args, head, begin).count() + rangeOf(args, head, end - 1).count();
            tiles.push_back({head, begin, end, keys * (end - begin)});
        }
    }
    std::stable_sort(tiles.begin(), tiles.end(), [](const Tile &a, const Tile &b) { return a.cost > b.cost; });
    return tiles;
}

/// One thread's memory for a tile, cut from its scratch. `stride` is head_dim rounded up to whole vectors.
struct TileMemory {
    TileMemory(Scratch &scratch, std::size_t panelCount, std::size_t dim, std::size_t valueStride)
        : stride(valueStride)
        , panels(panelCount)
    {
        const std::size_t rows = panels * panelRows;
        float *at = scratch.get<float>(rows * (dim + stride + 4) + blockKeys * (dim + stride + panelRows));
        const auto take = [&at](std::size_t count) { return std::exchange(at, at + count); };
        queries = take(rows * dim);
        out = take(rows * stride);
        rowMax = take(rows);
        rowSum = take(rows);
        best = take(rows);
        position = reinterpret_cast<std::int32_t *>(take(rows));
        keys = take(blockKeys * dim);
        values = take(blockKeys * stride);
        scores = take(blockKeys * panelRows);
    }

    std::size_t stride, panels;
    float *queries; // [panels, dim, panelRows]
    float *out; // [panels · panelRows, stride]
    float *rowMax, *rowSum, *best; // [panels · panelRows]
    std::int32_t *position; // [panels · panelRows]
    float *keys; // [blockKeys, dim]
    float *values; // [blockKeys, stride]
    float *scores; // [blockKeys, panelRows]
};

/// The keys at [begin, end) that a range shows.
std::int64_t visibleWithin(const KeyRange &range, std::int64_t begin, std::int64_t end)
{
    const auto overlap = [&](std::int64_t from, std::int64_t to) {
        return std::max<std::int64_t>(0, std::min(end, to) - std::max(begin, from));
    };
    return overlap(0, range.sinkEnd) + overlap(range.windowBegin, range.windowEnd);
}

class TileRun
{
public:
    TileRun(const AttentionArgs &args, const Tile &tile, TileMemory memory)
        : m_args(args)
        , m_tile(tile)
        , m_memory(memory)
    {
        for (std::int64_t token = tile.begin; token < tile.end; ++token)
            m_ranges.push_back(rangeOf(args, tile.head, token));
        m_rows = (tile.end - tile.begin) * group();
    }

    void run()
    {
        packQueries();
        const HeadCache &cache = m_args.heads[static_cast<std::size_t>(m_tile.head)];
        const std::int64_t sinkEnd = m_ranges.back().sinkEnd; // ranges only move forward from query to query
        const std::int64_t windowBegin = m_ranges.front().windowBegin, windowEnd = m_ranges.back().windowEnd;
        const std::int64_t sink = cache.pattern.sink();
        for (const KeyRun &run : keyRuns(cache.slots, cache.stagedKeys != nullptr, sink, m_args.firstPosition, m_args.tokens)) {
            if (sinkEnd < windowBegin) {
                attendSpan(cache, run, 0, sinkEnd);
                attendSpan(cache, run, windowBegin, windowEnd);
            } else {
                attendSpan(cache, run, 0, windowEnd);
            }
        }
        writeOut();
    }

private:
    std::int64_t group() const { return m_args.queryHeads / m_args.kvHeads; }
    std::size_t dim() const { return static_cast<std::size_t>(m_args.headDim); }
    /// Row r of the tile belongs to token begin + r / group; a token's query heads of one group lie side by side.
    std::size_t offsetOf(std::int64_t row) const
    {
        const std::int64_t token = m_tile.begin + row / group(), head = m_tile.head * group() + row % group();
        return static_cast<std::size_t>(token * m_args.queryHeads + head) * dim();
    }

    void packQueries()
    {
        const float scale = scoreScale(m_args.scale, m_args.headDim) * m_args.scales.key;
        const std::size_t rows = m_memory.panels * panelRows;
        for (std::size_t row = 0; row < rows; ++row) {
            float *to = m_memory.queries + row / panelRows * dim() * panelRows + row % panelRows;
            const float *from = static_cast<std::int64_t>(row) < m_rows
                ? floats(m_args.queries) + offsetOf(static_cast<std::int64_t>(row))
                : nullptr;
            for (std::size_t c = 0; c < dim(); ++c)
                to[c * panelRows] = from ? from[c] * scale : 0.0f;
        }
        std::fill_n(m_memory.out, rows * m_memory.stride, 0.0f);
        std::fill_n(m_memory.rowMax, rows, lowest);
        std::fill_n(m_memory.rowSum, rows, 0.0f);
        std::fill_n(m_memory.best, rows, -std::numeric_limits<float>::infinity());
        std::fill_n(m_memory.position, rows, 0);
    }

    void attendSpan(const HeadCache &cache, const KeyRun &run, std::int64_t begin, std::int64_t end)
    {
        begin = std::max(begin, run.begin);
        end = std::min(end, run.end);
        for (; begin < end; begin += static_cast<std::int64_t>(blockKeys)) {
            const std::int64_t blockEnd = std::min(end, begin + static_cast<std::int64_t>(blockKeys));
            loadBlock(cache, run, begin, blockEnd);
            for (std::size_t panel = 0; panel < m_memory.panels; ++panel)
                attendPanel(panel, begin, blockEnd);
        }
    }

    /// Keys and values of one block to float32, padded with zeros: rows to a multiple of 4, values to whole vectors.
    void loadBlock(const HeadCache &cache, const KeyRun &run, std::int64_t begin, std::int64_t end)
    {
        const std::int64_t rowBytes = m_args.headDim * bytesOf(m_args.cacheType);
        const std::int64_t offset = (run.row + begin - run.begin) * rowBytes;
        const auto *keys = static_cast<const std::byte *>(run.staged ? cache.stagedKeys : cache.keys) + offset;
        const auto *values = static_cast<const std::byte *>(run.staged ? cache.stagedValues : cache.values) + offset;
        const auto count = static_cast<std::size_t>(end - begin);
        kernels::toFloat(m_args.cacheType, keys, m_memory.keys, count * dim());
        const std::size_t padded = (count + 3) / 4 * 4;
        std::fill_n(m_memory.keys + count * dim(), (padded - count) * dim(), 0.0f);
        for (std::size_t key = 0; key < padded; ++key) {
            float *to = m_memory.values + key * m_memory.stride;
            if (key < count)
                kernels::toFloat(m_args.cacheType, values + static_cast<std::int64_t>(key) * rowBytes, to, dim());
            const std::size_t from = key < count ? dim() : 0;
            std::fill_n(to + from, m_memory.stride - from, 0.0f);
        }
    }

    void attendPanel(std::size_t panel, std::int64_t begin, std::int64_t end)
    {
        const auto firstRow = static_cast<std::int64_t>(panel * panelRows);
        const std::int64_t lastRow = std::min(m_rows, firstRow + static_cast<std::int64_t>(panelRows)) - 1;
        bool all = true, none = true;
        for (std::int64_t token = firstRow / group(); token <= lastRow / group(); ++token) {
            const std::int64_t seen = visibleWithin(m_ranges[static_cast<std::size_t>(token)], begin, end);
            all = all && seen == end - begin;
            none = none && seen == 0;
        }
        if (none)
            return;
        const auto count = static_cast<std::size_t>(end - begin), padded = (count + 3) / 4 * 4;
        kernels::panelScores(m_memory.queries + panel * panelRows * dim(), m_memory.keys, padded, dim(), m_memory.scores);
        if (m_args.softCap > 0)
            kernels::softCapRow(m_memory.scores, padded * panelRows, m_args.softCap);
        std::fill_n(m_memory.scores + count * panelRows, (padded - count) * panelRows, -std::numeric_limits<float>::infinity());
        if (!all)
            hide(firstRow, lastRow, begin, end);
        const std::size_t row = panel * panelRows;
        if (m_args.strongestKey)
            kernels::panelStrongest(m_memory.scores, count, static_cast<std::int32_t>(begin), m_memory.best + row,
                                    m_memory.position + row);
        kernels::panelSoftmaxAccumulate(m_memory.scores, padded, m_memory.values, m_memory.stride, m_memory.rowMax + row,
                                        m_memory.rowSum + row, m_memory.out + row * m_memory.stride);
    }

    /// Masks the keys at [begin, end) that a row does not see: those between its sinks and its window, and those after.
    void hide(std::int64_t firstRow, std::int64_t lastRow, std::int64_t begin, std::int64_t end)
    {
        for (std::int64_t row = firstRow; row <= lastRow; ++row) {
            const KeyRange &range = m_ranges[static_cast<std::size_t>(row / group())];
            const auto hideSpan = [&](std::int64_t from, std::int64_t to) {
                for (std::int64_t key = std::max(from, begin); key < std::min(to, end); ++key)
                    m_memory
                        .scores[static_cast<std::size_t>((key - begin) * static_cast<std::int64_t>(panelRows) + row - firstRow)]
                        = -std::numeric_limits<float>::infinity();
            };
            hideSpan(range.sinkEnd, range.windowBegin);
            hideSpan(range.windowEnd, end);
        }
    }

    void writeOut()
    {
        for (std::int64_t row = 0; row < m_rows; ++row) {
            const auto at = static_cast<std::size_t>(row);
            const float *from = m_memory.out + at * m_memory.stride;
            float *to = floats(m_args.out) + offsetOf(row);
            const float sink = m_args.sinkLogits
                ? std::exp(m_args.sinkLogits[m_tile.head * group() + row % group()] - m_memory.rowMax[at])
                : 0.0f;
            const float scale = 1.0f / (m_memory.rowSum[at] + sink) * m_args.scales.value;
            for (std::size_t c = 0; c < dim(); ++c)
                to[c] = from[c] * scale;
            if (m_args.strongestKey)
                m_args.strongestKey[offsetOf(row) / dim()] = m_memory.position[at];
        }
    }

    const AttentionArgs &m_args;
    const Tile &m_tile;
    TileMemory m_memory;
    std::vector<KeyRange> m_ranges; // per token of the tile
    std::int64_t m_rows;
};

} // namespace

void attendMany(const AttentionArgs &args, ThreadScratch &threads)
{
    const auto dim = static_cast<std::size_t>(args.headDim);
    const std::size_t stride = (dim + 15) / 16 * 16; // whole vectors of every target
    const std::vector<Tile> tiles = planTiles(args);
    parallelParts(std::ssize(tiles), [&](std::int64_t i) {
        const Tile &tile = tiles[static_cast<std::size_t>(i)];
        const auto rows = static_cast<std::size_t>((tile.end - tile.begin) * (args.queryHeads / args.kvHeads));
        TileRun(args, tile, TileMemory(threads.mine(), (rows + panelRows - 1) / panelRows, dim, stride)).run();
    });
}

} // namespace zigzag
