// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// The launches of the backward kernels. Each returns a cudaError_t, 0 when the launch was taken. `type`: of activations, BF16 or
// float32.

#include "engine/cuda/kernels/attention_gradient_args.h"
#include "engine/cuda/pointwise.h"
#include "engine/run/gradients.h"

namespace zigzag::gpu {

int launchRmsNormGradient(const RmsNormGradientArgs &args, LaunchOn on);
int launchSwiGluGradient(const SwiGluGradientArgs &args, LaunchOn on);
int launchRotateGradient(const RotateGradientArgs &args, LaunchOn on);
int launchBlend(const BlendArgs &args, LaunchOn on);
/// `sums`: [kv_heads, blendSums(tokens)], device: together the gradient of a head's gate.
int launchBlendGradient(const BlendGradientArgs &args, double *sums, LaunchOn on);
int blendSums(std::int64_t tokens);

/// On tensor cores where type and head dimension allow it. `rows` has whole tiles.
int launchAttentionGradient(DType type, const AttentionGradientKernelArgs &args, LaunchOn on);
/// After attention's: the gradient of each query head's sink logit. out: [query_heads], device
int launchSinkLogitGradient(const AttentionGradientKernelArgs &args, double *out, LaunchOn on);

} // namespace zigzag::gpu
