// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/device_model.h"
#include "engine/run/session.h"

#include <memory>

namespace zigzag {

/// A session on every rank of a model that was dealt out, in step: each has the KV caches of its own heads, adds its part to what
/// the others have after every attention and feed-forward, and knows all logits and the next token (tensor parallelism, arXiv
/// 1909.08053). Each rank's memory is planned by itself, and refused before it is allocated. What a trace sink hears is the first
/// rank's.
Result<std::unique_ptr<Session>> createParallelSession(std::shared_ptr<DeviceModel> model, const HeadMap &map,
                                                       const SessionOptions &options);

} // namespace zigzag
