// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cpu/matmul.h"

namespace zigzag {

/// Products of many tokens by oneDNN.
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
