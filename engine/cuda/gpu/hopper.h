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

/// Arrives, and makes the phase wait for `bytes` of copies by the engine below, too.
ZZ_DEVICE void arriveExpecting(std::uint64_t *barrier, int bytes)
{
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(sharedAddress(barrier)), "r"(bytes) : "memory");
}

/// A tensor in memory as the copying engine takes it (CUtensorMap of CUDA's driver, which makes it).
struct alignas(64) TensorMap {
    std::uint64_t words[16];
};

/// Starts the copy of a box of a tensor of three dimensions, from these coordinates on. One thread does it for all.
ZZ_DEVICE void copyBox(char *shared, const TensorMap &map, int x, int y, int z, std::uint64_t *barrier)
{
    asm volatile(
        "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], [%2];" ::"r"(
            sharedAddress(shared)),
        "l"(reinterpret_cast<std::uint64_t>(&map)), "r"(sharedAddress(barrier)), "r"(x), "r"(y), "r"(z)
        : "memory");
}
ZZ_DEVICE void prefetchMap(const TensorMap &map)
{
    asm volatile("prefetch.tensormap [%0];" ::"l"(reinterpret_cast<std::uint64_t>(&map)) : "memory");
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
#define ZZ_F32(d, i) ZZ_F16(d, i), ZZ_F16(d, (i) + 16)
#define ZZ_F64(d, i) ZZ_F32(d, i), ZZ_F32(d, (i) + 32)
#define ZZ_F128(d, i) ZZ_F64(d, i), ZZ_F64(d, (i) + 64)
#define ZZ_REGISTERS32                                                                                                           \
    "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, "            \
    "%24, %25, %26, %27, %28, %29, %30, %31}"
#define ZZ_REGISTERS64                                                                                                           \
    "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, "            \
    "%24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, "             \
    "%46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}"
#define ZZ_REGISTERS128                                                                                                          \
    "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, "            \
    "%24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, "             \
    "%46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, %64, %65, %66, %67, "             \
    "%68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, "             \
    "%90, %91, %92, %93, %94, %95, %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, "             \
    "%110, %111, %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}"

template <class T> ZZ_DEVICE void multiplyShared(float (&d)[32], std::uint64_t a, std::uint64_t b, bool more);
template <class T> ZZ_DEVICE void multiplyShared(float (&d)[64], std::uint64_t a, std::uint64_t b, bool more);
template <class T> ZZ_DEVICE void multiplyRegisters(float (&d)[32], const std::uint32_t (&a)[4], std::uint64_t b);
template <class T> ZZ_DEVICE void multiplyRegisters(float (&d)[64], const std::uint32_t (&a)[4], std::uint64_t b);
template <class T> ZZ_DEVICE void multiplyRegisters(float (&d)[128], const std::uint32_t (&a)[4], std::uint64_t b);

#define ZZ_SHARED(T, name, n, count, registers, all, a0, b0, p0)                                                                 \
    template <> ZZ_DEVICE void multiplyShared<T>(float(&d)[count], std::uint64_t a, std::uint64_t b, bool more)                  \
    {                                                                                                                            \
        asm volatile("{\n\t.reg .pred p;\n\tsetp.ne.b32 p, " p0 ", 0;\n\t"                                                       \
                     "wgmma.mma_async.sync.aligned.m64n" n "k16.f32." name "." name " " registers ", " a0 ", " b0                \
                     ", p, 1, 1, 0, 0;\n\t}"                                                                                     \
                     : all(d, 0)                                                                                                 \
                     : "l"(a), "l"(b), "r"(more ? 1 : 0));                                                                       \
    }
#define ZZ_HELD(T, name, n, count, registers, all, a0, a1, a2, a3, b0)                                                           \
    template <> ZZ_DEVICE void multiplyRegisters<T>(float(&d)[count], const std::uint32_t(&a)[4], std::uint64_t b)               \
    {                                                                                                                            \
        asm volatile("wgmma.mma_async.sync.aligned.m64n" n "k16.f32." name "." name " " registers ", {" a0 ", " a1 ", " a2       \
                     ", " a3 "}, " b0 ", 1, 1, 1, 1;"                                                                            \
                     : all(d, 0)                                                                                                 \
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));                                                      \
    }
#define ZZ_PRODUCTS(T, name)                                                                                                     \
    ZZ_SHARED(T, name, "64", 32, ZZ_REGISTERS32, ZZ_F32, "%32", "%33", "%34")                                                    \
    ZZ_SHARED(T, name, "128", 64, ZZ_REGISTERS64, ZZ_F64, "%64", "%65", "%66")                                                   \
    ZZ_HELD(T, name, "64", 32, ZZ_REGISTERS32, ZZ_F32, "%32", "%33", "%34", "%35", "%36")                                        \
    ZZ_HELD(T, name, "128", 64, ZZ_REGISTERS64, ZZ_F64, "%64", "%65", "%66", "%67", "%68")                                       \
    ZZ_HELD(T, name, "256", 128, ZZ_REGISTERS128, ZZ_F128, "%128", "%129", "%130", "%131", "%132")
ZZ_PRODUCTS(Bf16, "bf16")
ZZ_PRODUCTS(F16, "f16")
#undef ZZ_PRODUCTS
#undef ZZ_HELD
#undef ZZ_SHARED
#undef ZZ_REGISTERS128
#undef ZZ_REGISTERS64
#undef ZZ_REGISTERS32
#undef ZZ_F128
#undef ZZ_F64
#undef ZZ_F32
#undef ZZ_F16
#undef ZZ_F4

} // namespace zigzag::gpu::hopper
