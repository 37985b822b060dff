// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/backend.h"

namespace zigzag {

/// The ops on all cores of this machine: a pool of threads (engine/base/thread_pool.h), SIMD chosen at run time, oneDNN for large
/// matrix products.
std::unique_ptr<Backend> createCpuBackend();

} // namespace zigzag
