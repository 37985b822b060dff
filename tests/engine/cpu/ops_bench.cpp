// SPDX-License-Identifier: GPL-3.0-or-later
// Prints how near each op comes to what this machine can do, both measured in turn in the same run: reads against a
// parallel read of the same size, matrix products against oneDNN's best layout for the same shape, attention against
// oneDNN's float32 product. Not a test: it takes a minute, and its numbers belong to one machine.
#include "engine/base/onednn.h"
#include "engine/base/thread_pool.h"
#include "engine/cpu/cpu_backend.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace {

using namespace zigzag;

std::string only; ///< from the command line: comparisons whose name holds this text

double seconds(const std::function<void()> &work)
{
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Four streams of whole cache lines: as fast as this machine's cores read.
#ifndef __clang__ // which knows neither
__attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
#endif
std::uint64_t
readAll(const std::byte *from, std::size_t bytes)
{
    using Line __attribute__((vector_size(64))) = std::uint64_t;
    const std::size_t quarter = bytes / 4;
    Line sums[4] = {};
    for (std::size_t i = 0; i < quarter; i += sizeof(Line)) {
        for (std::size_t stream = 0; stream < 4; ++stream) {
            __builtin_prefetch(from + stream * quarter + i + 1024);
            sums[stream] += *reinterpret_cast<const Line *>(from + stream * quarter + i);
        }
    }
    const Line all = sums[0] + sums[1] + sums[2] + sums[3];
    return all[0] + all[1] + all[2] + all[3] + all[4] + all[5] + all[6] + all[7];
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// Runs both in turn and prints the medians; `amount` is what either handles, in units of 10⁹.
void compare(const std::string &name, const char *unit, double amount, double ceilingAmount, const std::function<void()> &op,
             const std::function<void()> &ceiling, int repeats = 7)
{
    if (name.find(only) == std::string::npos)
        return;
    std::vector<double> ops, ceilings;
    op(), ceiling();
    for (int i = 0; i < repeats; ++i) {
        ops.push_back(amount / seconds(op));
        ceilings.push_back(ceilingAmount / seconds(ceiling));
    }
    fmt::print("{:44} {:8.1f} {:7} ceiling {:8.1f} ratio {:.2f}\n", name, median(ops), unit, median(ceilings),
               median(ops) / median(ceilings));
    std::fflush(stdout);
}

class Bench
{
public:
    Bench()
    {
        m_pool = take(poolBytes);
        // Small normal numbers in every type: a pattern of bf16 pairs is a float32 as well.
        std::mt19937 random(1);
        auto *halves = m_pool->as<std::uint16_t>();
        for (std::size_t i = 0; i < poolBytes / 2; ++i)
            halves[i] = static_cast<std::uint16_t>(0x3c00u + (random() & 0x80ffu));
        m_in = take(sizeof(float) * 8192 * 2048);
        m_out = take(sizeof(float) * 8192 * 2048);
        fill(*m_in), fill(*m_out);
    }

    void bandwidth()
    {
        for (const DType type : {DType::F32, DType::F16, DType::BF16})
            for (const std::int64_t tokens : {1, 4})
                gemv(type, tokens, 2048, 5632);
        gemv(DType::BF16, 1, 5632, 2048);
        gemv(DType::BF16, 1, 2048, 2048);
        gemv(DType::BF16, 8, 2048, 5632);
        for (const DType type : {DType::F32, DType::F16, DType::BF16}) {
            decodeAttention(type, 1, 128);
            decodeAttention(type, 4, 128);
            decodeAttention(type, 8, 64);
        }
    }

    void matrix()
    {
        for (const DType type : {DType::BF16, DType::F32, DType::F16})
            for (const auto &[rows, columns] :
                 {std::pair<std::int64_t, std::int64_t>{2560, 2048}, {2048, 2048}, {11264, 2048}, {2048, 5632}})
                for (const std::int64_t tokens : {512, 64})
                    gemm(type, tokens, rows, columns);
    }

    /// What rounding activations to bf16 costs: the product of many tokens against that of one, whose input stays float32.
    void bf16Error()
    {
        if (std::string("bf16 error").find(only) == std::string::npos)
            return;
        const std::int64_t tokens = 64, rows = 2048, columns = 2048;
        const auto matrix = std::move(*m_backend->prepare({m_pool->as<std::byte>(), DType::BF16, rows, columns}));
        std::vector<float> many(tokens * rows), one(tokens * rows);
        const Product product{matrix.get(), nullptr, nullptr, many.data()};
        m_backend->matmul({m_in->as<float>(), tokens, {&product, 1}});
        for (std::int64_t t = 0; t < tokens; ++t) {
            const Product row{matrix.get(), nullptr, nullptr, one.data() + t * rows};
            m_backend->matmul({m_in->as<float>() + t * columns, 1, {&row, 1}});
        }
        double squares = 0, all = 0, largest = 0, difference = 0;
        for (std::size_t i = 0; i < one.size(); ++i) {
            const double error = double{many[i]} - one[i];
            squares += error * error, all += double{one[i]} * one[i];
            difference = std::max(difference, std::abs(error)), largest = std::max(largest, std::abs(double{one[i]}));
        }
        fmt::print("bf16 error of 2048 products: rms {:.2e} of the rms, largest {:.2e} of the largest\n",
                   std::sqrt(squares / all), difference / largest);
    }

    void attention()
    {
        for (const auto &[group, dim] : {std::pair{1, 128}, {4, 128}, {8, 64}}) {
            prefillAttention(HeadPattern::full(), group, dim, 0);
            for (const std::int64_t first : {2048, 4096, 16384})
                prefillAttention(HeadPattern::streaming(64, 512), group, dim, first);
        }
        prefillAttention(HeadPattern::full(), 4, 128, 4096);
        prefillAttention(HeadPattern::full(), 8, 64, 4096);
    }

private:
    static constexpr std::size_t poolBytes = 1u << 30;

    std::unique_ptr<Buffer> take(std::size_t bytes) { return std::move(*m_backend->allocate(bytes)); }

    static void fill(Buffer &buffer)
    {
        std::mt19937 random(2);
        std::normal_distribution<float> normal;
        for (std::size_t i = 0; i < buffer.bytes() / sizeof(float); ++i)
            buffer.as<float>()[i] = normal(random);
    }

    void readPool()
    {
        std::atomic<std::uint64_t> total{0};
        parallelFor(poolBytes, 1 << 20, [&](std::int64_t begin, std::int64_t end) {
            total += readAll(m_pool->as<std::byte>() + begin, static_cast<std::size_t>(end - begin));
        });
        m_readSum = total;
    }

    void gemv(DType type, std::int64_t tokens, std::int64_t rows, std::int64_t columns)
    {
        const std::size_t bytes = static_cast<std::size_t>(rows * columns * bytesOf(type)), count = poolBytes / bytes;
        std::vector<std::unique_ptr<Matrix>> matrices;
        for (std::size_t i = 0; i < count; ++i)
            matrices.push_back(std::move(*m_backend->prepare({m_pool->as<std::byte>() + i * bytes, type, rows, columns})));
        compare(
            fmt::format("matmul {} tokens {} of {} x {}", nameOf(type), tokens, rows, columns), "GB/s",
            static_cast<double>(count * bytes) / 1e9, poolBytes / 1e9,
            [&] {
                for (const auto &matrix : matrices) {
                    const Product product{matrix.get(), nullptr, nullptr, m_out->as<float>()};
                    m_backend->matmul({m_in->as<float>(), tokens, {&product, 1}});
                }
            },
            [&] { readPool(); });
    }

    void decodeAttention(DType type, int group, int dim)
    {
        const std::int64_t context = 4096, heads = 8;
        const std::size_t bytes = static_cast<std::size_t>(context * dim * bytesOf(type)), layers = poolBytes / bytes / 2 / heads;
        std::vector<HeadCache> caches;
        for (std::size_t i = 0; i < layers * heads; ++i)
            caches.push_back({HeadPattern::full(), m_pool->as<std::byte>() + 2 * i * bytes,
                              m_pool->as<std::byte>() + (2 * i + 1) * bytes, context, nullptr, nullptr});
        const std::vector<int> selected = {0, 1, 2, 3, 4, 5, 6, 7};
        AttentionArgs args;
        args.queries = m_in->as<float>(), args.out = m_out->as<float>();
        args.selected = selected;
        args.tokens = 1, args.firstPosition = context - 1;
        args.kvHeads = heads, args.queryHeads = heads * group, args.headDim = dim, args.cacheType = type;
        compare(
            fmt::format("attention decode {} group {} dim {}", nameOf(type), group, dim), "GB/s",
            static_cast<double>(layers * heads * bytes * 2) / 1e9, poolBytes / 1e9,
            [&] {
                for (std::size_t layer = 0; layer < layers; ++layer) {
                    args.heads = std::span(caches).subspan(layer * heads, heads);
                    m_backend->attention(args);
                }
            },
            [&] { readPool(); });
    }

    /// oneDNN alone: plain weights, or packed by its own choice beforehand.
    std::function<void()> library(dnnl::memory::data_type type, std::int64_t tokens, std::int64_t rows, std::int64_t columns,
                                  bool packed)
    {
        using Tag = dnnl::memory::format_tag;
        onednn::setThreads(ThreadPool::current().threads());
        const dnnl::memory::desc in({tokens, columns}, type, Tag::ab), plain({columns, rows}, type, Tag::ba),
            any({columns, rows}, type, Tag::any), out({tokens, rows}, dnnl::memory::data_type::f32, Tag::ab);
        const auto desc = onednn::describeMatmul(m_engine, in, packed ? any : plain, {}, out);
        dnnl::memory weights(plain, m_engine, m_pool->data());
        if (packed) {
            dnnl::memory packedWeights(desc.weights_desc(), m_engine);
            dnnl::reorder(weights, packedWeights).execute(m_stream, weights, packedWeights);
            m_stream.wait();
            weights = packedWeights;
        }
        const dnnl::memory from(in, m_engine, m_pool->as<std::byte>() + (256u << 20)), to(out, m_engine, m_out->data()),
            scratchpad(desc.scratchpad_desc(), m_engine);
        const dnnl::matmul product(desc);
        return [this, product, from, weights, to, scratchpad] {
            onednn::setThreads(ThreadPool::current().threads());
            product.execute(
                m_stream,
                {{DNNL_ARG_SRC, from}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, to}, {DNNL_ARG_SCRATCHPAD, scratchpad}});
            m_stream.wait();
        };
    }

    void gemm(DType type, std::int64_t tokens, std::int64_t rows, std::int64_t columns)
    {
        const auto libraryType = type == DType::BF16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
        const auto plain = library(libraryType, tokens, rows, columns, false),
                   packed = library(libraryType, tokens, rows, columns, true);
        const auto time = [](const std::function<void()> &work) {
            double best = 1e9;
            work();
            for (int i = 0; i < 5; ++i)
                best = std::min(best, seconds(work));
            return best;
        };
        const bool usePacked = time(packed) < time(plain);
        const auto matrix = std::move(*m_backend->prepare({m_pool->as<std::byte>(), type, rows, columns}));
        const Product product{matrix.get(), nullptr, nullptr, m_out->as<float>()};
        const double work = 2.0 * static_cast<double>(tokens * rows * columns) / 1e9;
        for (int i = 0; i < 10; ++i) // past the backend's own choice
            m_backend->matmul({m_in->as<float>(), tokens, {&product, 1}});
        compare(
            fmt::format("matmul {} {} x {} x {} / {}", nameOf(type), tokens, rows, columns, usePacked ? "packed" : "plain"),
            "GFLOP/s", work, work,
            [&] {
                m_backend->matmul({m_in->as<float>(), tokens, {&product, 1}});
            },
            usePacked ? packed : plain, 9);
    }

    void prefillAttention(const HeadPattern &pattern, int group, int dim, std::int64_t first)
    {
        const std::int64_t tokens = 1024, heads = 8 / group > 0 ? 8 / group : 1;
        const std::int64_t slots = pattern.slots(first + tokens);
        const std::size_t bytes = static_cast<std::size_t>(std::max(slots, tokens) * dim * 2);
        std::vector<HeadCache> caches;
        std::vector<int> selected;
        for (std::int64_t h = 0; h < heads; ++h) {
            std::byte *at = m_pool->as<std::byte>() + static_cast<std::size_t>(h) * 4 * bytes;
            HeadCache cache{pattern, at, at + bytes, slots, nullptr, nullptr};
            if (!pattern.keepsEverything())
                cache.stagedKeys = at + 2 * bytes, cache.stagedValues = at + 3 * bytes;
            caches.push_back(cache);
            selected.push_back(static_cast<int>(h));
        }
        AttentionArgs args;
        args.queries = m_in->as<float>(), args.out = m_out->as<float>();
        args.heads = caches, args.selected = selected;
        args.tokens = tokens, args.firstPosition = first;
        args.kvHeads = static_cast<int>(heads), args.queryHeads = static_cast<int>(heads) * group, args.headDim = dim,
        args.cacheType = DType::BF16;
        const auto keys = static_cast<double>(pattern.pairs(first + tokens) - pattern.pairs(first));
        const double work = 4.0 * keys * dim * args.queryHeads / 1e9;
        compare(
            fmt::format("attention {} group {} dim {} at {}", pattern.keepsEverything() ? "retrieval" : "streaming", group, dim,
                        first),
            "GFLOP/s", work, 2.0 * 512 * 2048 * 2048 / 1e9, [&] { m_backend->attention(args); },
            library(dnnl::memory::data_type::f32, 512, 2048, 2048, true), 5);
    }

    std::unique_ptr<Backend> m_backend = createCpuBackend();
    dnnl::engine m_engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream m_stream{m_engine};
    std::unique_ptr<Buffer> m_pool, m_in, m_out;
    volatile std::uint64_t m_readSum = 0; ///< keeps the reads of the ceiling alive
};

} // namespace

int main(int count, char **arguments)
{
    Bench bench;
    if (count > 1)
        only = arguments[1];
    bench.bandwidth();
    bench.matrix();
    bench.attention();
    bench.bf16Error();
}
