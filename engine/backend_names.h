// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>
#include <vector>

namespace zigzag {

/// What `createBackend` knows beside `auto`, whether it runs on this machine or not: the processor first.
std::vector<std::string_view> backendNames();

} // namespace zigzag
