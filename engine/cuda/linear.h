// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/cuda/device.h"

#include <cublasLt.h>
#include <map>
#include <tuple>

namespace zigzag::gpu {

/// One product of many rows, out = scale · in · weightᵀ (+ out), by cuBLASLt with float32 accumulation. Backward it is
/// out = scale · in · weight (+ out): from outputs of the forward one to its inputs.
struct LinearShape {
    std::int64_t rows = 0; ///< of the weight: output features
    std::int64_t columns = 0; ///< of the weight: input features
    std::int64_t tokens = 0;
    DType type = DType::BF16; ///< of weight and input
    DType outType = DType::BF16;
    bool accumulate = false;
    std::int64_t outPitch = 0; ///< numbers from one token's outputs to the next one's: at least rows (backward: columns)
    bool backward = false;
    std::int64_t inPitch = 0; ///< of a backward product, numbers from one token's inputs to the next one's: at least rows

    auto operator<=>(const LinearShape &) const = default;
};

/// The library's handle, its fixed workspace, and the algorithm chosen for each shape: the fastest of those it proposes,
/// timed at the shape's first use where there is memory for a trial output and no recording is under way.
class Linear
{
public:
    static constexpr std::size_t workspaceBytes = 32u << 20;

    explicit Linear(Device &device);
    ~Linear();
    Linear(const Linear &) = delete;
    Linear &operator=(const Linear &) = delete;

    Result<void> start();
    /// weight: [rows, columns], in: [tokens, columns], out: [tokens, rows]; backward in: [tokens, rows], out: [tokens, columns]
    void run(const LinearShape &shape, const void *weight, const void *in, void *out, float scale);

private:
    struct Plan;
    Plan *planFor(const LinearShape &shape, const void *weight, const void *in);
    void choose(Plan &plan, const LinearShape &shape, const void *weight, const void *in);
    int multiply(const Plan &plan, const cublasLtMatmulAlgo_t &algorithm, const void *weight, const void *in, void *out,
                 bool accumulate, float scale = 1);

    Device &m_device;
    cublasLtHandle_t m_handle = nullptr;
    std::unique_ptr<Buffer> m_workspace;
    std::map<LinearShape, std::unique_ptr<Plan>> m_plans;
};

} // namespace zigzag::gpu
