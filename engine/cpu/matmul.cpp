// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/matmul.h"

#include "engine/cpu/activations.h"
#include "engine/cpu/gemm.h"
#include "engine/cpu/kernels.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <vector>

namespace zigzag {

namespace {

/// Up to here a product is bound by reading its weights, and oneDNN's own set-up costs more than it gains.
constexpr std::int64_t fewTokens = 8;
/// With weights in blocks: before it pays to decode all of them for oneDNN.
constexpr std::int64_t fewTokensForBlocks = 32;
/// Rows between two stores of results: their sums stay in the first-level cache.
constexpr std::int64_t stripRows = 64;
/// Bytes of weights of one part: some microseconds of reading.
constexpr std::int64_t smallestPart = 16 << 10, largestPart = 512 << 10;

const CpuMatrix &matrixOf(const Product &product)
{
    return static_cast<const CpuMatrix &>(*product.matrix);
}

bool isForFew(const Product &product, std::int64_t tokens)
{
    return tokens <= (matrixOf(product).type.isBlocks() ? fewTokensForBlocks : fewTokens);
}

/// What a call multiplies with: the rows as they are, and, for weights in blocks, rounded.
struct Input {
    const float *exact = nullptr; // [tokens, columns]
    RoundedRows rounded; ///< without memory where nothing is rounded
};

/// sums[t, stripRows]: products of some rows of a matrix with some tokens from `token` on.
void dotStrip(const CpuMatrix &matrix, std::int64_t row, std::int64_t rows, const Input &in, std::int64_t token,
              std::int64_t tokens, float *sums, Scratch &decoded)
{
    const auto columns = static_cast<std::size_t>(matrix.columns), count = static_cast<std::size_t>(tokens);
    const float *exact = in.exact + token * matrix.columns;
    if (matrix.scales)
        return kernels::dotScaledRows(matrix.view(), static_cast<std::size_t>(row), static_cast<std::size_t>(rows), exact,
                                      columns, count, sums, stripRows);
    if (const auto plain = matrix.type.plain())
        return kernels::dotRows(*plain, matrix.row(row), static_cast<std::size_t>(rows), columns, exact, columns, count, sums,
                                stripRows);
    if (in.rounded.memory)
        return kernels::dotBlockRows(*matrix.type.block(), matrix.row(row), static_cast<std::size_t>(rows),
                                     in.rounded.from(static_cast<std::size_t>(token)), count, sums, stripRows);
    auto *const numbers = decoded.get<float>(columns);
    for (std::int64_t r = 0; r < rows; ++r) {
        matrix.widen(row + r, 1, numbers);
        kernels::dotRows(DType::F32, numbers, 1, columns, exact, columns, count, sums + r, stripRows);
    }
}

/// One token's sums of some rows from `row` on, as the product wants them.
void storeSums(const Product &product, std::int64_t token, std::int64_t row, std::int64_t rows, float *sums)
{
    const std::int64_t at = token * product.matrix->rows + row;
    if (product.bias)
        for (std::int64_t r = 0; r < rows; ++r)
            sums[r] += product.bias[row + r];
    for (std::int64_t r = 0; r < rows; ++r)
        sums[r] *= product.scale;
    if (product.residual)
        for (std::int64_t r = 0; r < rows; ++r)
            sums[r] += product.residual[at + r];
    std::copy(sums, sums + rows, floats(product.out) + at);
}

void multiplyRows(const MatmulArgs &args, const Product &product, const Input &in, std::int64_t begin, std::int64_t end,
                  Scratch &decoded)
{
    const CpuMatrix &matrix = matrixOf(product);
    float sums[fewTokens * stripRows]; // [tokens, stripRows]
    for (std::int64_t row = begin; row < end; row += stripRows) {
        const std::int64_t rows = std::min(stripRows, end - row);
        for (std::int64_t first = 0; first < args.tokens; first += fewTokens) {
            const std::int64_t tokens = std::min(fewTokens, args.tokens - first);
            dotStrip(matrix, row, rows, in, first, tokens, sums, decoded);
            for (std::int64_t t = 0; t < tokens; ++t)
                storeSums(product, first + t, row, rows, sums + t * stripRows);
        }
    }
}

} // namespace

void CpuMatrix::widen(std::int64_t first, std::int64_t count, float *to) const
{
    kernels::widen(type, row(first), to, static_cast<std::size_t>(count * columns));
    if (!scales)
        return;
    for (std::int64_t r = 0; r < count; ++r, to += columns) {
        const float *own = scales.ofRow(first + r, columns);
        for (std::int64_t begin = 0; begin < columns; begin += scales.columnsPerScale, ++own) {
            const std::int64_t end = std::min(begin + scales.columnsPerScale, columns);
            std::transform(to + begin, to + end, to + begin, [scale = *own](float value) { return scale * value; });
        }
    }
}

struct Matmul::Impl {
    Gemm gemm;
    Scratch rounded;
    ThreadScratch decoded;

