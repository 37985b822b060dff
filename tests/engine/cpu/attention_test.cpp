// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/head_map.h"
#include "tests/engine/cpu/op_fixture.h"

#include <hwy/targets.h>
#include <numeric>
#include <ostream>

namespace zigzag::test {
namespace {

constexpr HeadKind R = HeadKind::Retrieval, S = HeadKind::Streaming;

struct Case {
    std::string name;
    std::vector<HeadKind> kinds;
    int group = 1;
    int headDim = 16;
    int sink = 2, recent = 5;
    std::vector<std::int64_t> chunks; ///< tokens of each call, one after another
    bool norm = false;
    float scale = 0; ///< of scores, 0: the usual one
    bool sinkLogits = false;
    StreamingWindow other = {0, 0}; ///< of every second streaming head, where it is one

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
    std::int64_t context() const { return std::accumulate(chunks.begin(), chunks.end(), std::int64_t{0}); }
    friend void PrintTo(const Case &testCase, std::ostream *out) { *out << testCase.name; }
};

/// A whole sequence through ropeAppend, attention and commit, against float64 over all positions.
class Sequence
{
public:
    Sequence(const Case &config, DType cacheType, KvScales scales = {})
        : m_config(config)
        , m_patterns(config.patterns())
        , m_type(cacheType)
        , m_scales(scales)
    {
        const std::size_t context = size(config.context()), dim = size(config.headDim);
        m_queries = randomFloats(context * queryHeads() * dim, 1);
        m_keys = randomFloats(context * kvHeads() * dim, 2);
        m_values = randomFloats(context * kvHeads() * dim, 3);
        m_queryNorm = randomFloats(dim, 4);
        m_keyNorm = randomFloats(dim, 5);
        m_sinkLogits = randomFloats(queryHeads(), 6, 3.0f);
        m_cosSin.resize(context * dim);
        for (std::size_t p = 0; p < context; ++p)
            for (std::size_t i = 0; i < dim / 2; ++i) {
                const double angle
                    = static_cast<double>(p) * std::pow(100.0, -2.0 * static_cast<double>(i) / static_cast<double>(dim));
                m_cosSin[p * dim + i] = static_cast<float>(std::cos(angle));
                m_cosSin[p * dim + dim / 2 + i] = static_cast<float>(std::sin(angle));
            }
        storeReference();
        for (const HeadPattern &pattern : m_patterns) {
            const std::size_t slots = size(pattern.slots(config.context()));
            const std::size_t chunk = size(*std::max_element(config.chunks.begin(), config.chunks.end()));
            for (const std::size_t rows : {slots, slots, chunk, chunk})
                m_memory.emplace_back(rows * dim * size(bytesOf(cacheType)), std::uint8_t{0xff},
                                      std::uint8_t{0xa5}); // 0xff…: NaN
        }
    }

    void run(Backend &backend, double tolerance)
    {
        std::int64_t first = 0;
        for (const std::int64_t tokens : m_config.chunks) {
            SCOPED_TRACE(testing::Message() << nameOf(m_type) << " first " << first << " tokens " << tokens);
            step(backend, first, tokens, tolerance);
            first += tokens;
        }
        for (const auto &memory : m_memory)
            EXPECT_TRUE(memory.intact());
    }

private:
    static std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }
    std::size_t kvHeads() const { return m_config.kinds.size(); }
    std::size_t queryHeads() const { return kvHeads() * size(m_config.group); }

    std::vector<double> rotated(const float *x, const std::vector<float> &norm, std::size_t position) const
    {
        const std::size_t dim = size(m_config.headDim);
        std::vector<double> v(x, x + dim), out(dim);
        if (m_config.norm) {
            double squares = 0;
            for (const double value : v)
                squares += value * value;
            for (std::size_t c = 0; c < dim; ++c)
                v[c] *= norm[c] / std::sqrt(squares / static_cast<double>(dim) + 1e-6);
        }
        const float *angles = m_cosSin.data() + position * dim;
        for (std::size_t i = 0; i < dim / 2; ++i) {
            out[i] = v[i] * angles[i] - v[dim / 2 + i] * angles[dim / 2 + i];
            out[dim / 2 + i] = v[dim / 2 + i] * angles[i] + v[i] * angles[dim / 2 + i];
        }
        return out;
    }

    /// What the cache holds, as read back: keys rotated in float64, then rounded to the cache's type.
    void storeReference()
    {
        std::vector<float> keys;
        const std::size_t dim = size(m_config.headDim);
        for (std::size_t row = 0; row < m_keys.size() / dim; ++row) {
            const auto key = rotated(&m_keys[row * dim], m_keyNorm, row / kvHeads());
            keys.insert(keys.end(), key.begin(), key.end());
        }
        m_storedKeys = storedBy(m_scales.key, std::move(keys));
        m_storedValues = storedBy(m_scales.value, m_values);
    }

