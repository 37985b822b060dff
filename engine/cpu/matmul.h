// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cpu/scratch.h"
#include "engine/model/weights.h"
#include "engine/run/backend.h"

#include <memory>

namespace zigzag {

/// A weight matrix in its own type and layout: the model's memory, or a copy where numbers of a plain type are not aligned.
class CpuMatrix : public Matrix
{
public:
    const void *data = nullptr; // [rows, columns], row-major
    WeightType type = DType::F32;
    WeightScales scales; ///< in the model's memory
    std::unique_ptr<Buffer> copy;

    const void *row(std::int64_t at) const { return static_cast<const std::byte *>(data) + at * rowBytes(type, columns); }
    TensorView view() const { return {static_cast<const std::byte *>(data), type, rows, columns, scales}; }
    /// Some rows as float32, with their scales. [count, columns]
    void widen(std::int64_t first, std::int64_t count, float *to) const;
};

/// Matrix products: few tokens read each weight once at the memory's speed, many tokens go to oneDNN. With weights in blocks, few
/// tokens are rounded to eight bits first, 32 numbers by their largest one (RoundedRows): over normal random activations the
/// result is off by 6e-3 of its root mean square. Where the CPU has no code for that, rows are decoded and nothing is rounded.
/// Weights in F8 become float32 in registers, and the sum over what shares a scale is multiplied with it.
class Matmul
{
public:
    Matmul();
    ~Matmul();
    void run(const MatmulArgs &args);

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace zigzag
