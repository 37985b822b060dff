// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <nlohmann/json.hpp>

namespace zigzag {

/// For dump(). JSON is UTF-8, and the name of a folder or a file need not be: what is none becomes a replacement character
/// rather than an exception.
inline constexpr auto anyBytes = nlohmann::json::error_handler_t::replace;

} // namespace zigzag
