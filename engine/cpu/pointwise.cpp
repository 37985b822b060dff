// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/kernels.h"

#include <cmath>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/pointwise.cpp"
#include <hwy/foreach_target.h>

#include "engine/cpu/simd_inl.h"

#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace zigzag::HWY_NAMESPACE {

template <class Narrow> void widen(const Narrow *from, float *to, std::size_t count)
{
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes)
        hn::StoreU(load(d, from + i), d, to + i);
    for (; i < count; ++i)
        to[i] = loadOne(from + i);
}

void toFloat(DType type, const void *from, float *to, std::size_t count)
{
    if (type == DType::F32)
        std::memcpy(to, from, count * sizeof(float));
    else if (type == DType::F16)
        widen(static_cast<const Half *>(from), to, count);
    else if (type == DType::F8)
        widen(static_cast<const Eighth *>(from), to, count);
    else
        widen(static_cast<const Brain *>(from), to, count);
}

/// Rounds to nearest, ties to even, as floatToBf16; Highway's own DemoteTo truncates.
void narrowToBf16(const float *from, std::uint16_t *to, std::size_t count)
{
    const Floats d;
    const hn::RebindToUnsigned<Floats> bits;
    const hn::Rebind<std::uint16_t, Floats> narrow;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const Vector value = hn::LoadU(d, from + i);
        const auto raw = hn::BitCast(bits, value);
        const auto odd = hn::And(hn::ShiftRight<16>(raw), hn::Set(bits, 1u));
        const auto rounded = hn::ShiftRight<16>(hn::Add(raw, hn::Add(odd, hn::Set(bits, 0x7fffu))));
        const auto quiet = hn::Or(hn::ShiftRight<16>(raw), hn::Set(bits, 0x40u));
        const auto isNan = hn::RebindMask(bits, hn::IsNaN(value));
        hn::StoreU(hn::TruncateTo(narrow, hn::IfThenElse(isNan, quiet, rounded)), narrow, to + i);
    }
    for (; i < count; ++i)
        to[i] = floatToBf16(from[i]);
}

void narrowToF16(const float *from, std::uint16_t *to, std::size_t count)
{
    const Floats d;
    const hn::Rebind<Half, Floats> narrow;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes)
        hn::StoreU(hn::DemoteTo(narrow, hn::LoadU(d, from + i)), narrow, reinterpret_cast<Half *>(to + i));
    for (; i < count; ++i)
        to[i] = floatToF16(from[i]);
}

/// To nearest, ties to even, saturating: floatToF8 lane by lane.
void narrowToF8(const float *from, std::uint8_t *to, std::size_t count)
{
    const Floats d;
    const hn::RebindToSigned<Floats> ints; // magnitudes are below 2^31
    const hn::RebindToUnsigned<Floats> bits;
    const hn::Rebind<std::uint8_t, Floats> narrow;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const auto raw = hn::BitCast(ints, hn::LoadU(d, from + i));
        const auto magnitude = hn::And(raw, hn::Set(ints, 0x7fffffff));
        const auto odd = hn::And(hn::ShiftRight<20>(magnitude), hn::Set(ints, 1));
        const auto normal = hn::ShiftRight<20>(hn::Add(hn::Sub(magnitude, hn::Set(ints, 0x3c000000 - 0x7ffff)), odd));
        const Vector aligned = hn::Add(hn::BitCast(d, magnitude), hn::Set(d, 0x1p14f));
        const auto subnormal = hn::Sub(hn::BitCast(ints, aligned), hn::Set(ints, 0x46800000));
        auto code = hn::IfThenElse(hn::Lt(magnitude, hn::Set(ints, 0x3c800000)), subnormal, normal);
        code = hn::IfThenElse(hn::Lt(magnitude, hn::Set(ints, 0x43e00000)), code, hn::Set(ints, 0x7e));
        code = hn::IfThenElse(hn::Gt(magnitude, hn::Set(ints, 0x7f800000)), hn::Set(ints, 0x7f), code);
        const auto sign = hn::And(hn::ShiftRight<24>(raw), hn::Set(ints, 0x80));
        hn::StoreU(hn::TruncateTo(narrow, hn::BitCast(bits, hn::Or(code, sign))), narrow, to + i);
    }
    for (; i < count; ++i)
        to[i] = floatToF8(from[i]);
}

void fromFloat(DType type, const float *from, void *to, std::size_t count)
{
    if (type == DType::F32)
        std::memcpy(to, from, count * sizeof(float));
    else if (type == DType::F16)
        narrowToF16(from, static_cast<std::uint16_t *>(to), count);
    else if (type == DType::F8)
        narrowToF8(from, static_cast<std::uint8_t *>(to), count);
    else
        narrowToBf16(from, static_cast<std::uint16_t *>(to), count);
}

void rmsNormRow(const float *in, const float *weight, float *out, std::size_t width, float epsilon)
{
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    Vector sums[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    std::size_t i = 0;
    for (; i + 4 * lanes <= width; i += 4 * lanes) {
#pragma GCC unroll 4
        for (std::size_t k = 0; k < 4; ++k) {
            const Vector value = hn::LoadU(d, in + i + k * lanes);
            sums[k] = hn::MulAdd(value, value, sums[k]);
        }
    }
    float squares = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]))));
    for (; i < width; ++i)
        squares += in[i] * in[i];
    const float scale = 1.0f / std::sqrt(squares / static_cast<float>(width) + epsilon);
    for (i = 0; i + lanes <= width; i += lanes)
        hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(d, in + i), hn::Set(d, scale)), hn::LoadU(d, weight + i)), d, out + i);
    for (; i < width; ++i)
        out[i] = in[i] * scale * weight[i];
}

