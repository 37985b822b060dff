// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/carry/model_files.h"
#include "profiler/carry/sink_carrier.h"
#include "profiler/exports/export_format.h"

#include <filesystem>
#include <string_view>

namespace zigzag {

/// The export that is no map in another program's words, but the model itself with stand-ins for its sinks.
inline constexpr std::string_view carriedFormat = "granite-swa";

/// A folder that transformers, vLLM, SGLang and llama.cpp's converter load as `granite_swa`: config, the model's own weights,
/// linked or copied, one shard of new tensors, tokenizer files. `carried`: from carriedModel. Leaves nothing behind when it
/// fails; refuses models without a folder of weights, and folders that hold another model. `quality`: a sentence for its README.
Result<void> writeGraniteSwaFolder(const ExportModel &model, const Model &carried, const std::filesystem::path &out,
                                   WeightFiles files, const std::string &quality = "");

/// Such a folder, opened for what it was made of: refused where it is no granite_swa, of another model (norms are compared) or
/// of another map.
Result<std::shared_ptr<const Model>> openCarried(const std::string &folder, const Model &model, const HeadMap &map);

/// What such a folder keeps of a map, or why there can be none.
ExportVerdict graniteSwaVerdict(const HeadMap &map, const ExportModel *model);

} // namespace zigzag
