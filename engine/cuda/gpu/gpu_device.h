// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// gpu.h on a GPU. Instructions and layouts: NVIDIA's PTX ISA, "Matrix Fragments for mma.m16n8k16", "ldmatrix" and
// "cp.async". Included by gpu.h alone.

#define ZZ_KERNEL __global__
#define ZZ_DEVICE __device__ __forceinline__
#define ZZ_LAUNCH_BOUNDS(threads, blocks) __launch_bounds__(threads, blocks)
#define ZZ_ARGS const __grid_constant__
#define ZZ_UNROLL _Pragma("unroll")
#define ZZ_PRAGMA(text) _Pragma(#text)
#define ZZ_UNROLL_BY(count) ZZ_PRAGMA(unroll count)

namespace zigzag::gpu {

// Where a thread is.

ZZ_DEVICE Index3 threadIdx()
{
    return {::threadIdx.x, ::threadIdx.y, ::threadIdx.z};
}
ZZ_DEVICE Index3 blockIdx()
{
    return {::blockIdx.x, ::blockIdx.y, ::blockIdx.z};
}
ZZ_DEVICE Index3 blockDim()
{
    return {::blockDim.x, ::blockDim.y, ::blockDim.z};
}
ZZ_DEVICE Index3 gridDim()
{
    return {::gridDim.x, ::gridDim.y, ::gridDim.z};
}

/// The block's dynamic shared memory, aligned to 128 bytes.
template <class T> ZZ_DEVICE T *sharedMemory()
{
    extern __shared__ __align__(128) unsigned char zigzagShared[];
    return reinterpret_cast<T *>(zigzagShared);
}

ZZ_DEVICE std::uint32_t sharedAddress(const void *pointer)
{
    return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}

// Synchronisation.

ZZ_DEVICE void syncThreads()
{
    __syncthreads();
}
ZZ_DEVICE void syncWarp()
{
    __syncwarp();
}
/// Barrier `id` (1 to 15) of `threads` threads, whole warps.
ZZ_DEVICE void barrier(int id, int threads)
{
    asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
ZZ_DEVICE void threadFence()
{
    __threadfence();
}

// Programmatic dependent launch (compute capability 9.0 and newer; elsewhere kernels follow one another whole). A kernel
// that was launched with Start::Early may start while the one before it still runs.

/// Waits until the kernels before this one have ended and their writes are seen. Every thread of every kernel calls it
/// before it reads or writes anything that an earlier kernel writes or reads; only then is the order transitive.
ZZ_DEVICE void waitForPrevious()
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
/// Lets the next kernel start once all blocks have said so or ended: a hint, it waits for this kernel's results by itself.
ZZ_DEVICE void allowNext()
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

// Exchange within a warp.

template <class T> ZZ_DEVICE T shuffleXor(T value, int mask)
{
    return __shfl_xor_sync(0xffffffffu, value, mask);
}
template <class T> ZZ_DEVICE T shuffleDown(T value, int distance)
{
    return __shfl_down_sync(0xffffffffu, value, static_cast<unsigned>(distance));
}
template <class T> ZZ_DEVICE T shuffle(T value, int lane)
{
    return __shfl_sync(0xffffffffu, value, lane);
}
ZZ_DEVICE std::uint32_t warpBallot(bool predicate)
{
    return __ballot_sync(0xffffffffu, predicate);
}
ZZ_DEVICE bool warpAny(bool predicate)
{
    return __any_sync(0xffffffffu, predicate) != 0;
}
/// The largest of the warp, in every lane.
ZZ_DEVICE std::uint32_t warpMaxOf(std::uint32_t value)
{
    return __reduce_max_sync(0xffffffffu, value);
}

ZZ_DEVICE int countBits(std::uint32_t bits)
{
    return __popc(bits);
}
ZZ_DEVICE float floatOfBits(std::uint32_t bits)
{
    return __uint_as_float(bits);
}
ZZ_DEVICE std::uint32_t bitsOfFloat(float value)
{
    return __float_as_uint(value);
}

// 16-bit numbers. Round to nearest, ties to even.

ZZ_DEVICE float toFloat(Bf16 value)
{
    return __uint_as_float(static_cast<std::uint32_t>(value.bits) << 16);
}
ZZ_DEVICE float toFloat(F16 value)
{
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
    return result;
}
ZZ_DEVICE Bf16 toBf16(float value)
{
    Bf16 result;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
}
ZZ_DEVICE F16 toF16(float value)
{
    F16 result;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
}
/// Two numbers in one register, `low` in the low half: the one that comes first in memory.
template <class T> ZZ_DEVICE std::uint32_t pack2(float low, float high);
template <> ZZ_DEVICE std::uint32_t pack2<Bf16>(float low, float high)
{
    std::uint32_t result;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
    return result;
}
template <> ZZ_DEVICE std::uint32_t pack2<F16>(float low, float high)
{
    std::uint32_t result;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
    return result;
}
template <class T> ZZ_DEVICE Float2 unpack2(std::uint32_t pair)
{
    return {toFloat(T{static_cast<std::uint16_t>(pair)}), toFloat(T{static_cast<std::uint16_t>(pair >> 16)})};
}
template <> ZZ_DEVICE Float2 unpack2<Bf16>(std::uint32_t pair)
{
    return {__uint_as_float(pair << 16), __uint_as_float(pair & 0xffff0000u)};
}

// E4M3 numbers: compute capability 8.9 converts them, before it integers do.

/// Two of them in the low half, the low byte first, as a pair of F16, which holds each exactly. The high half is not read.
ZZ_DEVICE std::uint32_t f8PairToF16(std::uint32_t pair)
{
    std::uint32_t result;
#if __CUDA_ARCH__ >= 890
    asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(result) : "h"(static_cast<std::uint16_t>(pair)));
#else
    // Exponent and mantissa go to the same place of an F16, whose exponents count from 8 more; the one NaN becomes another.
    const std::uint32_t spread = __byte_perm(pair, 0, 0x1404), magnitude = spread >> 1 & 0x3f803f80u;
    const std::uint32_t bits = (spread & 0x80008000u) | magnitude | ((magnitude + 0x00800080u) & 0x40004000u);
    asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(result) : "r"(bits), "r"(0x5c005c00u));
#endif
    return result;
}
ZZ_DEVICE float toFloat(F8 value)
{
    return toFloat(F16{static_cast<std::uint16_t>(f8PairToF16(value.bits))});
}
/// Too large becomes the largest of its sign.
ZZ_DEVICE F8 toF8(float value)
{
#if __CUDA_ARCH__ >= 890
    std::uint16_t pair;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(0.0f), "f"(value));
    return {static_cast<std::uint8_t>(pair)};
