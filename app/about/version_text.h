// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace zigzag {

/// What `--version` prints: program and version, the commit that it was built from, and each backend with whether it runs on this
/// machine, and why not where it does not. Opens every backend once. Lines, the last one ended.
std::string versionText(std::string_view program);

/// The day of the commit that this was built from, as 2026-11-28; empty where the build knew of none.
std::string_view commitDate();

} // namespace zigzag
