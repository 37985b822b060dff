// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/gpu.h"

namespace zigzag::gpu {

/// Elements that a thread takes at a time where addresses allow it: 16 bytes of a 16-bit type, twice that of float32.
inline constexpr int vectorWidth = 8;

ZZ_DEVICE bool isAligned16(const void *address)
{
    return reinterpret_cast<std::uintptr_t>(address) % 16 == 0;
}

template <class T> ZZ_DEVICE void loadVector(const T *from, float (&to)[vectorWidth])
{
    const Vec16 v = load16(from);
    ZZ_UNROLL
    for (int i = 0; i < vectorWidth / 2; ++i) {
        const Float2 pair = unpack2<T>(v.w[i]);
        to[2 * i] = pair.x;
        to[2 * i + 1] = pair.y;
    }
}

template <> ZZ_DEVICE void loadVector<float>(const float *from, float (&to)[vectorWidth])
{
    const Vec16 low = load16(from), high = load16(from + 4);
    ZZ_UNROLL
    for (int i = 0; i < 4; ++i) {
        to[i] = floatOfBits(low.w[i]);
        to[4 + i] = floatOfBits(high.w[i]);
    }
}

template <class T> ZZ_DEVICE void storeVector(T *to, const float (&from)[vectorWidth])
{
    Vec16 v;
    ZZ_UNROLL
    for (int i = 0; i < vectorWidth / 2; ++i)
        v.w[i] = pack2<T>(from[2 * i], from[2 * i + 1]);
    store16(to, v);
}

template <> ZZ_DEVICE void storeVector<float>(float *to, const float (&from)[vectorWidth])
{
    Vec16 low, high;
    ZZ_UNROLL
    for (int i = 0; i < 4; ++i) {
        low.w[i] = bitsOfFloat(from[i]);
        high.w[i] = bitsOfFloat(from[4 + i]);
    }
    store16(to, low);
    store16(to + 4, high);
}

/// Runs over [0, count) with all threads of `threads`: whole(i) for eight elements at i where `wide`, one(i) for the rest.
template <class Whole, class One>
ZZ_DEVICE void forEachVector(std::int64_t count, std::int64_t thread, std::int64_t threads, bool wide, Whole whole, One one)
{
    const std::int64_t vectors = wide ? count / vectorWidth : 0;
    for (std::int64_t i = thread; i < vectors; i += threads)
        whole(i * vectorWidth);
    for (std::int64_t i = vectors * vectorWidth + thread; i < count; i += threads)
        one(i);
}

} // namespace zigzag::gpu
