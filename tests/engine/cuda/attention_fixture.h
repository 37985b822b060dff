// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/kernels/attention_args.h"
#include "engine/map/head_map.h"
#include "engine/run/key_runs.h"
#include "tests/engine/cpu/op_fixture.h"

#include <cmath>
#include <ostream>
#include <string>
#include <vector>

namespace zigzag::test {

inline constexpr HeadKind R = HeadKind::Retrieval, S = HeadKind::Streaming;

/// One call of attention: `tokens` queries of each sequence, from position `first` of that sequence on.
struct AttentionCase {
    std::string name;
    std::vector<HeadKind> kinds;
    int group = 1;
    int headDim = 32;
    int sink = 2, recent = 5;
    int tokens = 1;
    std::vector<int> first = {0}; // [sequences]
    int spare = 3; ///< slots of retrieval heads that stay unused
    bool positionsOnDevice = false;
    float steepness = 0; ///< later keys are longer: the running maximum rises by far more than rounding allows
    bool sinkLogits = false; ///< each query head has one
    StreamingWindow other = {0, 0}; ///< of every second streaming head, where it is one
    float softCap = 0; ///< AttentionArgs

    /// Every head's.
    std::vector<HeadPattern> patterns() const
    {
        std::vector<HeadPattern> result;
        bool second = false; // streaming head
        for (const HeadKind kind : kinds) {
            const bool isOther = kind == S && other.recent > 0 && second;
            result.push_back(patternOf(kind, isOther ? other : StreamingWindow{sink, recent}));
            second = kind == S ? !second : second;
        }
        return result;
    }

    friend void PrintTo(const AttentionCase &testCase, std::ostream *out) { *out << testCase.name; }
};

/// Its caches as rope-append leaves them, with not-a-number wherever nothing was stored, and the answer in float64.
class AttentionProblem
{
public:
    /// Keys and values are of `type` as well, or F8: then divided by scales before they are stored.
    AttentionProblem(const AttentionCase &config, DType type, bool f8 = false)
        : m_config(config)
        , m_patterns(config.patterns())
        , m_type(type)
        , m_cacheType(f8 ? DType::F8 : type)
        , m_out(elements() * bytes() + 2 * margin, sentinel)
        , m_strongest(elements() / dim(), -7, 4242)
    {
        clearOut();
        const std::size_t context = longest();
        m_queries = std::make_unique<Stored>(type, randomFloats(elements(), 1));
        m_sinkLogits = randomFloats(queryHeads(), 2, 3.0f);
        for (std::size_t i = 0; i < 2 * sequences() * kvHeads(); ++i) {
            std::vector<float> rows = randomFloats(context * dim(), 10 + i);
            for (std::size_t j = 0; i % 2 == 0 && j < rows.size(); ++j)
                if (const std::size_t row = j / dim(); row > 0)
                    rows[j] *= 1 + config.steepness * static_cast<float>(row);
            const float scale = i % 2 == 0 ? keyScale() : valueScale();
            for (float &x : rows)
                x /= scale;
            m_rows.emplace_back(m_cacheType, rows);
        }
        std::size_t at = 0;
        for (const HeadPattern &pattern : m_patterns) {
            m_slots.push_back(pattern.slots(static_cast<std::int64_t>(context) + config.spare));
            m_offsets.push_back(at);
            at += (2 * static_cast<std::size_t>(m_slots.back()) * rowBytes() + 15) / 16 * 16;
        }
        m_stride = at;
        m_cache.assign(m_stride * sequences(), 0xff);
        m_staged.assign(2 * kvHeads() * static_cast<std::size_t>(config.tokens) * rowBytes(), 0xff);
        for (std::size_t s = 0; s < sequences(); ++s)
            for (std::size_t h = 0; h < kvHeads(); ++h)
                store(s, h);
    }

