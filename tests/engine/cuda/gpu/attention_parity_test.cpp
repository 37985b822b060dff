// SPDX-License-Identifier: GPL-3.0-or-later
// RoPE, append, attention and commit on the GPU against the CPU, as a session calls them: chunks, then decode, then batches.
#include "tests/engine/cuda/gpu/parity_fixture.h"

#include <array>
#include <numeric>

namespace zigzag::test {
namespace {

struct AttentionCase {
    int kvHeads = 2, group = 4, headDim = 128;
    std::int64_t sink = 4, recent = 16, context = 300;
    std::vector<std::int64_t> chunks; ///< tokens of each call
    int sequences = 1; ///< more than one: every chunk is one token of each
    bool norms = false;
    std::int64_t otherSink = 0, otherRecent = 0; ///< of KV heads 3, 7, …, where it is a window
    bool sinkLogits = false;
    float softCap = 0;
    bool allStream = false; ///< else even KV heads keep everything
};

std::string textOf(const AttentionCase &c)
{
    return fmt::format("{} KV heads, group {}, head_dim {}, sink {}, recent {}, {} sequences{}, soft cap {}", c.kvHeads, c.group,
                       c.headDim, c.sink, c.recent, c.sequences, c.sinkLogits ? ", sink logits" : "", c.softCap);
}

/// One layer's caches on one side; even KV heads keep everything, odd ones stream.
class LayerOn
{
public:
    /// Weights of `type`, keys and values of `cacheType`.
    LayerOn(const Side &side, DType type, DType cacheType, const AttentionCase &c)
        : m_side(side)
        , m_case(c)
        , m_type(type)
        , m_cacheType(cacheType)
        , m_active(side.backend->activationType(type))
    {
        const std::int64_t most = *std::max_element(c.chunks.begin(), c.chunks.end());
        std::vector<float> angles;
        for (std::int64_t p = 0; p < c.context; ++p)
            for (const bool sine : {false, true})
                for (int i = 0; i < c.headDim / 2; ++i) {
                    const double angle = static_cast<double>(p) * std::pow(10000.0, -2.0 * i / c.headDim);
                    angles.push_back(static_cast<float>(sine ? std::sin(angle) : std::cos(angle)));
                }
        m_rotation = std::make_unique<Array>(side, DType::F32, angles);
        m_queryNorm = std::make_unique<Array>(side, DType::F32, randomFloats(static_cast<std::size_t>(c.headDim), 91));
        m_keyNorm = std::make_unique<Array>(side, DType::F32, randomFloats(static_cast<std::size_t>(c.headDim), 92));
        m_sinkLogits
            = std::make_unique<Array>(side, DType::F32, randomFloats(static_cast<std::size_t>(c.kvHeads * c.group), 93, 3));
        std::int64_t perSequence = 0;
        for (int head = 0; head < c.kvHeads; ++head)
            perSequence += 2 * slots(head) * c.headDim;
        m_stride = perSequence * bytesOf(cacheType);
        m_cache = std::make_unique<Array>(side, cacheType, static_cast<std::size_t>(perSequence * c.sequences)); // poisoned
        m_staging = std::make_unique<Array>(side, cacheType, static_cast<std::size_t>(2 * c.kvHeads * most * c.headDim));
        const std::int64_t rowBytes = c.headDim * bytesOf(cacheType);
        auto *next = static_cast<std::byte *>(m_cache->data());
        auto *staged = static_cast<std::byte *>(m_staging->data());
        for (int head = 0; head < c.kvHeads; ++head) {
            HeadCache cache{
                .pattern = pattern(head), .keys = next, .values = next + slots(head) * rowBytes, .slots = slots(head)};
            next += 2 * slots(head) * rowBytes;
            m_straight.push_back(cache);
            if (!cache.pattern.keepsEverything()) {
                cache.stagedKeys = staged + 2 * head * most * rowBytes;
                cache.stagedValues = staged + (2 * head + 1) * most * rowBytes;
            }
            m_staged.push_back(cache);
        }
    }

