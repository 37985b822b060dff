// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/backend.h"

#include <cstdint>
#include <span>

namespace zigzag {

// Gradients of the forward pass with respect to its activations; the weights are frozen. Values are row-major, and float32
// where they have a type of their own in the arguments; void pointers are to values of `type`, the backend's for activations.
// Pointers are device pointers unless they say host. `gradOut` is the gradient of a loss with respect to an op's output,
// `gradIn` what comes out. With `add` the result is added to what gradIn holds, which is how the residual stream gathers.

struct RmsNormGradientArgs {
    const float *in = nullptr; // [tokens, width], the op's input
    const float *weight = nullptr; // [width]
    const float *gradOut = nullptr; // [tokens, width]
    float *gradIn = nullptr; // [tokens, width]
    std::int64_t tokens = 0, width = 0;
    float epsilon = 0;
    bool add = false;
};

/// One product of a matmul, seen from its output.
struct ProductGradient {
    const Matrix *matrix = nullptr; // [rows, columns]
    const float *gradOut = nullptr; // [tokens, rows]
    float scale = 1; ///< of the product
};

/// gradIn = Σ products scale · gradOut · matrix.
struct MatmulGradientArgs {
    std::span<const ProductGradient> products;
    float *gradIn = nullptr; // [tokens, columns]
    std::int64_t tokens = 0;
    bool add = false;
};

struct SwiGluGradientArgs {
    const void *gate = nullptr; // [tokens, width], before the activation
    const void *up = nullptr; // [tokens, width]
    const float *gradOut = nullptr; // [tokens, width]
    float *gradGate = nullptr; // [tokens, width], may be gradOut
    float *gradUp = nullptr; // [tokens, width]
    std::int64_t count = 0; ///< tokens · width
    DType type = DType::F32;
};

/// Head norm (optional) and RoPE, in place: the gradient of the rotated heads becomes that of the heads before both.
struct RotateGradientArgs {
    float *gradient = nullptr; // [tokens, heads, head_dim]
    const void *in = nullptr; // [tokens, heads, head_dim], before the norm; null without a norm
    const float *norm = nullptr; // [head_dim], or null
    const float *cosSin = nullptr; // [context, 2, rotary_dim / 2], or null: no rotation
    std::int64_t tokens = 0, firstPosition = 0;
    int heads = 0, headDim = 0;
    float epsilon = 0;
    int rotaryDim = 0; ///< as in RopeAppendArgs
    bool interleaved = false; ///< as in RopeAppendArgs
    DType type = DType::F32;
};

/// Causal attention from position 0, each KV head with its own key range. The caches are of `type` and hold every
/// position in its own slot (slots >= tokens, nothing staged).
struct AttentionGradientArgs {
    const void *queries = nullptr; // [tokens, query_heads, head_dim], rotated
    std::span<const HeadCache> heads; // [kv_heads], host
    const void *gradOut = nullptr; // [tokens, query_heads, head_dim]
    float *gradQueries = nullptr; // [tokens, query_heads, head_dim]
    float *gradKeys = nullptr; // [tokens, kv_heads, head_dim], of the rotated keys
    float *gradValues = nullptr; // [tokens, kv_heads, head_dim]
    std::int64_t tokens = 0;
    int queryHeads = 0, kvHeads = 0, headDim = 0;
    float scale = 0; ///< as in AttentionArgs
    const float *sinkLogits = nullptr; // [query_heads] or null
    bool add = false;
    std::span<double> gradSinkLogits = {}; // [query_heads], host, complete on return; empty where nobody asks
    DType type = DType::F32;
};

/// out = gate · full + (1 − gate) · streaming, a gate per KV head (DuoAttention, arXiv 2410.10819, section 2.3).
struct BlendArgs {
    const void *full = nullptr; // [tokens, query_heads, head_dim]
    const void *streaming = nullptr; // [tokens, query_heads, head_dim]
    std::span<const float> gates; // [kv_heads], host
    void *out = nullptr; // [tokens, query_heads, head_dim]
    std::int64_t tokens = 0;
    int queryHeads = 0, headDim = 0;
    DType type = DType::F32;
};

struct BlendGradientArgs {
    const void *full = nullptr, *streaming = nullptr; // [tokens, query_heads, head_dim]
    std::span<const float> gates; // [kv_heads], host
    const float *gradOut = nullptr; // [tokens, query_heads, head_dim]
    void *gradFull = nullptr; // [tokens, query_heads, head_dim], may be `full`
    void *gradStreaming = nullptr; // [tokens, query_heads, head_dim], may be `streaming`, or gradOut where `type` is float32
    std::span<double> gradGates; // [kv_heads], host, complete on return
    std::int64_t tokens = 0;
    int queryHeads = 0, headDim = 0;
    DType type = DType::F32;
};

/// The ops of a backward pass, beside those of a Backend that has them.
class GradientOps
{
public:
    virtual ~GradientOps() = default;
    virtual void rmsNorm(const RmsNormGradientArgs &args) = 0;
    virtual void matmul(const MatmulGradientArgs &args) = 0;
    virtual void swiGlu(const SwiGluGradientArgs &args) = 0;
    virtual void rotate(const RotateGradientArgs &args) = 0;
    virtual void attention(const AttentionGradientArgs &args) = 0;
    virtual void blend(const BlendArgs &args) = 0;
    virtual void blendGradient(const BlendGradientArgs &args) = 0;
    /// Whether activations may be of `type`, one that the backend has for some model.
    virtual bool takes(DType type) const { return type == DType::F32; }
};

} // namespace zigzag