    gpu::AttentionKernelArgs args(std::vector<int> selected)
    {
        gpu::AttentionKernelArgs args = {};
        args.queries = m_queries->bytes.data();
        args.out = out();
        args.rows.count = static_cast<int>(sequences());
        args.rows.positions = m_config.positionsOnDevice ? m_config.first.data() : nullptr;
        args.rows.firstPosition = m_config.positionsOnDevice ? -1000 : m_config.first.front();
        args.tokens = m_config.tokens;
        args.queryHeads = static_cast<int>(queryHeads()), args.kvHeads = static_cast<int>(kvHeads());
        args.headDim = m_config.headDim;
        args.valueScale = valueScale();
        gpu::setScores(args, keyScale() / std::sqrt(static_cast<float>(m_config.headDim)), m_config.softCap);
        args.sinkLogits = m_config.sinkLogits ? m_sinkLogits.data() : nullptr;
        for (std::size_t h = 0; h < kvHeads(); ++h) {
            gpu::HeadCacheView &view = args.caches.heads[h];
            view.keys = m_cache.data() + m_offsets[h];
            view.values = m_cache.data() + m_offsets[h] + static_cast<std::size_t>(m_slots[h]) * rowBytes();
            view.slots = m_slots[h];
            view.sink = static_cast<int>(m_patterns[h].sink());
            view.recent = m_patterns[h].keepsEverything() ? gpu::everyKey : static_cast<int>(m_patterns[h].recent());
            if (staged(h)) {
                view.stagedKeys = stagedRow(h, 0, 0);
                view.stagedValues = stagedRow(h, 1, 0);
            }
        }
        for (std::size_t i = 0; i < selected.size(); ++i)
            args.caches.selected[i] = static_cast<std::uint8_t>(selected[i]);
        args.caches.selectedCount = static_cast<int>(selected.size());
        args.caches.sequenceStride = static_cast<std::int64_t>(m_stride);
        m_selected = std::move(selected);
        return args;
    }

    const AttentionCase &config() const { return m_config; }
    std::vector<std::int64_t> slots(const std::vector<int> &selected) const
    {
        std::vector<std::int64_t> result;
        result.reserve(selected.size());
        for (const int head : selected)
            result.push_back(m_slots[static_cast<std::size_t>(head)]);
        return result;
    }
    std::int32_t *strongest() { return m_strongest.data(); }
    const std::vector<std::uint8_t> &caches() const { return m_cache; }
    std::int64_t longestContext() const { return static_cast<std::int64_t>(longest()); }

    /// The selected heads' outputs, and only they, against the reference; and that nothing outside was written.
    void check(double tolerance, bool withStrongest = false)
    {
        ASSERT_TRUE(m_strongest.intact());
        for (std::size_t i = 0; i < margin; ++i)
            ASSERT_TRUE(m_out[i] == sentinel && m_out[m_out.size() - 1 - i] == sentinel);
        std::vector<bool> chosen(kvHeads());
        for (const int head : m_selected)
            chosen[static_cast<std::size_t>(head)] = true;
        std::vector<float> got;
        std::vector<double> expected, scores;
        for (std::size_t row = 0; row < elements() / dim(); ++row) {
            const std::size_t queryHead = row % queryHeads(), token = row / queryHeads();
            if (!chosen[queryHead / group()]) {
                for (std::size_t i = row * dim() * bytes(); i < (row + 1) * dim() * bytes(); ++i)
                    ASSERT_EQ(out()[i], 0xff) << "row " << row << " was not selected";
                continue;
            }
            reference(token / tokens(), token % tokens(), queryHead, expected, scores);
            for (std::size_t c = 0; c < dim(); ++c)
                got.push_back(value(out(), row * dim() + c));
            if (withStrongest) {
                const auto best = static_cast<std::size_t>(m_strongest[row]);
                ASSERT_TRUE(best < scores.size() && !std::isnan(scores[best])) << best;
                for (const double score : scores) {
                    const bool beaten = score > scores[best] + 1e-5; // false for hidden keys
                    ASSERT_FALSE(beaten) << "strongest key";
                }
            }
        }
        EXPECT_LT(relativeError(got.data(), expected), tolerance);
    }

    void clearOut() { std::fill(m_out.begin() + margin, m_out.end() - margin, std::uint8_t{0xff}); }

private:
    static constexpr std::size_t margin = 64; // keeps the alignment
    static constexpr std::uint8_t sentinel = 0x5a;

    std::uint8_t *out() { return m_out.data() + margin; }
    std::size_t sequences() const { return m_config.first.size(); }
    std::size_t tokens() const { return static_cast<std::size_t>(m_config.tokens); }
    std::size_t kvHeads() const { return m_config.kinds.size(); }
    std::size_t group() const { return static_cast<std::size_t>(m_config.group); }
    std::size_t queryHeads() const { return kvHeads() * group(); }
    std::size_t dim() const { return static_cast<std::size_t>(m_config.headDim); }
    std::size_t bytes() const { return static_cast<std::size_t>(bytesOf(m_type)); }
    std::size_t rowBytes() const { return dim() * static_cast<std::size_t>(bytesOf(m_cacheType)); }
    float keyScale() const { return m_cacheType == DType::F8 ? 0.37f : 1; }
    float valueScale() const { return m_cacheType == DType::F8 ? 2.5f : 1; }
    std::size_t elements() const { return sequences() * tokens() * queryHeads() * dim(); }
    std::size_t longest() const
    {
        return static_cast<std::size_t>(*std::max_element(m_config.first.begin(), m_config.first.end())) + tokens();
    }
    bool staged(std::size_t head) const { return m_config.tokens > 1 && !m_patterns[head].keepsEverything(); }
    const Stored &rows(std::size_t sequence, std::size_t head, std::size_t which) const
    {
        return m_rows[(sequence * kvHeads() + head) * 2 + which];
    }
    std::uint8_t *stagedRow(std::size_t head, std::size_t which, std::size_t row)
    {
        return m_staged.data() + ((2 * head + which) * tokens() + row) * rowBytes();
    }

