// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to the .cpp files that read and write maps and scores: it includes nlohmann/json.

#include "engine/base/json_input.h"
#include "engine/map/head_map.h"

#include <string>

namespace zigzag {

/// The "model" member of maps and scores, with every count checked.
Result<ModelShape> readModel(const json::Value &document, const std::string &where);
/// {"name": …, "layers": …, …} on one line, with "file_windows": [0, 128, …] where the model's own file gives layers windows.
std::string modelJson(const ModelShape &model);
/// A JSON string; bytes that are no UTF-8 (a file name may have them) are replaced.
std::string jsonString(const std::string &text);

} // namespace zigzag
