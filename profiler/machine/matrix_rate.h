// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/model/model_config.h"

#include <atomic>

namespace zigzag {

/// FLOP/s of the matrix library itself on the products of one layer of `config` (256 tokens on each of `threads` threads; sides
/// cut to 4,096, above which the rate no longer changes): the ceiling that our own products are compared with, so none of our
/// code is in it.
/// 0 where the processor or the library cannot multiply the type, or when cancelled.
double measureMatrixRate(const ModelConfig &config, DType type, int threads, const std::atomic<bool> *cancel);

} // namespace zigzag
