// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cpu/scratch.h"
#include "engine/run/backend.h"

namespace zigzag {

/// Attention of one token: KV heads × key splits in parallel, partial softmax states merged in a fixed order.
void attendOne(const AttentionArgs &args, ThreadScratch &threads, Scratch &partials);

/// Attention of many tokens: tiles of queries × key blocks, the longest tiles first.
void attendMany(const AttentionArgs &args, ThreadScratch &threads);

} // namespace zigzag