void swiGluRow(const float *gate, const float *up, float *out, std::size_t count)
{
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const Vector g = hn::LoadU(d, gate + i);
        // exp(88) is still finite; beyond it the quotient is far below the smallest float that matters.
        const Vector e = hn::Exp(d, hn::Min(hn::Neg(g), hn::Set(d, 88.0f)));
        const Vector silu = hn::Div(g, hn::Add(hn::Set(d, 1.0f), e));
        hn::StoreU(hn::Mul(silu, hn::LoadU(d, up + i)), d, out + i);
    }
    for (; i < count; ++i)
        out[i] = gate[i] / (1.0f + std::exp(-gate[i])) * up[i];
}

void geluGluRow(const float *gate, const float *up, float *out, std::size_t count)
{
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    constexpr float root = 0.7978845608f, cubic = 0.044715f; // √(2/π)
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const Vector g = hn::LoadU(d, gate + i);
        const Vector inner = hn::Mul(hn::Set(d, root), hn::MulAdd(hn::Mul(hn::Mul(g, g), g), hn::Set(d, cubic), g));
        const Vector gelu = hn::Mul(hn::Mul(hn::Set(d, 0.5f), g), hn::Add(hn::Set(d, 1.0f), hn::Tanh(d, inner)));
        hn::StoreU(hn::Mul(gelu, hn::LoadU(d, up + i)), d, out + i);
    }
    for (; i < count; ++i) {
        const float g = gate[i];
        out[i] = 0.5f * g * (1.0f + std::tanh(root * (g + cubic * g * g * g))) * up[i];
    }
}

void softCapRow(float *values, std::size_t count, float cap)
{
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    const Vector most = hn::Set(d, cap);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes)
        hn::StoreU(hn::Mul(most, hn::Tanh(d, hn::Div(hn::LoadU(d, values + i), most))), d, values + i);
    for (; i < count; ++i)
        values[i] = cap * std::tanh(values[i] / cap);
}

void rotateRow(float *x, const float *cosines, const float *sines, std::size_t half)
{
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + lanes <= half; i += lanes) {
        const Vector a = hn::LoadU(d, x + i), b = hn::LoadU(d, x + half + i);
        const Vector c = hn::LoadU(d, cosines + i), s = hn::LoadU(d, sines + i);
        hn::StoreU(hn::NegMulAdd(b, s, hn::Mul(a, c)), d, x + i);
        hn::StoreU(hn::MulAdd(a, s, hn::Mul(b, c)), d, x + half + i);
    }
    for (; i < half; ++i) {
        const float a = x[i], b = x[half + i];
        x[i] = a * cosines[i] - b * sines[i];
        x[half + i] = b * cosines[i] + a * sines[i];
    }
}

void rotateNeighbours(float *x, const float *cosines, const float *sines, std::size_t half)
{
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + lanes <= half; i += lanes) {
        Vector a, b;
        hn::LoadInterleaved2(d, x + 2 * i, a, b);
        const Vector c = hn::LoadU(d, cosines + i), s = hn::LoadU(d, sines + i);
        hn::StoreInterleaved2(hn::NegMulAdd(b, s, hn::Mul(a, c)), hn::MulAdd(a, s, hn::Mul(b, c)), d, x + 2 * i);
    }
    for (; i < half; ++i) {
        const float a = x[2 * i], b = x[2 * i + 1];
        x[2 * i] = a * cosines[i] - b * sines[i];
        x[2 * i + 1] = b * cosines[i] + a * sines[i];
    }
}

} // namespace zigzag::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zigzag {

HWY_EXPORT(toFloat);
HWY_EXPORT(fromFloat);
HWY_EXPORT(rmsNormRow);
HWY_EXPORT(swiGluRow);
HWY_EXPORT(geluGluRow);
HWY_EXPORT(softCapRow);
HWY_EXPORT(rotateRow);
HWY_EXPORT(rotateNeighbours);

namespace kernels {

void toFloat(DType type, const void *from, float *to, std::size_t count)
{
    HWY_DYNAMIC_DISPATCH(toFloat)(type, from, to, count);
}

void fromFloat(DType type, const float *from, void *to, std::size_t count)
{
    HWY_DYNAMIC_DISPATCH(fromFloat)(type, from, to, count);
}

void rmsNormRow(const float *in, const float *weight, float *out, std::size_t width, float epsilon)
{
    HWY_DYNAMIC_DISPATCH(rmsNormRow)(in, weight, out, width, epsilon);
}

void swiGluRow(const float *gate, const float *up, float *out, std::size_t count)
{
    HWY_DYNAMIC_DISPATCH(swiGluRow)(gate, up, out, count);
}

void geluGluRow(const float *gate, const float *up, float *out, std::size_t count)
{
    HWY_DYNAMIC_DISPATCH(geluGluRow)(gate, up, out, count);
}

void softCapRow(float *values, std::size_t count, float cap)
{
    HWY_DYNAMIC_DISPATCH(softCapRow)(values, count, cap);
}

void rotateRow(float *x, const float *cosines, const float *sines, std::size_t half)
{
    HWY_DYNAMIC_DISPATCH(rotateRow)(x, cosines, sines, half);
}

void rotateNeighbours(float *x, const float *cosines, const float *sines, std::size_t half)
{
    HWY_DYNAMIC_DISPATCH(rotateNeighbours)(x, cosines, sines, half);
}

} // namespace kernels
} // namespace zigzag
#endif
