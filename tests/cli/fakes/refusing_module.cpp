// SPDX-License-Identifier: GPL-3.0-or-later
// Stands where the CUDA module stands, on a machine whose GPU is too old.
#include "engine/run/backend_module.h"

namespace {

zigzag::Result<std::unique_ptr<zigzag::Backend>> refuse()
{
    return zigzag::failed("Tesla V100 has compute capability 7.0 and 8.0 is the least that this build runs on");
}

} // namespace

ZIGZAG_BACKEND_MODULE(refuse)
