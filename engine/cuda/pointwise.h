// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// The launches of all kernels but attention's and the matrix-vector product's. Each returns a cudaError_t, 0 when the launch
// was taken. `early`: the kernel may start while the one before it still runs; it waits for that one's results by itself.

#include "engine/base/dtype.h"
#include "engine/cuda/experts.h"
#include "engine/cuda/kernels/cache_view.h"
#include "engine/run/backend.h"

#include <cuda_runtime_api.h>

namespace zigzag::gpu {

struct LaunchOn {
    cudaStream_t stream;
    bool early;
};

int launchEmbed(DType type, const EmbedArgs &args, const void *table, LaunchOn on);
int launchRmsNorm(const RmsNormArgs &args, LaunchOn on);
int launchSwiGlu(const SwiGluArgs &args, LaunchOn on);
int launchSoftCap(const SoftCapArgs &args, LaunchOn on);
int launchRopeAppend(const RopeAppendArgs &args, const HeadCaches &caches, LaunchOn on);
int launchCommit(const CommitArgs &args, const HeadCaches &caches, LaunchOn on);
int launchCopyHeads(const CopyHeadsArgs &args, LaunchOn on);
/// `type`: of activations, and of weights that are not quantised.
int launchExperts(DType type, const ExpertsArgs &args, const ExpertWeights &weights, ExpertMemory memory, LaunchOn on);
int launchNextToken(const NextTokenArgs &args, LaunchOn on);
/// out[t, r] += bias[r]. out: [tokens, rows] of `type`
int launchAddBias(DType type, void *out, const float *bias, float scale, std::int64_t tokens, std::int64_t rows, LaunchOn on);

} // namespace zigzag::gpu
