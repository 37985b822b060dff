// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/ceilings.h"

#include "engine/cuda/gpu/launch.h"

#include <algorithm>

namespace zigzag::gpu {

namespace {

constexpr int threads = 512;
constexpr int loadsInFlight = 8;

struct ReadArgs {
    const Vec16 *from;
    std::int64_t count; ///< of 16-byte units
    std::uint32_t *out;
};

/// Reads everything once; the sum keeps the compiler from leaving it out.
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(threads, 2) void readAll(ZZ_ARGS ReadArgs args)
{
    const std::int64_t step = std::int64_t{gridDim().x} * threads;
    std::uint32_t sum = 0;
    std::int64_t at = std::int64_t{blockIdx().x} * threads + threadIdx().x;
    for (; at + (loadsInFlight - 1) * step < args.count; at += loadsInFlight * step) {
        Vec16 loaded[loadsInFlight];
        ZZ_UNROLL
        for (int i = 0; i < loadsInFlight; ++i)
            loaded[i] = loadStreaming16(args.from + at + i * step);
        ZZ_UNROLL
        for (int i = 0; i < loadsInFlight; ++i)
            sum ^= loaded[i].w[0] ^ loaded[i].w[1] ^ loaded[i].w[2] ^ loaded[i].w[3];
    }
    for (; at < args.count; at += step)
        sum ^= loadStreaming16(args.from + at).w[0];
    if (sum == 0x12345678u)
        *args.out = sum;
}

ZZ_DEVICE float normal(std::uint32_t seed)
{
    std::uint32_t bits = seed * 2654435761u;
    bits ^= bits >> 15;
    bits *= 2246822519u;
    bits ^= bits >> 13;
    bits *= 3266489917u;
    bits ^= bits >> 16;
    const std::uint32_t sum = (bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24);
    return (static_cast<float>(sum) - 510.0f) / 148.0f;
}

struct FillArgs {
    std::uint32_t *out;
    std::int64_t count; ///< of 4-byte units
    bool pairs; ///< of 16-bit brain floats; otherwise one float
};

/// Roughly normal numbers (a sum of four uniform ones): the fewer bits change, the faster a GPU multiplies.
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(threads, 2) void fillRandom(ZZ_ARGS FillArgs args)
{
    const std::int64_t step = std::int64_t{gridDim().x} * threads;
    for (std::int64_t at = std::int64_t{blockIdx().x} * threads + threadIdx().x; at < args.count; at += step) {
        const float low = normal(2 * static_cast<std::uint32_t>(at)), high = normal(2 * static_cast<std::uint32_t>(at) + 1);
        args.out[at] = args.pairs ? pack2<Bf16>(low, high) : bitsOfFloat(low);
    }
}

/// Milliseconds of the fastest of `repeats` runs.
template <class Run> float fastest(Device &device, int repeats, const std::atomic<bool> *cancel, Run &&run)
{
    cudaEvent_t begin = nullptr, end = nullptr;
    cudaEventCreate(&begin);
    cudaEventCreate(&end);
    float best = 0;
    for (int i = 0; i < repeats && !(cancel && *cancel); ++i) {
        cudaEventRecord(begin, device.stream());
        run();
        cudaEventRecord(end, device.stream());
        float ms = 0;
        if (cudaEventSynchronize(end) != cudaSuccess || cudaEventElapsedTime(&ms, begin, end) != cudaSuccess)
            break;
        best = best == 0 ? ms : std::min(best, ms);
    }
    cudaEventDestroy(end);
    cudaEventDestroy(begin);
    return best;
}

double readRate(Device &device, std::int64_t bytes, int passes, const std::atomic<bool> *cancel)
{
    const auto buffer = device.allocate(static_cast<std::size_t>(bytes));
    if (!buffer)
        return 0;
    const auto blocks = static_cast<unsigned>(2 * device.limits().multiprocessors);
    auto *words = (*buffer)->as<std::uint32_t>();
    device.check(launch(fillRandom, {blocks}, threads, 0, device.stream(), {words, bytes / 4, true}), "a measurement");
    const float ms = fastest(device, 10, cancel, [&] {
        for (int pass = 0; pass < passes; ++pass)
            device.check(launch(readAll, {blocks}, threads, 0, device.stream(),
                                {reinterpret_cast<const Vec16 *>(words), bytes / 16, words}),
                         "a measurement");
    });
    return ms > 0 ? 1e3 * static_cast<double>(bytes) * passes / ms : 0;
}

double matrixRate(Device &device, Linear &linear, DType type, std::int64_t side, const std::atomic<bool> *cancel)
{
    const std::int64_t bytes = side * side * bytesOf(type);
    const auto weight = device.allocate(static_cast<std::size_t>(bytes)), in = device.allocate(static_cast<std::size_t>(bytes)),
               out = device.allocate(static_cast<std::size_t>(bytes));
    if (!weight || !in || !out)
        return 0;
    const auto blocks = static_cast<unsigned>(2 * device.limits().multiprocessors);
    for (const auto *buffer : {&*weight, &*in})
        device.check(launch(fillRandom, {blocks}, threads, 0, device.stream(),
                            {(*buffer)->as<std::uint32_t>(), bytes / 4, type != DType::F32}),
                     "a measurement");
    const float ms = fastest(device, 8, cancel, [&] {
        linear.run({side, side, side, type, type, false}, (*weight)->data(), (*in)->data(), (*out)->data(), 1);
    });
    const auto n = static_cast<double>(side);
    return ms > 0 ? 1e3 * 2 * n * n * n / ms : 0;
}

} // namespace

std::optional<DeviceCeilings> measureCeilings(Device &device, Linear &linear, const std::atomic<bool> *cancel)
{
    const DeviceInfo info = device.info();
    DeviceCeilings ceilings;
    ceilings.readBytesPerSecond
        = readRate(device, std::min<std::int64_t>(4ll << 30, info.memoryBytes / 2) / 4096 * 4096, 1, cancel);
    ceilings.cachedReadBytesPerSecond = readRate(device, info.lastLevelCacheBytes / 4 / 4096 * 4096, 20, cancel);
    ceilings.matrixFlopsBf16 = matrixRate(device, linear, DType::BF16, 8192, cancel);
    ceilings.matrixFlopsF32 = matrixRate(device, linear, DType::F32, 4096, cancel);
    if (ceilings.readBytesPerSecond <= 0 || ceilings.matrixFlopsBf16 <= 0)
        return std::nullopt;
    return ceilings;
}

} // namespace zigzag::gpu
