// SPDX-License-Identifier: GPL-3.0-or-later
// Times the attention kernels and the decode step's products on this GPU, in Llama-3-8B's shapes, beside a measured read
// ceiling. Each sample is a graph of launches over buffers that together are larger than the last-level cache.
#include "engine/cuda/attention.h"
#include "engine/cuda/experts.h"
#include "engine/cuda/gpu/launch.h"
#include "engine/cuda/matvec.h"
#include "engine/cuda/pointwise.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

namespace zigzag::gpu {
namespace {

constexpr int samples = 31;

void check(int error)
{
    if (error == cudaSuccess)
        return;
    std::fprintf(stderr, "error: CUDA: %s\n", cudaGetErrorString(static_cast<cudaError_t>(error)));
    std::exit(1);
}

struct FillArgs {
    std::uint32_t *out; // pairs of brain floats
    std::int64_t count;
    std::uint32_t seed;
};

/// Brain floats of either sign between 1/8 and 2: nothing that arithmetic or memory could shorten.
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(256, 1) void fill(ZZ_ARGS FillArgs args)
{
    const std::int64_t step = std::int64_t{gridDim().x} * 256;
    for (std::int64_t at = std::int64_t{blockIdx().x} * 256 + threadIdx().x; at < args.count; at += step) {
        std::uint32_t bits = (static_cast<std::uint32_t>(at) ^ args.seed) * 2654435761u;
        bits ^= bits >> 15;
        bits *= 2246822519u;
        bits ^= bits >> 13;
        args.out[at] = (bits & 0x81ff81ffu) + 0x3e003e00u;
    }
}

struct ReadArgs {
    const char *from;
    std::int64_t count; // of 16 bytes
    std::uint32_t *out;
};

ZZ_KERNEL ZZ_LAUNCH_BOUNDS(512, 2) void readAll(ZZ_ARGS ReadArgs args)
{
    waitForPrevious();
    allowNext();
    constexpr int inFlight = 8;
    const std::int64_t step = std::int64_t{gridDim().x} * 512;
    std::uint32_t sum = 0;
    for (std::int64_t at = std::int64_t{blockIdx().x} * 512 + threadIdx().x; at < args.count; at += inFlight * step) {
        Vec16 loaded[inFlight];
        ZZ_UNROLL
        for (int i = 0; i < inFlight; ++i)
            loaded[i] = loadStreaming16(args.from + (at + i * step) * 16, at + i * step < args.count);
        ZZ_UNROLL
        for (int i = 0; i < inFlight; ++i)
            sum ^= loaded[i].w[0] ^ loaded[i].w[1] ^ loaded[i].w[2] ^ loaded[i].w[3];
    }
    if (sum == 0x12345678u)
        *args.out = sum;
}

class Memory
{
public:
    explicit Memory(std::size_t bytes, bool random = true)
        : m_bytes((bytes + 255) / 256 * 256)
    {
        check(cudaMalloc(&m_data, m_bytes));
        check(cudaMemset(m_data, 0, m_bytes));
        if (random)
            check(launch(fill, {1024, 1, 1}, 256, 0, nullptr,
                         {static_cast<std::uint32_t *>(m_data), static_cast<std::int64_t>(m_bytes / 4), seed++}));
        check(cudaDeviceSynchronize());
    }
    ~Memory() { cudaFree(m_data); }
    Memory(const Memory &) = delete;
    Memory &operator=(const Memory &) = delete;
    template <class T> T *as() const { return static_cast<T *>(m_data); }
    std::size_t bytes() const { return m_bytes; }

private:
    static inline std::uint32_t seed = 1;
    void *m_data = nullptr;
    std::size_t m_bytes;
};

class Bench
{
public:
    Bench()
    {
        check(cudaGetDeviceProperties(&m_device, 0));
        m_limits = {m_device.multiProcessorCount, static_cast<int>(m_device.sharedMemPerMultiprocessor),
                    static_cast<int>(m_device.sharedMemPerBlockOptin), m_device.major * 10 + m_device.minor};
        check(cudaStreamCreate(&m_stream));
        check(cudaEventCreate(&m_begin));
        check(cudaEventCreate(&m_end));
    }

