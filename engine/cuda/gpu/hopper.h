// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// What only compute capability 9.0a has: products that a group of four warps starts and that run by themselves, reading
// shared memory (wgmma), barriers in shared memory that count arrivals (mbarrier), and registers handed from one group of
// warps to another. NVIDIA's PTX ISA, "Asynchronous Warpgroup Level Matrix Instructions" and "mbarrier". For nvcc alone: the
// emulator has none of it, so kernels that use it are tested on a GPU (attention_parity_test.cpp).

#include "engine/cuda/gpu/gpu.h"

namespace zigzag::gpu::hopper {

inline constexpr int groupThreads = 128; ///< of a warp group

// Barriers in shared memory, 8 bytes each. A barrier's phase ends with its `count`-th arrival; phases alternate 0, 1, 0, …

ZZ_DEVICE void initBarrier(std::uint64_t *barrier, int count)
{
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(sharedAddress(barrier)), "r"(count) : "memory");
}
/// Makes barriers that were set up known to all that use them; a barrier of the block follows.
ZZ_DEVICE void fenceBarrierInit()
{
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
ZZ_DEVICE void arrive(std::uint64_t *barrier)
{
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(sharedAddress(barrier)) : "memory");
}
/// Returns once the phase of that parity has ended; at once for parity 1 of a new barrier.
ZZ_DEVICE void waitFor(std::uint64_t *barrier, int parity)
{
    asm volatile("{\n\t.reg .pred done;\n\t"
                 "again:\n\t"
                 "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n\t"
                 "@done bra ended;\n\t"
                 "bra again;\n\t"
                 "ended:\n\t}" ::"r"(sharedAddress(barrier)),
                 "r"(parity)
                 : "memory");
}

/// This thread's finished writes to shared memory become visible to products that are started after the next barrier.
ZZ_DEVICE void fenceForProducts()
{
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/// Arrives at a named barrier without waiting there; others wait by `barrier` (gpu.h), with the same number of threads in all.
ZZ_DEVICE void passBarrier(int id, int threads)
{
    asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

template <int registers> ZZ_DEVICE void takeRegisters()
{
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(registers));
}
template <int registers> ZZ_DEVICE void giveRegisters()
{
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(registers));
}

// Products. Matrices in shared memory are columns of 64 numbers (128 bytes) that lie one after another, swizzled: the 16 bytes
// at 16 c of row r lie at 16 (c xor r mod 8). They begin at multiples of 1024 bytes, their rows at multiples of 8.

/// The place of a matrix in shared memory as products take it. `columnBytes`: from a column of 64 numbers to the next, used
/// where a product reads across them.
ZZ_DEVICE std::uint64_t matrixAt(const char *shared, int columnBytes)
{
    constexpr std::uint64_t swizzled128 = 1, eightRows = 1024 / 16;
    return swizzled128 << 62 | eightRows << 32 | static_cast<std::uint64_t>(columnBytes / 16) << 16
        | (sharedAddress(shared) & 0x3ffffu) / 16;
}