    std::vector<float> storedBy(float scale, std::vector<float> values) const
    {
        for (float &value : values)
            value /= scale;
        values = Stored(m_type, values).values;
        for (float &value : values)
            value *= scale;
        return values;
    }

    /// One query head's attention, and the scores it saw (NaN: hidden).
    std::vector<double> reference(std::size_t query, std::size_t head, std::vector<double> &scores) const
    {
        const std::size_t dim = size(m_config.headDim), kvHead = head / size(m_config.group);
        const auto q = rotated(&m_queries[(query * queryHeads() + head) * dim], m_queryNorm, query);
        scores.assign(query + 1, std::numeric_limits<double>::quiet_NaN());
        double largest = -1e300;
        for (std::size_t key = 0; key <= query; ++key) {
            const auto position = static_cast<std::int64_t>(key), at = static_cast<std::int64_t>(query);
            if (position >= m_patterns[kvHead].sink() && at - position >= m_patterns[kvHead].recent())
                continue;
            double score = 0;
            for (std::size_t c = 0; c < dim; ++c)
                score += q[c] * m_storedKeys[(key * kvHeads() + kvHead) * dim + c];
            scores[key]
                = score * (m_config.scale > 0 ? static_cast<double>(m_config.scale) : 1 / std::sqrt(static_cast<double>(dim)));
            largest = std::max(largest, scores[key]);
        }
        std::vector<double> out(dim);
        double sum = 0;
        for (std::size_t key = 0; key <= query; ++key) {
            if (std::isnan(scores[key]))
                continue;
            const double weight = std::exp(scores[key] - largest);
            sum += weight;
            for (std::size_t c = 0; c < dim; ++c)
                out[c] += weight * m_storedValues[(key * kvHeads() + kvHead) * dim + c];
        }
        if (m_config.sinkLogits)
            sum += std::exp(static_cast<double>(m_sinkLogits[head]) - largest);
        for (double &value : out)
            value /= sum;
        return out;
    }

    void step(Backend &backend, std::int64_t first, std::int64_t tokens, double tolerance)
    {
        const std::size_t dim = size(m_config.headDim), from = size(first), count = size(tokens);
        std::vector<HeadCache> caches;
        for (std::size_t h = 0; h < kvHeads(); ++h) {
            HeadCache cache{m_patterns[h],
                            m_memory[4 * h].data(),
                            m_memory[4 * h + 1].data(),
                            m_patterns[h].slots(m_config.context()),
                            nullptr,
                            nullptr};
            if (!cache.pattern.keepsEverything() && tokens > 1) {
                cache.stagedKeys = m_memory[4 * h + 2].data();
                cache.stagedValues = m_memory[4 * h + 3].data();
            }
            caches.push_back(cache);
        }
        auto queries = guardedFloats(count * queryHeads() * dim);
        std::copy_n(m_queries.begin() + static_cast<std::ptrdiff_t>(from * queryHeads() * dim), queries.size(), queries.data());
        RopeAppendArgs rope;
        rope.queries = queries.data();
        rope.keys = &m_keys[from * kvHeads() * dim];
        rope.values = &m_values[from * kvHeads() * dim];
        rope.queryNorm = m_config.norm ? m_queryNorm.data() : nullptr;
        rope.keyNorm = m_config.norm ? m_keyNorm.data() : nullptr;
        rope.cosSin = m_cosSin.data();
        rope.heads = caches;
        rope.tokens = tokens, rope.firstPosition = first;
        rope.queryHeads = static_cast<int>(queryHeads()), rope.kvHeads = static_cast<int>(kvHeads()),
        rope.headDim = m_config.headDim;
        rope.cacheType = m_type, rope.scales = m_scales, rope.epsilon = 1e-6f;
        backend.ropeAppend(rope);
        EXPECT_TRUE(queries.intact());

        AttentionArgs args;
        args.queries = queries.data();
        args.heads = caches;
        args.tokens = tokens, args.firstPosition = first;
        args.queryHeads = rope.queryHeads, args.kvHeads = rope.kvHeads, args.headDim = rope.headDim, args.cacheType = m_type;
        args.scales = m_scales;
        auto out = guardedFloats(queries.size());
        Guarded<std::int32_t> strongest(count * queryHeads(), -7, 4242);
        args.out = out.data();
        args.strongestKey = strongest.data();
        args.scale = m_config.scale;
        args.sinkLogits = m_config.sinkLogits ? m_sinkLogits.data() : nullptr;
        // Two calls, as a mixed layer's two launches: what the first does not select, it leaves alone.
        std::vector<int> even, odd;
        for (int h = 0; h < args.kvHeads; ++h)
            (h % 2 == 0 ? even : odd).push_back(h);
        args.selected = even;
        backend.attention(args);
        for (std::size_t i = 0; i < out.size(); ++i)
            ASSERT_EQ(std::isnan(out[i]), i / dim % queryHeads() / size(m_config.group) % 2 == 1);
        args.selected = odd;
        backend.attention(args);
        EXPECT_TRUE(out.intact() && strongest.intact());

        std::vector<double> expected, scores;
        for (std::size_t t = 0; t < count; ++t)
            for (std::size_t h = 0; h < queryHeads(); ++h) {
                const auto row = reference(from + t, h, scores);
                expected.insert(expected.end(), row.begin(), row.end());
                const std::int32_t best = strongest[t * queryHeads() + h];
                ASSERT_TRUE(best >= 0 && size(best) < scores.size() && !std::isnan(scores[size(best)])) << best;
                for (const double score : scores) {
                    const bool beaten = score > scores[size(best)] + 10 * tolerance; // false for hidden keys
                    ASSERT_FALSE(beaten) << "strongest key";
                }
            }
        EXPECT_LT(relativeError(out.data(), expected), tolerance);

        CommitArgs commit;
        commit.heads = caches;
        commit.tokens = tokens, commit.firstPosition = first;
        commit.headDim = m_config.headDim, commit.cacheType = m_type;
        backend.commit(commit);
    }

