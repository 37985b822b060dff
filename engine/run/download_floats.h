// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/tensor_values.h"
#include "engine/run/backend.h"

namespace zigzag {

/// Waits for the device and brings `count` numbers of `type` from its memory, as float32. Fails where the device has failed.
inline Result<std::vector<float>> downloadFloats(Backend &backend, const void *from, std::size_t count, DType type)
{
    std::vector<std::byte> bytes(count * static_cast<std::size_t>(bytesOf(type)));
    backend.download(bytes.data(), from, bytes.size());
    ZIGZAG_CHECK(backend.synchronize());
    return floatsOf({bytes.data(), type, static_cast<std::int64_t>(count), 1});
}

} // namespace zigzag