/// Before the first product, and after registers that products read or write were written by other instructions.
ZZ_DEVICE void beginProducts()
{
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
ZZ_DEVICE void endProducts()
{
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
/// Until at most the latest `pending` groups of products run.
template <int pending> ZZ_DEVICE void waitForProducts()
{
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory");
}
/// The compiler does not know when a product writes its registers: nothing that reads them moves above this.
template <int count> ZZ_DEVICE void keepBehind(float (&registers)[count])
{
    ZZ_UNROLL
    for (int i = 0; i < count; ++i)
        asm volatile("" : "+f"(registers[i])::"memory");
}
/// The same for registers that products read: what writes them does not move behind this.
template <int count> ZZ_DEVICE void keepBehind(std::uint32_t (&registers)[count])
{
    ZZ_UNROLL
    for (int i = 0; i < count; ++i)
        asm volatile("" : "+r"(registers[i])::"memory");
}

// d (64 x N, floats) = a · b, or d += a · b where `more`. With w = warp of the group, g = lane / 4 and t = lane % 4:
// d[4 j], d[4 j + 1] = (16 w + g, 8 j + 2 t), (…, 8 j + 2 t + 1); d[4 j + 2], d[4 j + 3] = eight rows below.
// multiplyShared: a (64 x 16) and b (16 x N) in shared memory, both with the 16 numbers that are summed in rows.
// multiplyRegisters: a as in mma16816, b (16 x N) in shared memory with its N numbers in rows.

#define ZZ_F4(d, i) "+f"(d[i]), "+f"(d[(i) + 1]), "+f"(d[(i) + 2]), "+f"(d[(i) + 3])
#define ZZ_F16(d, i) ZZ_F4(d, i), ZZ_F4(d, (i) + 4), ZZ_F4(d, (i) + 8), ZZ_F4(d, (i) + 12)
#define ZZ_REGISTERS32                                                                                                           \
    "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, "  \
    "%26, %27, %28, %29, %30, %31}"
#define ZZ_REGISTERS64                                                                                                           \
    "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, "  \
    "%26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, "   \
    "%50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}"

template <class T> ZZ_DEVICE void multiplyShared(float (&d)[64], std::uint64_t a, std::uint64_t b, bool more);
template <class T> ZZ_DEVICE void multiplyRegisters(float (&d)[64], const std::uint32_t (&a)[4], std::uint64_t b);
template <class T> ZZ_DEVICE void multiplyRegisters(float (&d)[32], const std::uint32_t (&a)[4], std::uint64_t b);

#define ZZ_PRODUCTS(T, name)                                                                                                     \
    template <> ZZ_DEVICE void multiplyShared<T>(float(&d)[64], std::uint64_t a, std::uint64_t b, bool more)                     \
    {                                                                                                                            \
        asm volatile("{\n\t.reg .pred p;\n\tsetp.ne.b32 p, %66, 0;\n\t"                                                          \
                     "wgmma.mma_async.sync.aligned.m64n128k16.f32." name "." name " " ZZ_REGISTERS64                             \
                     ", %64, %65, p, 1, 1, 0, 0;\n\t}"                                                                           \
                     : ZZ_F16(d, 0), ZZ_F16(d, 16), ZZ_F16(d, 32), ZZ_F16(d, 48)                                                 \
                     : "l"(a), "l"(b), "r"(more ? 1 : 0));                                                                       \
    }                                                                                                                            \
    template <> ZZ_DEVICE void multiplyRegisters<T>(float(&d)[64], const std::uint32_t(&a)[4], std::uint64_t b)                  \
    {                                                                                                                            \
        asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32." name "." name " " ZZ_REGISTERS64                             \
                     ", {%64, %65, %66, %67}, %68, 1, 1, 1, 1;"                                                                  \
                     : ZZ_F16(d, 0), ZZ_F16(d, 16), ZZ_F16(d, 32), ZZ_F16(d, 48)                                                 \
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));                                                      \
    }                                                                                                                            \
    template <> ZZ_DEVICE void multiplyRegisters<T>(float(&d)[32], const std::uint32_t(&a)[4], std::uint64_t b)                  \
    {                                                                                                                            \
        asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32." name "." name " " ZZ_REGISTERS32                              \
                     ", {%32, %33, %34, %35}, %36, 1, 1, 1, 1;"                                                                  \
                     : ZZ_F16(d, 0), ZZ_F16(d, 16)                                                                               \
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));                                                      \
    }
ZZ_PRODUCTS(Bf16, "bf16")
ZZ_PRODUCTS(F16, "f16")
#undef ZZ_PRODUCTS
#undef ZZ_REGISTERS64
#undef ZZ_REGISTERS32
#undef ZZ_F16
#undef ZZ_F4

} // namespace zigzag::gpu::hopper