    const Case &m_config;
    std::vector<HeadPattern> m_patterns; // [kv_heads]
    DType m_type;
    KvScales m_scales;
    std::vector<float> m_queries, m_keys, m_values, m_queryNorm, m_keyNorm, m_cosSin, m_sinkLogits, m_storedKeys, m_storedValues;
    std::vector<Guarded<std::uint8_t>> m_memory; // per KV head: keys, values, staged keys, staged values
};

/// Likewise: 2^-3 of a number, in one of a key's many.
constexpr double f8Tolerance = 0.1;

class CpuAttention : public testing::TestWithParam<Case>
{ };

TEST_P(CpuAttention, MatchesFloat64)
{
    const auto backend = createCpuBackend();
    Sequence(GetParam(), DType::F32).run(*backend, 5e-6);
    // A key that rounds the other way in the reference differs by one unit in the last place of the cache's type.
    Sequence(GetParam(), DType::F16).run(*backend, 2e-3);
    Sequence(GetParam(), DType::BF16).run(*backend, 1.2e-2);
    Sequence(GetParam(), DType::F8).run(*backend, f8Tolerance);
    Sequence(GetParam(), DType::F8, {0.37f, 1.9f}).run(*backend, f8Tolerance);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, CpuAttention,
    testing::Values(
        Case{"group1", {R, S}, 1, 16, 2, 5, {7, 1, 1, 9, 1}}, Case{"group2", {S, R, S}, 2, 32, 3, 8, {20, 1, 5, 1, 1}},
        Case{"group4", {R, S}, 4, 64, 4, 16, {40, 1, 30, 2, 1}}, Case{"group7", {S, R}, 7, 8, 1, 3, {25, 1, 1, 13}},
        Case{"head_dim_2", {R, S}, 2, 2, 2, 5, {11, 1, 3}}, Case{"head_dim_100", {S, R}, 2, 100, 2, 9, {19, 1, 6}},
        Case{"head_dim_256", {S, R}, 1, 256, 2, 9, {5, 1, 6}}, Case{"head_dim_258", {R, S}, 2, 258, 2, 9, {5, 1, 6}, true},
        Case{"head_dim_1024", {S, R}, 2, 1024, 2, 9, {5, 1, 6, 30}, true},
        Case{"context_below_sink", {S, S}, 2, 16, 50, 8, {9, 1, 4, 1}}, Case{"window_of_one", {S}, 3, 16, 0, 1, {6, 1, 5, 1}},
        Case{"no_sinks", {S, R}, 1, 16, 0, 6, {4, 9, 1, 1, 1, 1, 1, 1, 20}},
        Case{"window_below_block", {S}, 2, 24, 3, 10, {150, 1, 70, 1}},
        Case{"window_above_block", {S, R}, 2, 24, 70, 150, {130, 1, 300, 1, 64, 1}},
        Case{"sinks_meet_window", {S}, 1, 16, 10, 30, {35, 1, 1, 1, 1, 1, 1, 7, 1}},
        Case{"chunk_longer_than_ring", {S, R}, 2, 16, 4, 8, {3, 50, 1, 50, 1}},
        Case{"ring_wraps_often", {S}, 1, 16, 2, 4, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 1, 2, 1}},
        Case{"first_chunk_below_sink", {S, R}, 2, 16, 12, 5, {5, 4, 6, 1, 9, 1}},
        Case{"many_splits", {R, S}, 2, 16, 40, 600, {1300, 1, 1, 100, 1}},
        Case{"norms", {S, R}, 2, 48, 2, 7, {13, 1, 4, 1}, true},
        Case{"scale_of_its_own", {S, R}, 2, 16, 2, 7, {13, 1, 4, 1}, false, 0.6f},
        Case{"sink_logits", {S, R}, 3, 16, 2, 40, {130, 1, 4, 1}, false, 0, true},
        Case{"two_windows", {S, R, S}, 2, 16, 4, 16, {40, 1, 30, 2, 1}, false, 0, false, {1, 33}},
        Case{"two_windows_side_by_side", {S, S, S, S}, 1, 16, 0, 6, {4, 9, 1, 1, 1, 50, 1, 20}, false, 0, true, {12, 1}}),
    [](const auto &test) { return test.param.name; });

