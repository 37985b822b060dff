// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/family.h"

namespace zigzag {

// Each is defined in the file of its name and listed in families.cpp.
const Family &graniteFamily();
const Family &graniteSwaFamily();
const Family &llamaFamily();
const Family &mistralFamily();
const Family &qwen2Family();
const Family &qwen3Family();
const Family &qwen3MoeFamily();

/// The layer that most families have: norm, attention, norm and a gated feed-forward, with the biases and head norms that the
/// config names.
LayerPlan decoderLayer(const ModelConfig &config, int layer);
/// Its two halves, for families whose layers are made of others.
void addAttention(LayerPlan &plan, const ModelConfig &config);
void addFeedForward(LayerPlan &plan, const ModelConfig &config);
/// Router and experts in the place of the feed-forward.
void addExperts(LayerPlan &plan, const ModelConfig &config);

} // namespace zigzag
