// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/gradients.h"

#include <memory>

namespace zigzag {

/// The backward ops on all cores: oneDNN for matrix products.
std::unique_ptr<GradientOps> createCpuGradients();

/// Attention's gradient, a KV head a thread: the scores of a tile of queries are computed again, so that nothing of the
/// forward pass but queries, keys and values must be kept (arXiv 2205.14135, appendix B.4).
void attentionGradient(const AttentionGradientArgs &args);

} // namespace zigzag
