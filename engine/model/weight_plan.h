// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/weights.h"

#include <string>
#include <vector>

namespace zigzag {

enum class TensorRole { Matrix, Norm, Bias };

/// One tensor that a config implies: its name in Hugging Face's files, its shape, and where its view belongs.
struct PlannedTensor {
    std::string name;
    TensorView *view = nullptr;
    std::int64_t rows = 0;
    std::int64_t columns = 1; ///< 1 for norms and biases
    TensorRole role = TensorRole::Matrix;
};

/// Sizes weights.layers and lists every tensor to fill; a tied head is not among them.
std::vector<PlannedTensor> planWeights(const ModelConfig &config, Weights &weights);

} // namespace zigzag
