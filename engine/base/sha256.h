// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace zigzag {

/// SHA-256 over pieces.
class Sha256
{
public:
    Sha256();
    void update(const void *data, std::size_t bytes);
    void update(std::string_view text) { update(text.data(), text.size()); }
    /// 64 hexadecimal digits. The object takes no more data afterwards.
    std::string hex();

private:
    std::shared_ptr<void> m_context;
};

} // namespace zigzag