    void run()
    {
        std::printf("%s, %d multiprocessors; medians of %d samples, (interquartile range)\n", m_device.name,
                    m_limits.multiprocessors, samples);
        readCeiling();
        for (const int headDim : {128, 64})
            for (const int tokens : {4096, 16384, 32768})
                prefill(headDim, tokens, false);
        for (const int headDim : {128, 64})
            for (const int context : {8192, 32768})
                prefill(headDim, context, true);
        decode(4096, kvHeads);
        for (const int context : {4096, 32768, 131072})
            decode(context, kvHeads, 1);
        for (const int headDim : {128, 64})
            prefillF8(headDim, 16384);
        for (const int tokens : {1, 4, 16, 64, 1024, 4096}) {
            experts(128, 8, 2048, 768, tokens);
            experts(8, 2, 4096, 14336, tokens);
        }
        for (const int context : {32768, 131072})
            for (int retrieval = 0; retrieval <= kvHeads; ++retrieval)
                decode(context, retrieval);
        for (const int batch : {1, 4, 8, 16}) {
            matvec("q, k, v", {4096, 1024, 1024}, 4096, batch, false, batch == 1);
            matvec("output", {4096}, 4096, batch, false, false);
            matvec("gate, up", {14336, 14336}, 4096, batch, true, batch == 1);
            matvec("down", {4096}, 14336, batch, false, false);
        }
        matvec("logits", {128256}, 4096, 1, false, true);
    }

private:
    /// Microseconds of one of `count` launches, recorded as one graph: the host is not in the way.
    template <class Launch> double time(int count, Launch &&launchOne)
    {
        cudaGraph_t graph = nullptr;
        cudaGraphExec_t steps = nullptr;
        check(cudaStreamBeginCapture(m_stream, cudaStreamCaptureModeThreadLocal));
        for (int i = 0; i < count; ++i)
            check(launchOne(i));
        check(cudaStreamEndCapture(m_stream, &graph));
        check(cudaGraphInstantiate(&steps, graph, 0));
        std::vector<double> times;
        for (int i = -3; i < samples; ++i) {
            check(cudaEventRecord(m_begin, m_stream));
            check(cudaGraphLaunch(steps, m_stream));
            check(cudaEventRecord(m_end, m_stream));
            check(cudaEventSynchronize(m_end));
            float ms = 0;
            check(cudaEventElapsedTime(&ms, m_begin, m_end));
            if (i >= 0)
                times.push_back(1e3 * static_cast<double>(ms) / count);
        }
        cudaGraphExecDestroy(steps);
        cudaGraphDestroy(graph);
        std::sort(times.begin(), times.end());
        m_spread = times[samples * 3 / 4] - times[samples / 4];
        return times[samples / 2];
    }

    void bandwidth(const char *name, double microseconds, double bytes)
    {
        const double rate = bytes / microseconds / 1e3;
        std::printf("%-52s %10.2f us (%.2f), %6.2f more than the read  %7.0f GB/s  %5.1f %% of the read ceiling\n", name,
                    microseconds, m_spread, microseconds - bytes / m_ceiling / 1e3, rate, 100 * rate / m_ceiling);
    }

    /// Buffers of `bytes` that together are at least four times the last-level cache.
    std::vector<std::unique_ptr<Memory>> rotation(std::size_t bytes) const
    {
        std::vector<std::unique_ptr<Memory>> result;
        const std::size_t enough = 4 * static_cast<std::size_t>(m_device.l2CacheSize);
        for (std::size_t held = 0; result.size() < 2 || held < enough; held += bytes)
            result.push_back(std::make_unique<Memory>(bytes));
        return result;
    }

    void readCeiling()
    {
        const Memory memory(std::size_t{4} << 30), out(256);
        const auto blocks = static_cast<unsigned>(2 * m_limits.multiprocessors);
        const double us = time(2, [&](int) {
            return launch(readAll, {blocks, 1, 1}, 512, 0, m_stream,
                          {memory.as<char>(), static_cast<std::int64_t>(memory.bytes() / 16), out.as<std::uint32_t>()});
        });
        m_ceiling = static_cast<double>(memory.bytes()) / us / 1e3;
        bandwidth("read 4 GiB", us, static_cast<double>(memory.bytes()));
    }

