// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/checkpoint.h"
#include "engine/model/weights.h"

#include <set>
#include <string>
#include <vector>

namespace zigzag {

/// What a checkpoint says its keys and values are divided by in an 8-bit cache, under the names that vLLM reads:
/// `self_attn.k_scale` and `v_scale`, or `self_attn.k_proj.k_scale` and `v_proj.v_scale`. [layers], 1 where a layer has none;
/// empty where no layer has any. What was read is added to `names`. A scale that is no number above 0 is refused.
Result<std::vector<KvScales>> readKvScales(const Checkpoint &checkpoint, int layers, std::set<std::string> &names);

} // namespace zigzag