    /// Attention's output for `tokens` new rows (of one sequence, or one of each). `positions`: of each sequence.
    std::vector<float> run(std::int64_t tokens, const std::vector<std::int32_t> &positions, std::uint64_t seed, bool strongest,
                           std::vector<std::int32_t> *positionsOfStrongest)
    {
        const AttentionCase &c = m_case;
        Backend &backend = *m_side.backend;
        const int queryHeads = c.kvHeads * c.group;
        const auto rows = static_cast<std::size_t>(tokens);
        const auto values = [&](int heads, std::uint64_t s) {
            return Stored(m_type, randomFloats(rows * static_cast<std::size_t>(heads * c.headDim), s)).values;
        };
        const Array queries(m_side, m_active, values(queryHeads, seed)), keys(m_side, m_active, values(c.kvHeads, seed + 1)),
            vals(m_side, m_active, values(c.kvHeads, seed + 2)),
            out(m_side, m_active, rows * static_cast<std::size_t>(queryHeads * c.headDim));
        auto positionsThere = backend.allocate(positions.size() * sizeof(std::int32_t));
        auto strongestThere = backend.allocate(rows * static_cast<std::size_t>(queryHeads) * sizeof(std::int32_t));
        EXPECT_TRUE(positionsThere && strongestThere);
        backend.upload(**positionsThere, 0, positions.data(), positions.size() * sizeof(std::int32_t));
        SequenceRows which{.first = 0, .count = c.sequences, .cacheStride = m_stride};
        if (tokens == c.sequences)
            which.positions = (*positionsThere)->as<std::int32_t>();
        const bool isStaged = c.sequences == 1 && tokens > 1;
        const auto &heads = isStaged ? m_staged : m_straight;
        // In a recording only the device knows how far decode has come.
        const std::int64_t first = which.positions ? c.context - 1 : positions[0];
        backend.ropeAppend({.queries = queries.data(),
                            .keys = keys.data(),
                            .values = vals.data(),
                            .queryNorm = c.norms ? m_queryNorm->floats() : nullptr,
                            .keyNorm = c.norms ? m_keyNorm->floats() : nullptr,
                            .cosSin = m_rotation->floats(),
                            .heads = heads,
                            .tokens = tokens,
                            .firstPosition = first,
                            .queryHeads = queryHeads,
                            .kvHeads = c.kvHeads,
                            .headDim = c.headDim,
                            .type = m_active,
                            .cacheType = m_cacheType,
                            .scales = scales(),
                            .epsilon = 1e-6f,
                            .rows = which});
        std::vector<int> selected(static_cast<std::size_t>(c.kvHeads));
        std::iota(selected.begin(), selected.end(), 0);
        backend.attention({.queries = queries.data(),
                           .out = out.data(),
                           .heads = heads,
                           .selected = selected,
                           .tokens = tokens,
                           .firstPosition = first,
                           .queryHeads = queryHeads,
                           .kvHeads = c.kvHeads,
                           .headDim = c.headDim,
                           .sinkLogits = c.sinkLogits ? m_sinkLogits->floats() : nullptr,
                           .softCap = c.softCap,
                           .type = m_active,
                           .cacheType = m_cacheType,
                           .scales = scales(),
                           .strongestKey = strongest ? (*strongestThere)->as<std::int32_t>() : nullptr,
                           .rows = which});
        if (isStaged)
            backend.commit({heads, tokens, first, c.headDim, m_cacheType, which});
        const auto finished = backend.synchronize();
        EXPECT_TRUE(finished) << finished.error().message;
        if (strongest) {
            positionsOfStrongest->resize(rows * static_cast<std::size_t>(queryHeads));
            backend.download(positionsOfStrongest->data(), (*strongestThere)->data(),
                             positionsOfStrongest->size() * sizeof(std::int32_t));
        }
        return out.read();
    }

private:
    HeadPattern pattern(int head) const
    {
        if (head % 2 == 0 && !m_case.allStream)
            return HeadPattern::full();
        return head % 4 == 3 && m_case.otherRecent > 0 ? HeadPattern::streaming(m_case.otherSink, m_case.otherRecent)
                                                       : HeadPattern::streaming(m_case.sink, m_case.recent);
    }
    KvScales scales() const { return m_cacheType == DType::F8 ? KvScales{0.02f, 0.013f} : KvScales{}; }
    std::int64_t slots(int head) const { return pattern(head).slots(m_case.context); }

