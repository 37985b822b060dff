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
    std::unique_ptr<Buffer> copy;

    const void *row(std::int64_t at) const { return static_cast<const std::byte *>(data) + at * rowBytes(type, columns); }
};

/// Matrix products: few tokens read each weight once at the memory's speed, many tokens go to oneDNN. With weights in blocks, few
/// tokens are rounded to eight bits first, 32 numbers by their largest one (RoundedRows): over normal random activations the
/// result is off by 6e-3 of its root mean square. Where the CPU has no code for that, rows are decoded and nothing is rounded.
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
