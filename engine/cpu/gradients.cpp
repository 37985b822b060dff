// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/gradients.h"

#include "engine/base/onednn.h"
#include "engine/cpu/kernels.h"
#include "engine/cpu/matmul.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace zigzag {

namespace {

/// Rows of weights that are converted to float32 at a time.
constexpr std::int64_t tileRows = 1024;
/// The product of a part: a few tenths of a millisecond.
constexpr std::int64_t partTokens = 128, partColumns = 256;

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
        parallelFor(args.tokens, rowsPerPart(args.width), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t at = begin * args.width; at < end * args.width; at += args.width)
                normRowGradient(args.in + at, args.weight, args.gradOut + at, args.gradIn + at, args.width, args.epsilon,
                                args.add);
        });
    }

    void matmul(const MatmulGradientArgs &args) override
    {
        bool add = args.add;
        for (const ProductGradient &product : args.products) {
            const auto &matrix = static_cast<const CpuMatrix &>(*product.matrix);
            for (std::int64_t first = 0; first < matrix.rows; first += tileRows) {
                const std::int64_t rows = std::min(tileRows, matrix.rows - first);
                multiply(args, product, first, matrix, floats(matrix, first, rows), rows, add);
                add = true;
            }
        }
    }

    void swiGlu(const SwiGluGradientArgs &args) override
    {
        // out = g σ(g) u: ∂/∂g = σ(g) (1 + g (1 − σ(g))) u, ∂/∂u = g σ(g).
        const auto *gates = static_cast<const float *>(args.gate), *ups = static_cast<const float *>(args.up);
        parallelFor(args.count, 16384, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const float gate = gates[i], grad = args.gradOut[i], sigmoid = 1.0f / (1.0f + std::exp(-gate));
                args.gradUp[i] = grad * gate * sigmoid;
                args.gradGate[i] = grad * ups[i] * sigmoid * (1.0f + gate * (1.0f - sigmoid));
            }
        });
    }

    void rotate(const RotateGradientArgs &args) override
    {
        assert(!args.norm || args.in);
        const std::int64_t dim = args.headDim, turned = args.rotaryDim > 0 ? args.rotaryDim : dim,
                           half = args.cosSin ? turned / 2 : 0, step = args.interleaved ? 2 : 1,
                           apart = args.interleaved ? 1 : half;
        const auto rotateRow = [&](std::int64_t t) {
            const float *cosines = half > 0 ? args.cosSin + (args.firstPosition + t) * turned : nullptr, *sines = cosines + half;
            for (std::int64_t head = 0; head < args.heads; ++head) {
                const std::int64_t at = (t * args.heads + head) * dim;
                float *grad = args.gradient + at;
                for (std::int64_t i = 0; i < half; ++i) { // the transpose of the rotation (and of YaRN's scale within it)
                    float &first = grad[step * i], &second = grad[step * i + apart];
                    const float a = first, b = second;
                    first = a * cosines[i] + b * sines[i];
                    second = b * cosines[i] - a * sines[i];
                }
                if (args.norm)
                    normRowGradient(static_cast<const float *>(args.in) + at, args.norm, grad, grad, dim, args.epsilon, false);
            }
        };
        parallelFor(args.tokens, rowsPerPart(args.heads * dim), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t t = begin; t < end; ++t)
                rotateRow(t);
        });
    }

    void attention(const AttentionGradientArgs &args) override { attentionGradient(args); }

    void blend(const BlendArgs &args) override
    {
        const auto kvHeads = static_cast<std::int64_t>(args.gates.size()), width = args.queryHeads / kvHeads * args.headDim;
        const auto *full = static_cast<const float *>(args.full), *streaming = static_cast<const float *>(args.streaming);
        auto *out = static_cast<float *>(args.out);
        parallelFor(args.tokens, rowsPerPart(kvHeads * width), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin * kvHeads; row < end * kvHeads; ++row) { // of a token and a head
                const float gate = args.gates[static_cast<std::size_t>(row % kvHeads)];
                for (std::int64_t i = row * width; i < (row + 1) * width; ++i)
                    out[i] = gate * full[i] + (1.0f - gate) * streaming[i];
            }
        });
    }

    void blendGradient(const BlendGradientArgs &args) override
    {
        const auto kvHeads = static_cast<std::int64_t>(args.gates.size()), width = args.queryHeads / kvHeads * args.headDim;
        const auto *full = static_cast<const float *>(args.full), *streaming = static_cast<const float *>(args.streaming);
        auto *gradFull = static_cast<float *>(args.gradFull), *gradStreaming = static_cast<float *>(args.gradStreaming);
        parallelParts(kvHeads, [&](std::int64_t head) {
            const float gate = args.gates[static_cast<std::size_t>(head)];
            double sum = 0.0;
            for (std::int64_t t = 0; t < args.tokens; ++t) {
                const std::int64_t at = (t * kvHeads + head) * width;
                for (std::int64_t i = at; i < at + width; ++i) {
                    const float grad = args.gradOut[i];
                    sum += static_cast<double>(grad) * static_cast<double>(full[i] - streaming[i]);
                    gradFull[i] = gate * grad;
                    gradStreaming[i] = (1.0f - gate) * grad;
                }
            }
            args.gradGates[static_cast<std::size_t>(head)] = sum;
        });
    }

private:
    /// gradIn (+)= scale · gradOut · weights, for `rows` rows of the product's matrix from `first` on.
    static void multiply(const MatmulGradientArgs &args, const ProductGradient &product, std::int64_t first,
                         const CpuMatrix &matrix, const float *weights, std::int64_t rows, bool add)
    {
        const float *gradOut = product.gradOut + first;
        const std::int64_t across = (matrix.columns + partColumns - 1) / partColumns;
        const std::int64_t down = (args.tokens + partTokens - 1) / partTokens;
        parallelParts(across * down, [&](std::int64_t part) {
            const std::int64_t column = part % across * partColumns, token = part / across * partTokens;
            onednn::stayOnThisThread();
            const dnnl_status_t status
                = dnnl_sgemm('N', 'N', std::min(partTokens, args.tokens - token), std::min(partColumns, matrix.columns - column),
                             rows, product.scale, gradOut + token * matrix.rows, matrix.rows, weights + column, matrix.columns,
                             add ? 1.0f : 0.0f, args.gradIn + token * matrix.columns + column, matrix.columns);
            if (status != dnnl_success) // as the C++ interface does, in every build type
                throw dnnl::error(status, "a product of the backward pass failed");
        });
    }

    /// Rows [first, first + rows) of a matrix as float32.
    const float *floats(const CpuMatrix &matrix, std::int64_t first, std::int64_t rows)
    {
        if (matrix.type == DType::F32)
            return static_cast<const float *>(matrix.row(first));
        auto *to = m_tile.get<float>(static_cast<std::size_t>(rows * matrix.columns));
        parallelFor(rows, rowsPerPart(matrix.columns), [&](std::int64_t begin, std::int64_t end) {
            matrix.widen(first + begin, end - begin, to + begin * matrix.columns);
        });
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
