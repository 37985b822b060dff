// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/trace/trace.h"

#include <filesystem>

namespace zigzag {

/// Chrome's Trace Event Format, complete events ("ph": "X") in microseconds with three decimals, so exact too; it opens in
/// Perfetto. Arguments: layer, type (retrieval, streaming, mixed), bytes, flops, tokens, position, floor_us; of kernels: span. Of
/// several ranks each is a process; their collectives lie in the spans, and in these, as "waiting", what they wait for each
/// other. What was run, on what, is under "otherData".
Result<void> writeChromeTrace(const Trace &trace, const std::filesystem::path &file);

} // namespace zigzag
