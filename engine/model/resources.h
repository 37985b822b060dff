// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model_config.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace zigzag {

/// Names that `preset:` and `bundled:` accept.
std::vector<std::string> presetNames();
std::vector<std::string> bundledNames();
/// The folder of resources: $ZIGZAG_RESOURCES, that of the installation, or where the build found it.
std::filesystem::path resourceFolder();

/// The published shape of `preset:NAME`, or with all matrices in another type (`preset:NAME:q4_k`).
Result<ModelConfig> presetConfig(const std::string &name);

/// Names for an error line.
std::string listOf(const std::vector<std::string> &names);

/// The preset with the most weight bytes that are at most `bytes`; empty where none is.
std::string largestPresetWithin(std::int64_t bytes);

} // namespace zigzag
