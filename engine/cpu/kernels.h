// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/cpu/rounded_rows.h"
#include "engine/model/weights.h"

#include <cstddef>
#include <cstdint>

/// The SIMD kernels of the CPU backend: single-threaded, chosen for this CPU on their first call.
namespace zigzag::kernels {

/// Panels of attention hold this many query rows side by side: a multiple of every SIMD width.
inline constexpr std::size_t panelRows = 64;
/// Keys per block of prefill attention: its float32 keys and values stay in the second-level cache.
inline constexpr std::size_t blockKeys = 64;

// pointwise.cpp
void toFloat(DType type, const void *from, float *to, std::size_t count);
void fromFloat(DType type, const float *from, void *to, std::size_t count);
void rmsNormRow(const float *in, const float *weight, float *out, std::size_t width, float epsilon);
/// out = gate / (1 + exp(-gate)) · up
void swiGluRow(const float *gate, const float *up, float *out, std::size_t count);
/// out = gate · (1 + tanh(√(2/π) · (gate + 0.044715 gate³))) / 2 · up
void geluGluRow(const float *gate, const float *up, float *out, std::size_t count);
/// values become cap · tanh(value / cap).
void softCapRow(float *values, std::size_t count, float cap);
/// Rotates (x[i], x[i + half]) by the angle whose cosine and sine are given; half-split as in Llama.
void rotateRow(float *x, const float *cosines, const float *sines, std::size_t half);
/// The same of neighbours: (x[2i], x[2i + 1]).
void rotateNeighbours(float *x, const float *cosines, const float *sines, std::size_t half);

// gemv.cpp
/// out[t · outStride + r] = dot(w row r, x row t)
void dotRows(DType type, const void *w, std::size_t rows, std::size_t columns, const float *x, std::size_t xStride,
             std::size_t tokens, float *out, std::size_t outStride);

// scaled_products.cpp
/// out[t · outStride + r] = dot(matrix row first + r, x row t), of a matrix in F8 with scales: nothing is rounded but sums.
void dotScaledRows(const TensorView &matrix, std::size_t first, std::size_t rows, const float *x, std::size_t xStride,
                   std::size_t tokens, float *out, std::size_t outStride);

// block_products.cpp
/// Whether `roundRow` and `dotBlockRows` have code for this CPU.
bool multipliesBlocks();
/// Rounds a row; what is no number stays none.
void roundRow(const float *x, const RoundedRows &to);
/// out[t · outStride + r] = dot(w row r, x row t): products of codes are exact, sums of parts are float32.
void dotBlockRows(BlockType type, const void *w, std::size_t rows, const RoundedRows &x, std::size_t tokens, float *out,
                  std::size_t outStride);
/// Weights of any type as float32, whole blocks of them and without scales beside them; at most a rounding from what
/// decodeNumbers makes of them.
void widen(WeightType type, const void *from, float *to, std::size_t count);

// attention_kernels.cpp
/// Decode. out[h] = out[h] · scale[h] + Σ keys weights[h · weightStride + key] · values[key], for `heads` rows of `dim`.
void accumulateValues(DType type, const void *values, std::size_t keys, std::size_t dim, const float *weights,
                      std::size_t weightStride, std::size_t heads, const float *scale, float *out);
/// Decode. The largest of `count` > 0 scores.
float maxRow(const float *scores, std::size_t count);
/// Decode. Turns `count` scores into exp(score − max) in place and returns their sum.
float expRow(float *scores, std::size_t count, float max);

/// Prefill. scores[key][panelRows] = keys[key] · queries; queries: [dim, panelRows]; keys: a multiple of 4 of [dim] rows.
void panelScores(const float *queries, const float *keys, std::size_t keyCount, std::size_t dim, float *scores);
/// Prefill. One block's step of the online softmax of a panel: scores become weights, rowMax and rowSum advance, and
/// out = out · scale + weightsᵀ · values. values, out: rows of `stride`, a multiple of 16.
void panelSoftmaxAccumulate(float *scores, std::size_t keyCount, const float *values, std::size_t stride, float *rowMax,
                            float *rowSum, float *out);
/// Prefill. Keeps the largest score of each row and the position of its key; earlier calls win ties.
void panelStrongest(const float *scores, std::size_t keyCount, std::int32_t firstPosition, float *best, std::int32_t *position);

} // namespace zigzag::kernels
