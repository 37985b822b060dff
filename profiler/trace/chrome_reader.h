// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/trace/trace.h"

#include <string>
#include <string_view>

namespace zigzag {

/// Google's Trace Event Format, of this program or of another one: complete events, pairs of B and E, and asynchronous ones. Of
/// this program's traces, events become spans and kernels again. Of all others every event becomes a kernel, whatever its name;
/// `TraceInfo::isForeign` is set, and its note counts what has no duration and is not shown.
Result<Trace> readChromeTrace(std::string_view text, const std::string &where);

} // namespace zigzag
