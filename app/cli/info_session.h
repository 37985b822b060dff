// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <string>

namespace zigzag {

/// Whether the name is a file that calls itself a session.
bool isSession(const std::string &name);
/// What is in it, a row for each part. `format`: table or json.
Result<void> printSession(const std::string &name, const std::string &format);

} // namespace zigzag
