// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// gpu.h on the CPU. The same functions as engine/cuda/gpu/gpu_device.h, with the same meaning; what a GPU would forgive at
// random (an address that is not aligned, a lane that is missing, data read before it was waited for) fails here.

#include "tests/engine/cuda/emulator/block.h"
#include "tests/engine/cuda/emulator/matrix.h"

#include "engine/base/dtype.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

#define ZZ_KERNEL inline
#define ZZ_DEVICE inline
#define ZZ_LAUNCH_BOUNDS(threads, blocks)
#define ZZ_ARGS const
#define ZZ_UNROLL
#define ZZ_UNROLL_BY(count)
/// A last parameter that knows where the function was called.
#define ZZ_SITE emulator::Site site = {__builtin_FILE(), __builtin_LINE()}

namespace zigzag::gpu {

inline Index3 threadIdx()
{
    return emulator::self->threadIdx;
}
inline Index3 blockIdx()
{
    return emulator::self->blockIdx;
}
inline Index3 blockDim()
{
    return emulator::self->blockDim;
}
inline Index3 gridDim()
{
    return emulator::self->gridDim;
}

template <class T> T *sharedMemory()
{
    return reinterpret_cast<T *>(emulator::shared());
}

inline void syncThreads(ZZ_SITE)
{
    emulator::meet(0, static_cast<int>(emulator::self->blockDim.x), "syncThreads", site);
}
inline void syncWarp(ZZ_SITE)
{
    emulator::meetWarp("syncWarp", site, nullptr, nullptr);
}
inline void barrier(int id, int threads, ZZ_SITE)
{
    emulator::meet(id, threads, "barrier", site);
}
inline void threadFence()
{ }
inline void waitForPrevious()
{
    emulator::self->waitedForPrevious = true;
}
inline void allowNext()
{ }

namespace emulator {

template <class T> struct Shuffled {
    T value;
    int from;
    T result;
};

/// Every lane gets lane `from`'s value, or its own where there is no such lane.
template <class T> T exchange(const char *name, T value, int from, Site site)
{
    static_assert(std::is_arithmetic_v<T>);
    Shuffled<T> mine = {value, from, {}};
    meetWarp(name, site, &mine, [](void *const *lanes) {
        for (int i = 0; i < warpSize; ++i) {
            auto *lane = static_cast<Shuffled<T> *>(lanes[i]);
            const bool exists = lane->from >= 0 && lane->from < warpSize;
            lane->result = static_cast<const Shuffled<T> *>(lanes[exists ? lane->from : i])->value;
        }
    });
    return mine.result;
}

template <class T> const void *aligned(const void *address, const char *name)
{
    if (reinterpret_cast<std::uintptr_t>(address) % sizeof(T) != 0)
        fail(std::string(name) + ": the address is not a multiple of " + std::to_string(sizeof(T)));
    return address;
}

} // namespace emulator

template <class T> T shuffleXor(T value, int mask, ZZ_SITE)
{
    return emulator::exchange("shuffleXor", value, static_cast<int>(emulator::self->threadIdx.x % warpSize) ^ mask, site);
}
template <class T> T shuffleDown(T value, int distance, ZZ_SITE)
{
    return emulator::exchange("shuffleDown", value, static_cast<int>(emulator::self->threadIdx.x % warpSize) + distance, site);
}
template <class T> T shuffle(T value, int lane, ZZ_SITE)
{
    return emulator::exchange("shuffle", value, lane & (warpSize - 1), site);
}
inline std::uint32_t warpBallot(bool predicate, ZZ_SITE)
{
    struct Vote {
        bool mine;
        std::uint32_t all;
    } vote = {predicate, 0};
    emulator::meetWarp("warpBallot", site, &vote, [](void *const *lanes) {
        std::uint32_t all = 0;
        for (int i = 0; i < warpSize; ++i)
            all |= static_cast<std::uint32_t>(static_cast<const Vote *>(lanes[i])->mine) << i;
        for (int i = 0; i < warpSize; ++i)
            static_cast<Vote *>(lanes[i])->all = all;
    });
    return vote.all;
}
inline bool warpAny(bool predicate, ZZ_SITE)
{
    return warpBallot(predicate, site) != 0;
}

inline std::uint32_t warpMaxOf(std::uint32_t value, ZZ_SITE)
{
    for (int mask = warpSize / 2; mask > 0; mask /= 2)
        value = std::max(value, shuffleXor(value, mask, site));
    return value;
}

inline int countBits(std::uint32_t bits)
{
    return std::popcount(bits);
}
inline float floatOfBits(std::uint32_t bits)
{
    return std::bit_cast<float>(bits);
}
inline std::uint32_t bitsOfFloat(float value)
{
    return std::bit_cast<std::uint32_t>(value);
}

inline float toFloat(Bf16 value)
{
    return bf16ToFloat(value.bits);
}
inline float toFloat(F16 value)
{
    return f16ToFloat(value.bits);
}
inline Bf16 toBf16(float value)
{
    return {floatToBf16(value)};
}
inline F16 toF16(float value)
{
    return {floatToF16(value)};
}
template <class T> std::uint32_t pack2(float low, float high)
{
    if constexpr (std::is_same_v<T, Bf16>)
        return floatToBf16(low) | static_cast<std::uint32_t>(floatToBf16(high)) << 16;
    else
        return floatToF16(low) | static_cast<std::uint32_t>(floatToF16(high)) << 16;
}
template <class T> Float2 unpack2(std::uint32_t pair)
{
    return {toFloat(T{static_cast<std::uint16_t>(pair)}), toFloat(T{static_cast<std::uint16_t>(pair >> 16)})};
}

inline std::uint32_t f8PairToF16(std::uint32_t pair)
{
    return pack2<F16>(f8ToFloat(static_cast<std::uint8_t>(pair)), f8ToFloat(static_cast<std::uint8_t>(pair >> 8)));
}
inline float toFloat(F8 value)
{
    return f8ToFloat(value.bits);
}
inline F8 toF8(float value)
{
    return {floatToF8(value)};
}
inline std::uint32_t pickBytes(std::uint32_t a, std::uint32_t b, std::uint32_t order)
{
    const std::uint64_t both = std::uint64_t{b} << 32 | a;
    std::uint32_t result = 0;
    for (int i = 0; i < 4; ++i)
        result |= static_cast<std::uint32_t>(both >> (order >> 4 * i & 7u) * 8 & 0xffu) << 8 * i;
    return result;
}

template <class T> T loadAs(const void *from)
{
    emulator::checkSeen(from, "load");
    T value;
    std::memcpy(&value, emulator::aligned<T>(from, "load"), sizeof(T));
    return value;
}
template <class T> void storeAs(void *to, const T &value)
{
    std::memcpy(const_cast<void *>(emulator::aligned<T>(to, "store")), &value, sizeof(T));
}
inline Vec16 load16(const void *from)
{
    return loadAs<Vec16>(from);
}
inline Vec16 loadStreaming16(const void *from)
{
    return load16(from);
}
inline Vec16 loadStreaming16(const void *from, bool valid)
{
    return valid ? load16(from) : Vec16{};
}
inline Vec16 loadCoherent16(const void *from)
{
    return load16(from);
}
inline float loadCoherent(const float *from)
{
    return *from;
}
inline int loadCoherent(const int *from)
{
    return *from;
}
inline void store16(void *to, const Vec16 &value)
{
    storeAs(to, value);
}

/// The destination reads as not-a-number until the copy was waited for.
inline void copyAsync16(void *shared, const void *global, bool valid)
{
    emulator::checkShared(shared, 16, "copyAsync16");
    emulator::Copy copy = {shared, {}, emulator::self->committedGroups};
    if (valid)
        copy.data = load16(global);
    std::memset(shared, 0xff, 16);
    emulator::self->copies.push_back(copy);
}
inline void copyAsyncCommit()
{
    ++emulator::self->committedGroups;
}
template <int pending> void copyAsyncWait()
{
    static_assert(pending >= 0);
    const int done = emulator::self->committedGroups - pending; // groups 0 … done - 1 have arrived
    std::erase_if(emulator::self->copies, [done](const emulator::Copy &copy) {
        if (copy.group < done)
            emulator::land(copy);
        return copy.group < done;
    });
}

template <class T> void mma16816(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], ZZ_SITE)
{
    emulator::Fragments mine = {d, a, b};
    emulator::meetWarp("mma16816", site, &mine, std::is_same_v<T, Bf16> ? emulator::multiplyBf16 : emulator::multiplyF16);
}

