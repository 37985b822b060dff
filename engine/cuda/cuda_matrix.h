// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/block_layout.h"
#include "engine/cuda/device.h"
#include "engine/cuda/experts.h"
#include "engine/cuda/loader.h"
#include "engine/run/backend.h"

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace zigzag::gpu {

/// A weight matrix in a GPU's memory: plain numbers as they were, or quantised ones in the form that its kernels read.
class CudaMatrix : public Matrix
{
public:
    DType type = DType::BF16; ///< of plain numbers
    std::optional<BlockLayout> layout; ///< of quantised ones

    /// What it can be stored in.
    static std::vector<WeightType> types();
    /// A copy on the device; `weights` may change afterwards.
    static Result<std::unique_ptr<CudaMatrix>> load(Device &device, Loader &loader, const TensorView &weights);

    const void *data() const { return m_memory->data(); }
    /// Of the vectors that it is multiplied with.
    DType vectorType() const { return layout ? activations : type; }
    BlockMatrix blocks() const
    {
        const auto *codes = static_cast<const char *>(data());
        return {codes, codes + layout->codeBytes(), static_cast<int>(layout->groups)};
    }
    /// Whether one launch can multiply with both.
    bool isAlike(const CudaMatrix &other) const;

private:
    void layOut(Loader &loader, const TensorView &weights);

    std::unique_ptr<Buffer> m_memory;
};

/// A layer's experts, at most maxExperts of them.
ExpertList expertList(std::span<const std::unique_ptr<Matrix>> matrices);

} // namespace zigzag::gpu
