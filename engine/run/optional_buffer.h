// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/backend.h"

#include <memory>

namespace zigzag {

/// The values of a bias or norm that the model may not have; null without it.
inline float *orNull(const std::unique_ptr<Buffer> &buffer)
{
    return buffer ? buffer->as<float>() : nullptr;
}

/// The same of a buffer of activations.
inline void *dataOrNull(const std::unique_ptr<Buffer> &buffer)
{
    return buffer ? buffer->data() : nullptr;
}

} // namespace zigzag
