// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/device.h"
#include "engine/cuda/linear.h"

#include <atomic>
#include <optional>

namespace zigzag::gpu {

/// What this GPU gives at most: reads of a buffer many times its last-level cache, reads that stay in it, and cuBLASLt's
/// products of large square matrices of random numbers. None where memory is short or `cancel` is set.
std::optional<DeviceCeilings> measureCeilings(Device &device, Linear &linear, const std::atomic<bool> *cancel);

} // namespace zigzag::gpu