    const Side &m_side;
    AttentionCase m_case;
    DType m_type, m_cacheType, m_active;
    std::unique_ptr<Array> m_rotation, m_queryNorm, m_keyNorm, m_sinkLogits, m_cache, m_staging;
    std::int64_t m_stride = 0;
    std::vector<HeadCache> m_straight, m_staged;
};

class AttentionParity : public Parity
{
protected:
    void check(const AttentionCase &c, DType type, bool strongest = false) { check(c, type, type, strongest); }
    void check(const AttentionCase &c, DType type, DType cacheType, bool strongest = false)
    {
        LayerOn cpu(m_cpu, type, cacheType, c), gpu(m_gpu, type, cacheType, c);
        // Where keys lie between two numbers of F8, the last bit of their rotation decides.
        const DType tolerated = cacheType == DType::F8 ? DType::BF16 : type;
        std::vector<std::int32_t> positions;
        for (int s = 0; s < c.sequences; ++s)
            positions.push_back(s * 0);
        std::uint64_t seed = 1000;
        for (const std::int64_t tokens : c.chunks) {
            std::vector<std::int32_t> cpuStrongest, gpuStrongest;
            const auto expected = cpu.run(tokens, positions, seed, strongest, &cpuStrongest);
            const auto got = gpu.run(tokens, positions, seed, strongest, &gpuStrongest);
            const std::string kind = cacheType == DType::F8 ? fmt::format(", FP8 keys ({})", nameOf(type)) : std::string();
            const std::string op = strongest ? "attention, simple"
                : tokens == c.sequences      ? fmt::format("attention, decode, head_dim {}", c.headDim)
                                             : fmt::format("attention, prefill, head_dim {}", c.headDim);
            compare(op + kind, tolerated, got, expected, fmt::format("{}, {} tokens at {}", textOf(c), tokens, positions[0]));
            if (strongest && type == DType::F32) {
                EXPECT_EQ(cpuStrongest, gpuStrongest);
            }
            for (std::int32_t &position : positions)
                position += static_cast<std::int32_t>(tokens / c.sequences);
            seed += 10;
            if (HasFailure())
                return;
        }
    }
};

constexpr std::array headDims = {32, 48, 64, 80, 96, 128, 256};

TEST_F(AttentionParity, ChunksThenDecode)
{
    for (const DType type : allTypes)
        for (const int headDim : headDims) {
            check({.headDim = headDim, .context = 700, .chunks = {37, 1, 200, 1, 1, 129, 64, 3, 1, 1, 250}}, type);
            check({.headDim = headDim, .sink = 64, .recent = 256, .context = 700, .chunks = {300, 1, 128, 1, 70, 1}}, type);
        }
}

TEST_F(AttentionParity, Windows)
{
    const std::vector<std::array<std::int64_t, 2>> windows
        = {{0, 1}, {0, 40}, {1, 1}, {16, 8}, {3, 65}, {130, 20}, {400, 300}, {600, 16}};
    for (const DType type : {DType::BF16, DType::F16})
        for (const auto &[sink, recent] : windows)
            check({.sink = sink, .recent = recent, .context = 500, .chunks = {1, 1, 66, 1, 131, 1, 200, 1, 1}}, type);
}

TEST_F(AttentionParity, WindowsAlone)
{
    // Chunks around a tile of queries, windows below and above a tile of keys, sinks that overlap them, rings that wrap.
    const std::vector<std::array<std::int64_t, 2>> windows = {{0, 1}, {4, 16}, {64, 64}, {64, 256}, {200, 30}, {16, 700}};
    for (const DType type : {DType::BF16, DType::F16})
        for (const DType cache : {type, DType::F8})
            for (const int headDim : {64, 128, 256})
                for (const auto &[sink, recent] : windows)
                    check({.group = 3,
                           .headDim = headDim,
                           .sink = sink,
                           .recent = recent,
                           .context = 1500,
                           .chunks = {129, 1, 64, 1, 255, 127, 1, 400, 128, 65},
                           .allStream = true},
                          type, cache);
}

TEST_F(AttentionParity, TwoWindowsInOneLaunch)
{
    for (const DType type : allTypes)
        check({.kvHeads = 4,
               .sink = 16,
               .recent = 64,
               .context = 500,
               .chunks = {1, 1, 66, 1, 131, 1, 200, 1, 1},
               .otherSink = 3,
               .otherRecent = 150},
              type);
}

TEST_F(AttentionParity, SinkLogitsAndSoftCap)
{
    for (const DType type : allTypes)
        for (const int headDim : {64, 96, 128, 256}) // both prefill kernels, and the simple one
            for (const float softCap : {0.0f, 1.5f, 50.0f})
                check({.group = 3,
                       .headDim = headDim,
                       .sink = 16,
                       .recent = 100,
                       .context = 900,
                       .chunks = {150, 1, 200, 1, 1, 33, 400, 1},
                       .sinkLogits = softCap != 50,
                       .softCap = softCap},
                      type);
}

TEST_F(AttentionParity, KeysAndValuesInF8)
{
    for (const DType type : {DType::BF16, DType::F16}) {
        for (const int headDim : {32, 48, 64, 80, 96, 128, 256})
            for (const int group : {1, 4, 7}) {
                check({.group = group, .headDim = headDim, .context = 700, .chunks = {1, 1, 37, 1, 200, 1, 129, 3, 1, 1, 250}},
                      type, DType::F8);
                check({.group = group,
                       .headDim = headDim,
                       .sink = 64,
                       .recent = 256,
                       .context = 700,
                       .chunks = {300, 1, 128, 1, 70, 1},
                       .sinkLogits = true,
                       .softCap = 20},
                      type, DType::F8);
            }
        const std::vector<std::int64_t> steps(40, 5);
        check({.headDim = 64, .context = 41, .chunks = steps, .sequences = 5}, type, DType::F8);
        check({.kvHeads = 4, .sink = 64, .recent = 256, .context = 9000, .chunks = {4096, 1, 2048, 1, 1, 1000, 1}}, type,
              DType::F8);
        check({.headDim = 32, .context = 300, .chunks = {100, 1, 50, 1, 1}}, type, DType::F8, true);
    }
}

TEST_F(AttentionParity, Groups)
{
    for (const DType type : {DType::BF16, DType::F16})
        for (const int group : {1, 2, 7, 8, 16, 32})
            for (const int kvHeads : {1, 3, 8})
                check({.kvHeads = kvHeads,
                       .group = group,
                       .headDim = 64,
                       .context = 400,
                       .chunks = {150, 1, 100, 1, 1},
                       .norms = group == 7},
                      type);
}

TEST_F(AttentionParity, Batches)
{
    for (const DType type : allTypes)
        for (const int sequences : {2, 5, 64}) {
            const std::vector<std::int64_t> steps(40, sequences);
            check({.headDim = 64, .sink = 4, .recent = 16, .context = 41, .chunks = steps, .sequences = sequences}, type);
        }
}

TEST_F(AttentionParity, LongContexts)
{
    for (const int headDim : {64, 128, 256}) {
        check({.kvHeads = 4,
               .headDim = headDim,
               .sink = 64,
               .recent = 256,
               .context = 9000,
               .chunks = {4096, 1, 2048, 1, 1, 1000, 1}},
              DType::BF16);
        check({.kvHeads = 2, .headDim = headDim, .sink = 16, .recent = 1024, .context = 16000, .chunks = {8000, 1, 7990, 1}},
              DType::F16);
    }
}

TEST_F(AttentionParity, TheStrongestKeyIsTold)
{
    for (const DType type : allTypes)
        check({.headDim = 32, .context = 300, .chunks = {100, 1, 50, 1, 1}}, type, true);
}

} // namespace
} // namespace zigzag::test