    static constexpr int kvHeads = 8, group = 4, sink = 64, recent = 256;

    static AttentionKernelArgs attentionArgs(int headDim, int tokens, int first)
    {
        AttentionKernelArgs args = {};
        args.rows.count = 1, args.rows.firstPosition = first;
        args.tokens = tokens;
        args.queryHeads = kvHeads * group, args.kvHeads = kvHeads, args.headDim = headDim;
        args.valueScale = 1;
        setScores(args, 1 / std::sqrt(static_cast<float>(headDim)), 0);
        for (int h = 0; h < kvHeads; ++h)
            args.caches.selected[h] = static_cast<std::uint8_t>(h);
        args.caches.selectedCount = kvHeads;
        return args;
    }
    /// Slots of `retrieval` heads with every key, then of streaming heads.
    static std::vector<std::int64_t> slotsOf(int context, int retrieval)
    {
        std::vector<std::int64_t> slots(kvHeads, std::min(context, sink + recent));
        std::fill_n(slots.begin(), retrieval, context);
        return slots;
    }
    /// Keys and values of all heads in one buffer; the first `retrieval` heads retrieve.
    static void setCaches(AttentionKernelArgs &args, char *from, const std::vector<std::int64_t> &slots, int retrieval,
                          bool staged, int tokens, int elementBytes = 2)
    {
        const std::int64_t row = args.headDim * elementBytes;
        for (int h = 0; h < kvHeads; ++h) {
            const std::int64_t each = slots[static_cast<std::size_t>(h)];
            HeadCacheView &view = args.caches.heads[h];
            view = {};
            view.slots = each;
            view.sink = h < retrieval ? 0 : sink, view.recent = h < retrieval ? everyKey : recent;
            view.keys = from, view.values = from + each * row;
            from += 2 * each * row;
            if (staged) {
                view.stagedKeys = from, view.stagedValues = from + tokens * row;
                from += 2 * tokens * row;
            }
        }
    }

    void prefill(int headDim, int tokens, bool streaming)
    {
        const int retrieval = streaming ? 0 : kvHeads;
        const std::vector<std::int64_t> slots = slotsOf(tokens, retrieval);
        const std::size_t elements = static_cast<std::size_t>(tokens) * kvHeads * group * static_cast<std::size_t>(headDim);
        const Memory queries(2 * elements), out(2 * elements, false);
        const Memory cache(static_cast<std::size_t>(4 * (slots[0] + (streaming ? tokens : 0)) * kvHeads * headDim));
        PrefillAttentionArgs args = {};
        args.attention = attentionArgs(headDim, tokens, 0);
        args.attention.queries = queries.as<void>(), args.attention.out = out.as<void>();
        setCaches(args.attention, cache.as<char>(), slots, retrieval, streaming, tokens);
        args.fullCount = retrieval;
        const PrefillPlan plan = planPrefill(tokens, kvHeads * group, headDim, m_limits);
        double us = time(2, [&](int) { return attendPrefill(DType::BF16, args, plan, m_stream, true); });
        // Two products of a multiplication and an addition per visible key and element.
        double keys = 0;
        for (int i = 0; i < tokens; ++i)
            keys += streaming ? std::min(i + 1, sink + recent) : i + 1;
        const double flops = 4.0 * keys * kvHeads * group * headDim;
        const auto print = [&](const char *kernel) {
            std::printf("prefill, %s, %6d tokens, head_dim %3d, %-8s %10.1f us (%.1f)  %7.1f TFLOP/s  %.2f us per 1000 tokens\n",
                        streaming ? "streaming" : "retrieval", tokens, headDim, kernel, us, m_spread, flops / us / 1e6,
                        1e3 * us / tokens);
        };
        print("mma");
        if (prefersHopper(tokens, headDim, false, m_limits)) {
            const PrefillPlan hopper
                = planHopper(tokens, kvHeads * group, headDim, streaming ? sink + recent : everyKey, false, m_limits);
            us = time(2, [&](int) { return attendHopper(DType::BF16, DType::BF16, args, hopper, m_stream, true); });
            print("wgmma");
        }
    }

