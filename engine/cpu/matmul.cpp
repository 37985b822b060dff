// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/matmul.h"

#include "engine/cpu/activations.h"
#include "engine/cpu/gemm.h"
#include "engine/cpu/kernels.h"

#include <algorithm>
#include <cassert>

namespace zigzag {

namespace {

/// Up to here a product is bound by reading its weights, and oneDNN's own set-up costs more than it gains.
constexpr std::int64_t fewTokens = 8;
/// Rows between two stores of results: their sums stay in the first-level cache.
constexpr std::int64_t stripRows = 64;
/// Bytes of weights of one part: some microseconds of reading.
constexpr std::int64_t smallestPart = 16 << 10, largestPart = 512 << 10;

void multiplyRows(const MatmulArgs &args, const Product &product, std::int64_t begin, std::int64_t end)
{
    const auto &matrix = static_cast<const CpuMatrix &>(*product.matrix);
    float sums[fewTokens * stripRows]; // [tokens, stripRows]
    for (std::int64_t row = begin; row < end; row += stripRows) {
        const std::int64_t rows = std::min(stripRows, end - row);
        const auto *weights = static_cast<const std::byte *>(matrix.data) + row * matrix.columns * bytesOf(matrix.type);
        kernels::dotRows(matrix.type, weights, static_cast<std::size_t>(rows), static_cast<std::size_t>(matrix.columns),
                         floats(args.in), static_cast<std::size_t>(matrix.columns), static_cast<std::size_t>(args.tokens), sums,
                         stripRows);
        for (std::int64_t t = 0; t < args.tokens; ++t) {
            for (std::int64_t r = 0; r < rows; ++r) {
                const std::int64_t at = t * matrix.rows + row + r;
                float sum = sums[t * stripRows + r];
                if (product.bias)
                    sum += product.bias[row + r];
                sum *= product.scale;
                if (product.residual)
                    sum += product.residual[at];
                floats(product.out)[at] = sum;
            }
        }
    }
}

/// All products in one job; a part reads one contiguous stretch of their rows.
void multiplyFew(const MatmulArgs &args)
{
    std::int64_t rows = 0, bytes = 0;
    for (const Product &product : args.products) {
        rows += product.matrix->rows;
        bytes += product.matrix->rows * product.matrix->columns * bytesOf(static_cast<const CpuMatrix &>(*product.matrix).type);
    }
    // Stretches of whole groups of rows (kernels::dotRows): long ones read faster, short ones let late threads catch up.
    const std::int64_t partBytes = std::clamp<std::int64_t>(bytes / 16, smallestPart, largestPart);
    const std::int64_t partRows = std::max<std::int64_t>(1, rows * partBytes / bytes / 8) * 8;
    parallelFor(rows, partRows, [&](std::int64_t begin, std::int64_t end) {
        std::int64_t first = 0;
        for (const Product &product : args.products) {
            const std::int64_t own = product.matrix->rows;
            multiplyRows(args, product, std::clamp<std::int64_t>(begin - first, 0, own),
                         std::clamp<std::int64_t>(end - first, 0, own));
            first += own;
        }
    });
}

} // namespace

struct Matmul::Impl {
    Gemm gemm;
};

Matmul::Matmul()
    : m_impl(std::make_unique<Impl>())
{ }
Matmul::~Matmul() = default;

void Matmul::run(const MatmulArgs &args)
{
    assert(args.tokens >= 0 && !args.products.empty());
    for ([[maybe_unused]] const Product &product : args.products)
        assert(product.matrix->columns == args.products.front().matrix->columns);
    if (args.tokens == 0)
        return;
    if (args.tokens <= fewTokens)
        multiplyFew(args);
    else
        m_impl->gemm.run(args);
}

} // namespace zigzag
