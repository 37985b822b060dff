// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/thread_pool.h"
#include "engine/cpu/gradients.h"
#include "engine/cpu/kernels.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <vector>

namespace zigzag {

namespace {

/// Query rows whose scores are held at a time: enough that a key row serves many, few enough for long contexts.
constexpr std::int64_t tileRows = 32;

/// Keys [begin, end), at `column` of the tile's scores.
struct KeySpan {
    std::int64_t begin = 0, end = 0, column = 0;
    std::int64_t count() const { return end - begin; }
};

/// One KV head and the query heads of its group.
class HeadGradient
{
public:
    HeadGradient(const AttentionGradientArgs &args, int head)
        : m_args(args)
        , m_cache(args.heads[static_cast<std::size_t>(head)])
        , m_head(head)
        , m_group(args.queryHeads / args.kvHeads)
        , m_dim(args.headDim)
        , m_scale(scoreScale(args.scale, args.headDim))
        , m_gradKeys(size(args.tokens * m_dim))
        , m_gradValues(size(args.tokens * m_dim))
        , m_ones(size(std::max(args.tokens, tileRows * m_group)), 1.0f)
    { }

    void run()
    {
        if (!m_args.gradSinkLogits.empty())
            std::fill_n(m_args.gradSinkLogits.begin() + m_head * m_group, m_group, 0.0);
        const std::int64_t step = std::max<std::int64_t>(1, tileRows / m_group);
        for (std::int64_t begin = 0; begin < m_args.tokens; begin += step)
            runTile(begin, std::min(m_args.tokens, begin + step));
        scatter(m_gradKeys, m_args.gradKeys);
        scatter(m_gradValues, m_args.gradValues);
    }

private:
    static std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }
    KeyRange rangeOf(std::int64_t token) const { return m_cache.pattern.visibleKeys(token); }
    const float *keys(std::int64_t at) const { return static_cast<const float *>(m_cache.keys) + at * m_dim; }
    const float *values(std::int64_t at) const { return static_cast<const float *>(m_cache.values) + at * m_dim; }
    /// Row r of a tile belongs to token begin + r / group; the query heads of one group lie side by side.
    std::int64_t offsetOf(std::int64_t begin, std::int64_t row) const
    {
        return ((begin + row / m_group) * m_args.queryHeads + m_head * m_group + row % m_group) * m_dim;
    }

    void runTile(std::int64_t begin, std::int64_t end)
    {
        const std::int64_t rows = (end - begin) * m_group;
        m_queries.resize(size(rows * m_dim));
        m_gradOut.resize(size(rows * m_dim));
        for (std::int64_t row = 0; row < rows; ++row) {
            const float *query = static_cast<const float *>(m_args.queries) + offsetOf(begin, row);
            std::transform(query, query + m_dim, m_queries.data() + row * m_dim, [this](float q) { return q * m_scale; });
            std::copy_n(static_cast<const float *>(m_args.gradOut) + offsetOf(begin, row), m_dim, m_gradOut.data() + row * m_dim);
        }
        planSpans(begin, end);
        m_weights.resize(size(rows * m_width));
        m_gradScores.resize(size(rows * m_width));
        for (const KeySpan &span : m_spans) {
            kernels::dotRows(DType::F32, keys(span.begin), size(span.count()), size(m_dim), m_queries.data(), size(m_dim),
                             size(rows), m_weights.data() + span.column, size(m_width));
            kernels::dotRows(DType::F32, values(span.begin), size(span.count()), size(m_dim), m_gradOut.data(), size(m_dim),
                             size(rows), m_gradScores.data() + span.column, size(m_width));
        }
        for (std::int64_t row = 0; row < rows; ++row)
            softmaxGradient(rangeOf(begin + row / m_group), m_head * m_group + row % m_group, m_weights.data() + row * m_width,
                            m_gradScores.data() + row * m_width);
        gatherQueries(begin, rows);
        gatherKeys(rows, m_gradScores, m_queries, m_gradKeys);
        gatherKeys(rows, m_weights, m_gradOut, m_gradValues);
    }

    /// The keys that any query of the tile sees: ranges only move forward from query to query.
    void planSpans(std::int64_t begin, std::int64_t end)
    {
        const KeyRange first = rangeOf(begin), last = rangeOf(end - 1);
        m_spans.clear();
        if (last.sinkEnd < first.windowBegin) {
            if (last.sinkEnd > 0)
                m_spans.push_back({0, last.sinkEnd, 0});
            m_spans.push_back({first.windowBegin, last.windowEnd, last.sinkEnd});
        } else {
            m_spans.push_back({0, last.windowEnd, 0});
        }
        m_width = m_spans.back().column + m_spans.back().count();
    }

