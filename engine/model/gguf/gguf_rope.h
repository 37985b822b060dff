// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to engine/model: it includes nlohmann/json.

#include "engine/base/json_input.h"
#include "engine/model/gguf/gguf_file.h"

#include <string>
#include <string_view>

namespace zigzag {

/// "rope_scaling" as a config.json has it, null for none: from rope.scaling.* behind `architecture`, or from the factors in
/// rope_freqs.weight, which stand for Llama 3's kind, or those in rope_factors_short.weight and rope_factors_long.weight
/// (LongRoPE). `rotated` numbers of a head are turned.
Result<json::Value> readGgufRope(const GgufFile &file, std::string_view architecture, std::int64_t rotated, double theta,
                                 const std::string &where);

} // namespace zigzag