template <bool isSigned> void mma16832(int (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], ZZ_SITE)
{
    emulator::ByteFragments mine = {d, a, b, 32};
    emulator::meetWarp("mma16832", site, &mine, isSigned ? emulator::multiplySignedBytes : emulator::multiplyBytes);
}
inline void mma16816Bytes(int (&d)[4], const std::uint32_t (&a)[2], std::uint32_t b, ZZ_SITE)
{
    emulator::ByteFragments mine = {d, a, &b, 16};
    emulator::meetWarp("mma16816Bytes", site, &mine, emulator::multiplySignedBytes);
}

inline void loadMatrix4(std::uint32_t (&r)[4], const void *row, ZZ_SITE)
{
    emulator::loadMatrices("loadMatrix4", r, row, 4, false, site);
}
inline void loadMatrix4Transposed(std::uint32_t (&r)[4], const void *row, ZZ_SITE)
{
    emulator::loadMatrices("loadMatrix4Transposed", r, row, 4, true, site);
}
inline void loadMatrix2(std::uint32_t (&r)[2], const void *row, ZZ_SITE)
{
    emulator::loadMatrices("loadMatrix2", r, row, 2, false, site);
}
inline void loadMatrix2Transposed(std::uint32_t (&r)[2], const void *row, ZZ_SITE)
{
    emulator::loadMatrices("loadMatrix2Transposed", r, row, 2, true, site);
}

inline float maxOf(float a, float b)
{
    return std::fmax(a, b);
}
inline float exp2Fast(float x)
{
    return std::exp2(x);
}
inline float rsqrtFast(float x)
{
    return 1.0f / std::sqrt(x);
}
inline float rcpFast(float x)
{
    return 1.0f / x;
}
template <class T> T atomicAdd(T *to, T value)
{
    const T before = *to;
    *to = before + value;
    return before;
}

} // namespace zigzag::gpu

#undef ZZ_SITE