    /// Scores become weights, and the gradient of the weights that of the scores; hidden keys get zero in both.
    void softmaxGradient(const KeyRange &range, std::int64_t queryHead, float *weights, float *grad) const
    {
        const std::int64_t shift = m_spans.back().begin - m_spans.back().column; // position − column in the window's span
        const std::int64_t sinkEnd = range.sinkEnd, from = range.windowBegin - shift, to = range.windowEnd - shift;
        float max = kernels::maxRow(weights + from, size(to - from));
        if (sinkEnd > 0)
            max = std::max(max, kernels::maxRow(weights, size(sinkEnd)));
        float sum = kernels::expRow(weights + from, size(to - from), max);
        if (sinkEnd > 0)
            sum += kernels::expRow(weights, size(sinkEnd), max);
        if (m_args.sinkLogits)
            sum += std::exp(m_args.sinkLogits[queryHead] - max);
        const auto hide = [](float *row, std::int64_t begin, std::int64_t end) {
            if (begin < end)
                std::fill(row + begin, row + end, 0.0f);
        };
        hide(weights, sinkEnd, from);
        hide(weights, to, m_width);
        double mean = 0.0;
        for (std::int64_t i = 0; i < m_width; ++i) {
            weights[i] /= sum;
            mean += static_cast<double>(weights[i]) * static_cast<double>(grad[i]);
        }
        // The sink's own weight adds nothing to the output: all it does is to take from the others.
        if (!m_args.gradSinkLogits.empty())
            m_args.gradSinkLogits[size(queryHead)]
                -= static_cast<double>(std::exp(m_args.sinkLogits[queryHead] - max) / sum) * mean;
        const auto shiftBy = static_cast<float>(mean);
        for (std::int64_t i = 0; i < m_width; ++i)
            grad[i] = weights[i] * (grad[i] - shiftBy);
    }

    void gatherQueries(std::int64_t begin, std::int64_t rows)
    {
        m_gradQueries.assign(size(rows * m_dim), 0.0f);
        for (const KeySpan &span : m_spans)
            kernels::accumulateValues(DType::F32, keys(span.begin), size(span.count()), size(m_dim),
                                      m_gradScores.data() + span.column, size(m_width), size(rows), m_ones.data(),
                                      m_gradQueries.data());
        for (std::int64_t row = 0; row < rows; ++row) {
            float *to = m_args.gradQueries + offsetOf(begin, row);
            const float *from = m_gradQueries.data() + row * m_dim;
            for (std::int64_t c = 0; c < m_dim; ++c)
                to[c] = (m_args.add ? to[c] : 0.0f) + m_scale * from[c];
        }
    }

    /// perKey[key] += Σ rows weights[row, key] · perRow[row]
    void gatherKeys(std::int64_t rows, const std::vector<float> &weights, const std::vector<float> &perRow,
                    std::vector<float> &perKey)
    {
        m_transposed.resize(size(rows * m_width));
        for (std::int64_t row = 0; row < rows; ++row)
            for (std::int64_t i = 0; i < m_width; ++i)
                m_transposed[size(i * rows + row)] = weights[size(row * m_width + i)];
        for (const KeySpan &span : m_spans)
            kernels::accumulateValues(DType::F32, perRow.data(), size(rows), size(m_dim),
                                      m_transposed.data() + span.column * rows, size(rows), size(span.count()), m_ones.data(),
                                      perKey.data() + span.begin * m_dim);
    }

    void scatter(const std::vector<float> &from, float *to) const
    {
        for (std::int64_t token = 0; token < m_args.tokens; ++token) {
            float *row = to + (token * m_args.kvHeads + m_head) * m_dim;
            for (std::int64_t c = 0; c < m_dim; ++c)
                row[c] = (m_args.add ? row[c] : 0.0f) + from[size(token * m_dim + c)];
        }
    }

    const AttentionGradientArgs &m_args;
    const HeadCache &m_cache;
    std::int64_t m_head, m_group, m_dim;
    float m_scale;
    std::int64_t m_width = 0; ///< keys of the tile's spans
    std::vector<KeySpan> m_spans;
    std::vector<float> m_queries, m_gradOut, m_gradQueries; // [rows, head_dim]
    std::vector<float> m_weights, m_gradScores; // [rows, width]
    std::vector<float> m_transposed; // [width, rows]
    std::vector<float> m_gradKeys, m_gradValues; // [tokens, head_dim]
    std::vector<float> m_ones;
};

} // namespace

void attentionGradient(const AttentionGradientArgs &args)
{
    assert(args.queryHeads % args.kvHeads == 0);
    assert(args.gradSinkLogits.empty() || args.sinkLogits);
    parallelParts(args.kvHeads, [&](std::int64_t head) {
        assert(args.heads[static_cast<std::size_t>(head)].slots >= args.tokens);
        HeadGradient(args, static_cast<int>(head)).run();
    });
}

} // namespace zigzag