    void multiplyFew(const MatmulArgs &args);
    Input inputOf(const MatmulArgs &args);
};

/// Rounds the call's rows once for all of its products, where any of them asks for that.
Input Matmul::Impl::inputOf(const MatmulArgs &args)
{
    Input in{floats(args.in), {}};
    const auto isBlocks = [](const Product &product) { return matrixOf(product).type.isBlocks(); };
    if (!std::any_of(args.products.begin(), args.products.end(), isBlocks) || !kernels::multipliesBlocks())
        return in;
    const std::int64_t columns = args.products.front().matrix->columns;
    in.rounded.columns = static_cast<std::size_t>(columns);
    in.rounded.memory = rounded.get<std::byte>(in.rounded.rowBytes() * static_cast<std::size_t>(args.tokens));
    parallelFor(args.tokens, rowsPerPart(columns), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t t = begin; t < end; ++t)
            kernels::roundRow(in.exact + t * columns, in.rounded.from(static_cast<std::size_t>(t)));
    });
    return in;
}

/// All products in one job; a part reads one contiguous stretch of their rows.
void Matmul::Impl::multiplyFew(const MatmulArgs &args)
{
    const Input in = inputOf(args);
    std::int64_t rows = 0, bytes = 0;
    for (const Product &product : args.products) {
        rows += product.matrix->rows;
        bytes += product.matrix->rows * rowBytes(matrixOf(product).type, product.matrix->columns);
    }
    // Stretches of whole groups of rows (kernels::dotRows, dotBlockRows): long ones read faster, short ones let late threads
    // catch up.
    const std::int64_t partBytes = std::clamp<std::int64_t>(bytes / 16, smallestPart, largestPart);
    const std::int64_t groupRows = in.rounded.memory ? 16 : 8;
    const std::int64_t partRows = std::max<std::int64_t>(1, rows * partBytes / bytes / groupRows) * groupRows;
    parallelFor(rows, partRows, [&](std::int64_t begin, std::int64_t end) {
        std::int64_t first = 0;
        for (const Product &product : args.products) {
            const std::int64_t own = product.matrix->rows;
            multiplyRows(args, product, in, std::clamp<std::int64_t>(begin - first, 0, own),
                         std::clamp<std::int64_t>(end - first, 0, own), decoded.mine());
            first += own;
        }
    });
}

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
    const auto isFew = [&](const Product &product) { return isForFew(product, args.tokens); };
    if (std::all_of(args.products.begin(), args.products.end(), isFew))
        return m_impl->multiplyFew(args);
    if (std::none_of(args.products.begin(), args.products.end(), isFew))
        return m_impl->gemm.run(args);
    std::vector<Product> few, many;
    std::partition_copy(args.products.begin(), args.products.end(), std::back_inserter(few), std::back_inserter(many), isFew);
    m_impl->multiplyFew({args.in, args.tokens, few});
    m_impl->gemm.run({args.in, args.tokens, many});
}

} // namespace zigzag