    void prefillF8(int headDim, int tokens)
    {
        const std::size_t elements = static_cast<std::size_t>(tokens) * kvHeads * group * static_cast<std::size_t>(headDim);
        const Memory queries(2 * elements), out(2 * elements, false);
        const Memory cache(static_cast<std::size_t>(2) * static_cast<std::size_t>(tokens * kvHeads * headDim), false);
        PrefillAttentionArgs args = {};
        args.attention = attentionArgs(headDim, tokens, 0);
        args.attention.queries = queries.as<void>(), args.attention.out = out.as<void>();
        setCaches(args.attention, cache.as<char>(), slotsOf(tokens, kvHeads), kvHeads, false, tokens, 1);
        args.fullCount = kvHeads;
        const bool hopper = prefersHopper(tokens, headDim, true, m_limits);
        const PrefillPlan plan = hopper ? planHopper(tokens, kvHeads * group, headDim, everyKey, true, m_limits)
                                        : planPrefillF8(tokens, kvHeads * group, headDim);
        const double us = time(2, [&](int) {
            return hopper ? attendHopper(DType::BF16, DType::F8, args, plan, m_stream, true)
                          : attendPrefillF8(DType::BF16, args, plan, m_stream, true);
        });
        const double flops = 2.0 * tokens * (tokens + 1.0) * kvHeads * group * headDim;
        std::printf("prefill, retrieval, %6d tokens, head_dim %3d, FP8 keys %10.1f us (%.1f)  %7.1f TFLOP/s\n", tokens, headDim,
                    us, m_spread, flops / us / 1e6);
    }

    /// Routes are random: with few tokens, the bytes are those of each token's experts, read for itself.
    void experts(int count, int perToken, int hidden, int intermediate, int tokens)
    {
        const auto matrixBytes
            = static_cast<std::size_t>(2) * static_cast<std::size_t>(hidden) * static_cast<std::size_t>(intermediate);
        const Memory weights(3 * static_cast<std::size_t>(count) * matrixBytes), scratch(64u << 20, false);
        const auto elements = static_cast<std::size_t>(tokens) * static_cast<std::size_t>(hidden);
        const Memory in(2 * elements), out(4 * elements, false), routes(static_cast<std::size_t>(4 * tokens * count), false);
        std::mt19937 random(1);
        std::vector<float> values(static_cast<std::size_t>(tokens * count));
        std::generate(values.begin(), values.end(), [&] { return static_cast<float>(random() % 1000) / 500; });
        check(cudaMemcpy(routes.as<void>(), values.data(), 4 * values.size(), cudaMemcpyHostToDevice));
        std::vector<std::unique_ptr<Matrix>> lists[3];
        ExpertWeights onDevice;
        ExpertList *const stored[] = {&onDevice.gates, &onDevice.ups, &onDevice.downs};
        for (int which = 0; which < 3; ++which)
            for (int e = 0; e < count; ++e) {
                stored[which]->rows = which == 2 ? hidden : intermediate;
                stored[which]->columns = which == 2 ? intermediate : hidden;
                stored[which]->add(e, weights.as<char>() + static_cast<std::size_t>(which * count + e) * matrixBytes,
                                   std::nullopt);
                lists[which].push_back(std::make_unique<Matrix>());
                lists[which].back()->rows = which == 2 ? hidden : intermediate;
                lists[which].back()->columns = which == 2 ? intermediate : hidden;
            }
        ExpertsArgs args;
        args.in = in.as<void>(), args.routes = routes.as<float>(), args.out = out.as<float>();
        args.gates = lists[0], args.ups = lists[1], args.downs = lists[2];
        args.tokens = tokens, args.perToken = perToken, args.renormalises = true;
        const double us = time(8, [&](int) {
            return launchExperts(DType::BF16, args, onDevice, {scratch.as<void>(), scratch.bytes()}, {m_stream, true});
        });
        const double pairs = static_cast<double>(tokens) * perToken, numbers = 3.0 * hidden * intermediate;
        std::printf("%d of %d experts of %d x %d, %4d tokens %32.1f us (%.1f)  %7.1f TFLOP/s  %7.0f GB/s of pairs' weights\n",
                    perToken, count, hidden, intermediate, tokens, us, m_spread, 2 * pairs * numbers / us / 1e6,
                    2 * pairs * numbers / us / 1e3);
    }