TEST(CpuAttentionTargets, EverySimdTargetAgrees)
{
    for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
        SCOPED_TRACE(hwy::TargetName(target));
        hwy::SetSupportedTargetsForTest(target);
        hwy::GetChosenTarget().Update(hwy::SupportedTargets());
        const auto backend = createCpuBackend();
        const Case mixed{"mixed", {R, S}, 3, 20, 3, 40, {70, 1, 5, 1, 90, 1}, true};
        Sequence(mixed, DType::F32).run(*backend, 5e-6);
        Sequence(mixed, DType::F16).run(*backend, 2e-3);
        Sequence(mixed, DType::BF16).run(*backend, 1.2e-2);
        Sequence(mixed, DType::F8, {0.37f, 1.9f}).run(*backend, f8Tolerance);
    }
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

/// What a sink logit far above every score leaves is nothing, and one far below takes nothing.
TEST(CpuAttentionSinkLogits, MayBeOfAnySize)
{
    const auto backend = createCpuBackend();
    constexpr int dim = 8;
    constexpr std::int64_t context = 20;
    const std::vector<float> keys = randomFloats(context * dim, 1), values(context * dim, 2.0f),
                             queries = randomFloats(6 * dim, 3);
    const HeadCache cache{
        HeadPattern::full(), const_cast<float *>(keys.data()), const_cast<float *>(values.data()), context, nullptr, nullptr};
    const int selected = 0;
    const std::vector<float> logits = {1e30f, -1e30f};
    for (const std::int64_t tokens : {1, 3}) {
        std::vector<float> out(6 * dim, -1.0f);
        AttentionArgs args;
        args.queries = queries.data(), args.out = out.data(), args.heads = {&cache, 1}, args.selected = {&selected, 1};
        args.tokens = tokens, args.firstPosition = context - tokens;
        args.queryHeads = 2, args.kvHeads = 1, args.headDim = dim, args.sinkLogits = logits.data();
        backend->attention(args);
        for (std::size_t i = 0; i < static_cast<std::size_t>(tokens) * 2 * dim; ++i)
            EXPECT_FLOAT_EQ(out[i], i / dim % 2 == 0 ? 0.0f : 2.0f);
    }
}

TEST(CpuAttentionTies, TheLowestOfEqualKeysIsStrongest)
{
    const auto backend = createCpuBackend();
    constexpr int dim = 8;
    constexpr std::int64_t context = 700;
    std::vector<float> keys(context * dim, 1.0f), values(context * dim, 1.0f), queries(3 * dim, 1.0f), out(3 * dim);
    const HeadCache cache{{}, keys.data(), values.data(), context, nullptr, nullptr};
    const int selected = 0;
    for (const std::int64_t tokens : {1, 3}) {
        for (std::size_t c = 0; c < dim; ++c)
            keys[c] = keys[dim + c] = 0.5f;
        std::vector<std::int32_t> strongest(3, -1);
        AttentionArgs args;
        args.queries = queries.data(), args.out = out.data(), args.heads = {&cache, 1}, args.selected = {&selected, 1};
        args.tokens = tokens, args.firstPosition = context - tokens;
        args.queryHeads = args.kvHeads = 1, args.headDim = dim;
        args.strongestKey = strongest.data();
        backend->attention(args);
        for (std::int64_t t = 0; t < tokens; ++t)
            EXPECT_EQ(strongest[static_cast<std::size_t>(t)], 2);
    }
}

} // namespace
} // namespace zigzag::test
