// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/weights.h"

#include <string>
#include <vector>

namespace zigzag {

/// One tensor that a config implies: its names in files, its shape, and where its view belongs.
struct PlannedTensor {
    std::string name; ///< in Hugging Face's files
    std::string ggufName; ///< in GGUF files, where experts share one: this is its slice `index` of `count`
    std::int64_t rows = 0;
    std::int64_t columns = 1; ///< 1 for norms and biases
    TensorRole role = TensorRole::Matrix;
    TensorView Weights::*outside = nullptr; ///< of a tensor outside the layers
    int layer = -1; ///< of one inside them, which the layer has `count` of
    WeightId id = WeightId::InputNorm;
    int index = 0, count = 1;
    std::int64_t storedFrom = 0, storedRows = 0, storedPiece = 0, storedPeriod = 0; ///< as in WeightSpec
    WeightType type = DType::F32; ///< that its view is to have

    /// Where a row lies in the tensor that holds it.
    std::int64_t storedRow(std::int64_t row) const
    {
        return storedFrom + (storedPiece > 0 ? row / storedPiece * storedPeriod + row % storedPiece : row);
    }
    bool isInPieces() const { return storedPiece > 0 && storedPiece < rows; }

    /// Its view; places that the weights do not have yet are made.
    TensorView &in(Weights &weights) const;
    const TensorView &in(const Weights &weights) const;
};

/// Every tensor to fill, in the order of the fingerprint; a tied head is not among them.
std::vector<PlannedTensor> planWeights(const ModelConfig &config);

} // namespace zigzag
