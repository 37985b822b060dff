// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cpu/matmul.h"

namespace zigzag {

/// Products of many tokens by oneDNN. F32 and F16 weights multiply in float32. BF16 weights multiply in bf16 with float32
/// sums where the CPU has bf16 units, which rounds the activations: over 2048 normal random terms the result is off by
/// 1.7e-3 of its root mean square (measured by zigzag_cpu_ops_bench). Without such units they multiply in float32. Weights in
/// blocks and in F8 are decoded tile by tile on the way, to bf16 where the CPU has the units, else to float32.
class Gemm
{
public:
    Gemm();
    ~Gemm();
    void run(const MatmulArgs &args);

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace zigzag