#else
    const std::uint32_t sign = __float_as_uint(value) >> 24 & 0x80u, magnitude = __float_as_uint(value) & 0x7fffffffu;
    std::uint32_t bits; // as floatToF8 of engine/base/dtype.h
    if (magnitude > 0x7f800000u)
        bits = 0x7f;
    else if (magnitude >= 0x43e00000u)
        bits = 0x7e;
    else if (magnitude < 0x3c800000u)
        bits = __float_as_uint(__uint_as_float(magnitude) + 16384.0f) - 0x46800000u;
    else
        bits = (magnitude - 0x3c000000u + 0x7ffffu + (magnitude >> 20 & 1u)) >> 20;
    return {static_cast<std::uint8_t>(sign | bits)};
#endif
}
/// Byte i of the result is the one that the i-th four bits of `order` name: 0 to 3 of a, 4 to 7 of b.
ZZ_DEVICE std::uint32_t pickBytes(std::uint32_t a, std::uint32_t b, std::uint32_t order)
{
    return __byte_perm(a, b, order);
}

// Memory. Addresses are multiples of what is moved.

/// Bytes as a T, whatever type they were written as.
template <class T> ZZ_DEVICE T loadAs(const void *from)
{
    return *static_cast<const T *>(from);
}
template <class T> ZZ_DEVICE void storeAs(void *to, const T &value)
{
    *static_cast<T *>(to) = value;
}
ZZ_DEVICE Vec16 load16(const void *from)
{
    return *static_cast<const Vec16 *>(from);
}
/// For what is read once, and by no one else in this kernel's time: weights, cached keys. Must not have been written by
/// this kernel.
ZZ_DEVICE Vec16 loadStreaming16(const void *from)
{
    Vec16 v;
    asm volatile("ld.global.nc.L1::no_allocate.L2::256B.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.w[0]), "=r"(v.w[1]), "=r"(v.w[2]), "=r"(v.w[3])
                 : "l"(__cvta_generic_to_global(from)));
    return v;
}
/// Zeros where not `valid`, and `from` is then not read.
ZZ_DEVICE Vec16 loadStreaming16(const void *from, bool valid)
{
    Vec16 v;
    asm volatile("{\n\t.reg .pred p;\n\tsetp.ne.s32 p, %5, 0;\n\t"
                 "mov.b32 %0, 0;\n\tmov.b32 %1, 0;\n\tmov.b32 %2, 0;\n\tmov.b32 %3, 0;\n\t"
                 "@p ld.global.nc.L1::no_allocate.L2::256B.v4.u32 {%0, %1, %2, %3}, [%4];\n\t}"
                 : "=r"(v.w[0]), "=r"(v.w[1]), "=r"(v.w[2]), "=r"(v.w[3])
                 : "l"(__cvta_generic_to_global(from)), "r"(valid ? 1 : 0));
    return v;
}
ZZ_DEVICE void store16(void *to, const Vec16 &value)
{
    *static_cast<Vec16 *>(to) = value;
}
/// What another block may have written in this launch (after its threadFence): past the multiprocessor's own cache.
ZZ_DEVICE float loadCoherent(const float *from)
{
    return __ldcg(from);
}
ZZ_DEVICE int loadCoherent(const int *from)
{
    return __ldcg(from);
}
ZZ_DEVICE Vec16 loadCoherent16(const void *from)
{
    const uint4 v = __ldcg(static_cast<const uint4 *>(from));
    return {{v.x, v.y, v.z, v.w}};
}

