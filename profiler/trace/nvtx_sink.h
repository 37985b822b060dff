// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/trace_sink.h"

namespace zigzag {

/// Spans as NVTX ranges for a profiler that is attached from outside (Nsight Systems, say): domain "zigzag", the ops' names as
/// registered strings, the layer as payload, and a category each for retrieval, streaming and mixed layers.
/// Null where no tool is attached to this process, so that spans cost nothing then, and in builds without NVTX. The sink
/// lives until the process ends.
TraceSink *attachedNvtxSink();

/// Whether this build has NVTX at all.
bool hasNvtx();

} // namespace zigzag
