// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace zigzag {

// On the CPU backend every activation is float32.

inline float *floats(void *activations)
{
    return static_cast<float *>(activations);
}

inline const float *floats(const void *activations)
{
    return static_cast<const float *>(activations);
}

} // namespace zigzag
