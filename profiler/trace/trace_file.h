// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/trace/trace.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace zigzag {

// `zigzag-trace`, version 1: exact, and about 20 bytes a span. What spans have in common (op, layer, bytes …) is written once, as
// a shape; a span is its beginning (as the distance from the one before), duration, shape and position.

Result<void> writeTrace(const Trace &trace, const std::filesystem::path &file);

/// The largest trace that is read, in bytes, packed or not: what the window takes, `compare` takes.
inline constexpr std::uint64_t largestTraceFile = 1ull << 30;

/// Reads either, told apart by content, gzip-compressed or not. What holds no event that lasts is refused, and what is no trace
/// is told what it is. Chrome's format: chrome_reader.h, chrome_writer.h.
Result<Trace> readTrace(const std::filesystem::path &file);
/// What such a file holds; `where` names it in errors.
std::string traceText(const Trace &trace);
Result<Trace> traceFrom(std::string text, const std::string &where);

} // namespace zigzag
