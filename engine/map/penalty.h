// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cmath>
#include <cstdint>

namespace zigzag {

/// What streaming one unit gives up, in units of 2⁻⁷⁴. Integers add up the same in every order, so that what is equal is
/// seen as equal; a gate of at least 2⁻⁵¹, a float, is represented without rounding. 4096 × 4096 ones take 98 bits.
__extension__ using Penalty = __int128;

/// `value` in [0, 1].
inline Penalty penaltyOf(double value)
{
    int exponent = 0;
    const auto mantissa = static_cast<std::int64_t>(std::ldexp(std::frexp(value, &exponent), 53)); // exact
    const int shift = exponent - 53 + 74;
    if (shift >= 0)
        return static_cast<Penalty>(mantissa) << shift;
    return shift > -63 ? mantissa >> -shift : 0;
}

inline double toDouble(Penalty penalty)
{
    return std::ldexp(static_cast<double>(penalty), -74);
}

} // namespace zigzag
