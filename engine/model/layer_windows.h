// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to engine/model: it includes nlohmann/json.

#include "engine/base/json_input.h"
#include "engine/model/model_config.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace zigzag {

/// The layers that config.json makes local: those that layer_types names or, where there is none, those that transformers'
/// rule for the family, `isLocal`, gives a window. [layers]
Result<std::vector<bool>> readLocalLayers(const ModelConfig &model, const json::Value &config,
                                          const std::function<bool(int layer)> &isLocal, const std::string &where);

/// sliding_window as the length of a window of these layers (ModelConfig::fileWindows), which no map changes. One that never
/// acts, since no layer has it or it is as long as the context, is full attention, and a map may have the layer.
Result<void> readFileWindows(ModelConfig &model, const json::Value &config, const std::vector<bool> &localLayers,
                             const std::string &where);

/// Both, by the family's rule (Family::window), where its `read` has not done it. Where transformers has no windows, a file that
/// asks for one that acts is refused.
Result<void> readFamilyWindows(ModelConfig &model, const json::Value &config, const std::string &where);

} // namespace zigzag
