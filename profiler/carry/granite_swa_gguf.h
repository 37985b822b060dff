// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/carry/sink_carrier.h"
#include "profiler/exports/export_format.h"

#include <filesystem>
#include <string_view>

namespace zigzag {

/// The same as granite-swa (carriedFormat), as one GGUF file.
inline constexpr std::string_view carriedGgufFormat = "gguf";

/// A GGUF file of a llama or a granite rewritten as a granite_swa, which llama.cpp and what is built on it load: its tensors as
/// they lie, of whatever type; its metadata under the new architecture's name; sinks, biases and the pattern of windows added, in
/// float32. `carried`: from carriedModel, of that file. Leaves nothing behind when it fails.
Result<void> writeGraniteSwaGguf(const ExportModel &model, const Model &carried, const std::filesystem::path &out);

/// What such a file keeps of a map, or why there can be none.
ExportVerdict graniteSwaGgufVerdict(const HeadMap &map, const ExportModel *model);

} // namespace zigzag
