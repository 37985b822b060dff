// SPDX-License-Identifier: GPL-3.0-or-later
// In builds with ZIGZAG_NVTX=OFF.
#include "profiler/trace/nvtx_sink.h"

namespace zigzag {

TraceSink *attachedNvtxSink()
{
    return nullptr;
}

bool hasNvtx()
{
    return false;
}

} // namespace zigzag
