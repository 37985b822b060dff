// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cpu/scratch.h"
#include "engine/model/weights.h"
#include "engine/run/backend.h"

#include <memory>

namespace zigzag {

/// A weight matrix in its own type and layout: the model's memory, or a copy where that is not aligned.
class CpuMatrix : public Matrix
{
public:
    const void *data = nullptr; // [rows, columns], row-major
    DType type = DType::F32;
    std::unique_ptr<Buffer> copy;
};

/// Matrix products: few tokens read each weight once at the memory's speed, many tokens go to oneDNN.
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
