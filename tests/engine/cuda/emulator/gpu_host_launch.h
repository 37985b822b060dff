// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// launch.h on the CPU: the kernel has ended when it returns, and what went wrong is thrown as emulator::Failure.

#include "tests/engine/cuda/emulator/block.h"

namespace zigzag::gpu {

using Stream = void *;

template <class Args>
int launch(void (*kernel)(Args), Grid grid, int threads, std::size_t sharedBytes, Stream, const std::type_identity_t<Args> &args,
           Start start = Start::AfterPrevious)
{
    emulator::run({{grid.x, grid.y, grid.z}, threads, sharedBytes, start == Start::Early}, [&] { kernel(args); });
    return 0;
}

} // namespace zigzag::gpu