/// Starts a copy of 16 bytes to shared memory; zeros where not `valid`, and `global` is then not read.
ZZ_DEVICE void copyAsync16(void *shared, const void *global, bool valid)
{
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(sharedAddress(shared)),
                 "l"(__cvta_generic_to_global(global)), "r"(valid ? 16 : 0)
                 : "memory");
}
/// Ends a group of this thread's copies.
ZZ_DEVICE void copyAsyncCommit()
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}
/// Waits until at most the latest `pending` groups of this thread are under way. Others see the data after a barrier.
template <int pending> ZZ_DEVICE void copyAsyncWait()
{
    asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

// Tensor cores. With g = lane / 4 and t = lane % 4, registers hold pairs of neighbours, the low half first:
//     a (16 x 16, rows): a[0] = (g, 2t..), a[1] = (g + 8, 2t..), a[2] = (g, 2t + 8..), a[3] = (g + 8, 2t + 8..)
//     b (16 x 8, columns): b[0] = (k = 2t.., n = g), b[1] = (k = 2t + 8.., n = g)
//     d (16 x 8, floats): d[0], d[1] = (g, 2t), (g, 2t + 1); d[2], d[3] = (g + 8, 2t), (g + 8, 2t + 1)

/// d += a · b
template <class T> ZZ_DEVICE void mma16816(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]);
template <> ZZ_DEVICE void mma16816<Bf16>(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2])
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
template <> ZZ_DEVICE void mma16816<F16>(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2])
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Bytes: four neighbours a register, the lowest one first. `b` and what `a` is not otherwise are signed; sums are whole.
//     a (16 x 32): a[0] = (g, 4t..), a[1] = (g + 8, 4t..), a[2] = (g, 16 + 4t..), a[3] = (g + 8, 16 + 4t..)
//     b (32 x 8): b[0] = (k = 4t.., n = g), b[1] = (k = 16 + 4t.., n = g); d as above. With 16 columns: the first halves.

/// d += a · b
template <bool isSigned> ZZ_DEVICE void mma16832(int (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2])
{
    if constexpr (isSigned)
        asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                     "{%0, %1, %2, %3};"
                     : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    else
        asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                     "{%0, %1, %2, %3};"
                     : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
/// The same over 16 columns, of signed bytes.
ZZ_DEVICE void mma16816Bytes(int (&d)[4], const std::uint32_t (&a)[2], std::uint32_t b)
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
                 : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(b));
}

// Matrices of 8 x 8 16-bit numbers from shared memory: lane 8i + r gives the address of row r of matrix i (16 bytes,
// aligned), register i receives the pair (row lane / 4, column 2 (lane % 4)), or of the transposed matrix.

ZZ_DEVICE void loadMatrix4(std::uint32_t (&r)[4], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(sharedAddress(row)));
}
ZZ_DEVICE void loadMatrix4Transposed(std::uint32_t (&r)[4], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(sharedAddress(row)));
}
/// Lanes 0 to 15 give the rows' addresses; the others' are not read.
ZZ_DEVICE void loadMatrix2(std::uint32_t (&r)[2], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];" : "=r"(r[0]), "=r"(r[1]) : "r"(sharedAddress(row)));
}
ZZ_DEVICE void loadMatrix2Transposed(std::uint32_t (&r)[2], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(r[0]), "=r"(r[1])
                 : "r"(sharedAddress(row)));
}

// Arithmetic of about 22 bits, and atomics (they return the value before).

/// One instruction, which a comparison and a choice would not be: the other one where one is not a number.
ZZ_DEVICE float maxOf(float a, float b)
{
    return fmaxf(a, b);
}
ZZ_DEVICE float exp2Fast(float x)
{
    float result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
}
ZZ_DEVICE float rsqrtFast(float x)
{
    float result;
    asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
}
ZZ_DEVICE float rcpFast(float x)
{
    float result;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
}
template <class T> ZZ_DEVICE T atomicAdd(T *to, T value)
{
    return ::atomicAdd(to, value);
}

} // namespace zigzag::gpu
