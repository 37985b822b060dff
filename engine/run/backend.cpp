// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/backend.h"

#include <algorithm>

namespace zigzag {

void Backend::repeat(Buffer &to, std::span<const std::byte> block)
{
    for (std::size_t at = 0; at < to.bytes(); at += block.size())
        upload(to, at, block.data(), std::min(block.size(), to.bytes() - at));
}

std::unique_ptr<Recording> Backend::record(const std::function<void()> &)
{
    return nullptr;
}

} // namespace zigzag