    void store(std::size_t sequence, std::size_t head)
    {
        const auto first = static_cast<std::size_t>(m_config.first[sequence]);
        for (std::size_t which = 0; which < 2; ++which)
            for (std::size_t position = 0; position < first + tokens(); ++position) {
                const std::int64_t slot = cacheSlot(static_cast<std::int64_t>(position), m_slots[head], m_patterns[head].sink());
                std::uint8_t *to = m_cache.data() + sequence * m_stride + m_offsets[head]
                    + (which * static_cast<std::size_t>(m_slots[head]) + static_cast<std::size_t>(slot)) * rowBytes();
                if (staged(head) && position >= first)
                    to = stagedRow(head, which, position - first);
                std::memcpy(to, rows(sequence, head, which).bytes.data() + position * rowBytes(), rowBytes());
            }
    }

    float value(const std::uint8_t *from, std::size_t i) const
    {
        if (m_type == DType::F32) {
            float result;
            std::memcpy(&result, from + 4 * i, 4);
            return result;
        }
        std::uint16_t half;
        std::memcpy(&half, from + 2 * i, 2);
        return m_type == DType::F16 ? f16ToFloat(half) : bf16ToFloat(half);
    }

    /// Appends one row; `scores`: of all positions, not-a-number for hidden ones.
    void reference(std::size_t sequence, std::size_t token, std::size_t queryHead, std::vector<double> &out,
                   std::vector<double> &scores) const
    {
        const std::size_t head = queryHead / group();
        const auto position = static_cast<std::size_t>(m_config.first[sequence]) + token;
        const float *query = &m_queries->values[((sequence * tokens() + token) * queryHeads() + queryHead) * dim()];
        const Stored &keys = rows(sequence, head, 0), &values = rows(sequence, head, 1);
        scores.assign(position + 1, std::numeric_limits<double>::quiet_NaN());
        double max = -1e300, sum = 0;
        for (std::size_t j = 0; j <= position; ++j) {
            const auto distance = static_cast<std::int64_t>(position - j);
            if (static_cast<std::int64_t>(j) >= m_patterns[head].sink() && distance >= m_patterns[head].recent())
                continue;
            scores[j] = 0;
            for (std::size_t c = 0; c < dim(); ++c)
                scores[j] += static_cast<double>(query[c]) * static_cast<double>(keys.values[j * dim() + c]);
            scores[j] *= static_cast<double>(keyScale()) / std::sqrt(static_cast<double>(dim()));
            if (const double cap = m_config.softCap; cap != 0)
                scores[j] = cap * std::tanh(scores[j] / cap);
            max = std::max(max, scores[j]);
        }
        std::vector<double> row(dim());
        for (std::size_t j = 0; j <= position; ++j) {
            if (std::isnan(scores[j]))
                continue;
            const double weight = std::exp(scores[j] - max);
            sum += weight;
            for (std::size_t c = 0; c < dim(); ++c)
                row[c] += weight * static_cast<double>(values.values[j * dim() + c]);
        }
        if (m_config.sinkLogits)
            sum += std::exp(static_cast<double>(m_sinkLogits[queryHead]) - max);
        for (const double x : row)
            out.push_back(static_cast<double>(valueScale()) * x / sum);
    }

    const AttentionCase &m_config;
    std::vector<HeadPattern> m_patterns; // [kv_heads]
    DType m_type, m_cacheType;
    std::unique_ptr<Stored> m_queries;
    std::vector<float> m_sinkLogits; // [query_heads]
    std::vector<Stored> m_rows; // [sequences, kv_heads, 2]: keys and values of [context, head_dim]
    std::vector<std::int64_t> m_slots;
    std::vector<std::size_t> m_offsets;
    std::size_t m_stride = 0;
    std::vector<std::uint8_t> m_cache, m_staged;
    std::vector<std::uint8_t> m_out;
    Guarded<std::int32_t> m_strongest;
    std::vector<int> m_selected;
};

/// All heads of a case, and every second one.
inline std::vector<std::vector<int>> selections(const AttentionCase &config)
{
    std::vector<int> all, odd;
    for (int h = 0; h < static_cast<int>(config.kinds.size()); ++h) {
        all.push_back(h);
        if (h % 2 == 1)
            odd.push_back(h);
    }
    if (odd.empty())
        return {all};
    return {odd, all};
}

} // namespace zigzag::test