    void decode(int context, int retrieval, int elementBytes = 2)
    {
        constexpr int headDim = 128;
        const std::vector<std::int64_t> slots = slotsOf(context, retrieval);
        const auto bytes
            = static_cast<std::size_t>(2 * elementBytes * headDim * std::accumulate(slots.begin(), slots.end(), std::int64_t{0}));
        const auto caches = rotation(bytes);
        const Memory queries(2 * kvHeads * group * headDim), out(2 * kvHeads * group * headDim, false);
        const DecodePlan plan = planDecode(slots, context, 1, group, headDim, m_limits);
        const Memory partials(4 * plan.partials, false), states(4 * plan.partialStates, false);
        DecodeAttentionArgs args = {};
        args.attention = attentionArgs(headDim, 1, context - 1);
        args.attention.queries = queries.as<void>(), args.attention.out = out.as<void>();
        std::copy(plan.firstBlock.begin(), plan.firstBlock.end(), args.firstBlock);
        args.partials = partials.as<float>(), args.partialStates = states.as<float>();
        const int launches = static_cast<int>(std::min<std::size_t>(64, std::max<std::size_t>(8, caches.size())));
        const double us = time(launches, [&](int i) {
            setCaches(args.attention, caches[static_cast<std::size_t>(i) % caches.size()]->as<char>(), slots, retrieval, false, 0,
                      elementBytes);
            return (elementBytes == 1 ? attendDecodeF8 : attendDecode)(DType::BF16, args, plan, m_stream, true);
        });
        char name[80];
        std::snprintf(name, sizeof name, "decode, %6d keys%s, %d of %d heads retrieve, %u blocks", context,
                      elementBytes == 1 ? " in FP8" : "", retrieval, kvHeads, plan.blocks);
        bandwidth(name, us, static_cast<double>(bytes));
    }

    void matvec(const char *what, const std::vector<int> &rows, int columns, int batch, bool gated, bool norm)
    {
        std::size_t bytes = 0;
        int most = 0;
        for (const int r : rows) {
            bytes += static_cast<std::size_t>(2) * static_cast<std::size_t>(r) * static_cast<std::size_t>(columns);
            most = std::max(most, r);
        }
        const auto weights = rotation(bytes);
        const Memory in(static_cast<std::size_t>(4 * batch * columns)), weight(static_cast<std::size_t>(4 * columns));
        const Memory out(static_cast<std::size_t>(4 * batch) * static_cast<std::size_t>(most) * rows.size(), false);
        const MatvecPlan plan = planMatvec(rows, columns, batch, gated, m_limits);
        MatvecArgs args = {};
        args.in = in.as<void>();
        args.normWeight = norm && plan.whole ? weight.as<float>() : nullptr;
        args.epsilon = 1e-5f;
        args.batch = batch, args.columns = columns;
        const int launches = static_cast<int>(std::min<std::size_t>(32, std::max<std::size_t>(8, weights.size())));
        const double us = time(launches, [&](int i) {
            char *from = weights[static_cast<std::size_t>(i) % weights.size()]->as<char>();
            for (std::size_t p = 0; p < rows.size(); ++p) {
                args.products[p] = {};
                args.products[p].weights = from, args.products[p].rows = rows[p];
                args.products[p].out = out.as<char>() + p * static_cast<std::size_t>(4 * batch) * static_cast<std::size_t>(most);
                from += static_cast<std::size_t>(2) * static_cast<std::size_t>(rows[p]) * static_cast<std::size_t>(columns);
            }
            return multiplyVectors(DType::BF16, args, plan, m_stream, true);
        });
        char name[80];
        std::snprintf(name, sizeof name, "%s%s, batch %d%s", what, args.normWeight ? " with norm" : "", batch,
                      plan.whole ? "" : ", vectors in parts");
        bandwidth(name, us, static_cast<double>(bytes));
    }

    cudaDeviceProp m_device = {};
    GpuLimits m_limits;
    cudaStream_t m_stream = nullptr;
    cudaEvent_t m_begin = nullptr, m_end = nullptr;
    double m_ceiling = 1, m_spread = 0;
};

} // namespace
} // namespace zigzag::gpu

int main()
{
    zigzag::gpu::Bench().run();
    return 0;
}
