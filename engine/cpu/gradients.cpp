// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/gradients.h"

#include "engine/cpu/kernels.h"
#include "engine/cpu/matmul.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <oneapi/dnnl/dnnl.h>

namespace zigzag {

namespace {

/// Rows of weights that are converted to float32 at a time.
constexpr std::int64_t tileRows = 1024;

/// gradIn = r · (w ∘ g) − x · r³ · mean(w ∘ g ∘ x), with r = 1 / √(mean(x²) + ε).
void normRowGradient(const float *in, const float *weight, const float *gradOut, float *gradIn, std::int64_t width, float epsilon,
                     bool add)
{
    double squares = 0.0, product = 0.0;
    for (std::int64_t i = 0; i < width; ++i) {
        squares += static_cast<double>(in[i]) * static_cast<double>(in[i]);
        product += static_cast<double>(weight[i]) * static_cast<double>(gradOut[i]) * static_cast<double>(in[i]);
    }
    const double r = 1.0 / std::sqrt(squares / static_cast<double>(width) + static_cast<double>(epsilon));
    const auto scale = static_cast<float>(r), pull = static_cast<float>(r * r * r * product / static_cast<double>(width));
    for (std::int64_t i = 0; i < width; ++i)
        gradIn[i] = (add ? gradIn[i] : 0.0f) + scale * weight[i] * gradOut[i] - pull * in[i];
}

class CpuGradients : public GradientOps
{
public:
    void rmsNorm(const RmsNormGradientArgs &args) override
    {
#pragma omp parallel for if (args.tokens > 1)
        for (std::int64_t t = 0; t < args.tokens; ++t) {
            const std::int64_t at = t * args.width;
            normRowGradient(args.in + at, args.weight, args.gradOut + at, args.gradIn + at, args.width, args.epsilon, args.add);
        }
    }

    void matmul(const MatmulGradientArgs &args) override
    {
        bool add = args.add;
        for (const ProductGradient &product : args.products) {
            const auto &matrix = static_cast<const CpuMatrix &>(*product.matrix);
            for (std::int64_t first = 0; first < matrix.rows; first += tileRows) {
                const std::int64_t rows = std::min(tileRows, matrix.rows - first);
                [[maybe_unused]] const dnnl_status_t status
                    = dnnl_sgemm('N', 'N', args.tokens, matrix.columns, rows, 1.0f, product.gradOut + first, matrix.rows,
                                 floats(matrix, first, rows), matrix.columns, add ? 1.0f : 0.0f, args.gradIn, matrix.columns);
                assert(status == dnnl_success);
                add = true;
            }
        }
    }

    void swiGlu(const SwiGluGradientArgs &args) override
    {
        // out = g σ(g) u: ∂/∂g = σ(g) (1 + g (1 − σ(g))) u, ∂/∂u = g σ(g).
#pragma omp parallel for if (args.count > 16384)
        for (std::int64_t i = 0; i < args.count; ++i) {
            const float gate = args.gate[i], grad = args.gradOut[i], sigmoid = 1.0f / (1.0f + std::exp(-gate));
            args.gradUp[i] = grad * gate * sigmoid;
            args.gradGate[i] = grad * args.up[i] * sigmoid * (1.0f + gate * (1.0f - sigmoid));
        }
    }

    void rotate(const RotateGradientArgs &args) override
    {
        assert(!args.norm || args.in);
        const std::int64_t dim = args.headDim, half = dim / 2;
#pragma omp parallel for if (args.tokens > 1)
        for (std::int64_t t = 0; t < args.tokens; ++t) {
            const float *cosines = args.cosSin + (args.firstPosition + t) * dim, *sines = cosines + half;
            for (std::int64_t head = 0; head < args.heads; ++head) {
                const std::int64_t at = (t * args.heads + head) * dim;
                float *grad = args.gradient + at;
                for (std::int64_t i = 0; i < half; ++i) { // the transpose of the rotation (and of YaRN's scale within it)
                    const float a = grad[i], b = grad[half + i];
                    grad[i] = a * cosines[i] + b * sines[i];
                    grad[half + i] = b * cosines[i] - a * sines[i];
                }
                if (args.norm)
                    normRowGradient(args.in + at, args.norm, grad, grad, dim, args.epsilon, false);
            }
        }
    }

    void attention(const AttentionGradientArgs &args) override
    {
        attentionGradient(args);
    }

    void blend(const BlendArgs &args) override
    {
        const auto kvHeads = static_cast<std::int64_t>(args.gates.size()), width = args.queryHeads / kvHeads * args.headDim;
#pragma omp parallel for if (args.tokens > 1)
        for (std::int64_t t = 0; t < args.tokens; ++t)
            for (std::int64_t head = 0; head < kvHeads; ++head) {
                const float gate = args.gates[static_cast<std::size_t>(head)];
                const std::int64_t at = (t * kvHeads + head) * width;
                for (std::int64_t i = at; i < at + width; ++i)
                    args.out[i] = gate * args.full[i] + (1.0f - gate) * args.streaming[i];
            }
    }

    void blendGradient(const BlendGradientArgs &args) override
    {
        const auto kvHeads = static_cast<std::int64_t>(args.gates.size()), width = args.queryHeads / kvHeads * args.headDim;
#pragma omp parallel for if (kvHeads > 1)
        for (std::int64_t head = 0; head < kvHeads; ++head) {
            const float gate = args.gates[static_cast<std::size_t>(head)];
            double sum = 0.0;
            for (std::int64_t t = 0; t < args.tokens; ++t) {
                const std::int64_t at = (t * kvHeads + head) * width;
                for (std::int64_t i = at; i < at + width; ++i) {
                    const float grad = args.gradOut[i];
                    sum += static_cast<double>(grad) * static_cast<double>(args.full[i] - args.streaming[i]);
                    args.gradFull[i] = gate * grad;
                    args.gradStreaming[i] = (1.0f - gate) * grad;
                }
            }
            args.gradGates[static_cast<std::size_t>(head)] = sum;
        }
    }

private:
    /// Rows [first, first + rows) of a matrix as float32.
    const float *floats(const CpuMatrix &matrix, std::int64_t first, std::int64_t rows)
    {
        const auto *from = static_cast<const std::byte *>(matrix.data) + first * matrix.columns * bytesOf(matrix.type);
        if (matrix.type == DType::F32)
            return reinterpret_cast<const float *>(from);
        auto *to = m_tile.get<float>(static_cast<std::size_t>(rows * matrix.columns));
#pragma omp parallel for
        for (std::int64_t r = 0; r < rows; ++r)
            kernels::toFloat(matrix.type, from + r * matrix.columns * bytesOf(matrix.type), to + r * matrix.columns,
                             static_cast<std::size_t>(matrix.columns));
        return to;
    }

    Scratch m_tile;
};

} // namespace

std::unique_ptr<GradientOps> createCpuGradients()
{
    return std::make_unique<CpuGradients>();
}

} // namespace zigzag
