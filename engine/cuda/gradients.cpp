// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/gradients.h"

#include "engine/cuda/blocks.h"
#include "engine/cuda/cache_views.h"
#include "engine/cuda/cuda_matrix.h"
#include "engine/cuda/gradient_launches.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <vector>

namespace zigzag::gpu {

namespace {

/// Gradients of so many bytes become the weights' type at a time: enough tokens that a product keeps the device busy.
constexpr std::size_t narrowBytes = 128u << 20;

constexpr const char *where = "the backward pass";

} // namespace

CudaGradients::CudaGradients(Device &device, Linear &linear, const std::unique_ptr<Buffer> &widened, std::function<void()> flush)
    : m_device(device)
    , m_linear(linear)
    , m_widened(widened)
    , m_flush(std::move(flush))
{ }

std::size_t CudaGradients::scratchBytes() const
{
    std::size_t sum = 0;
    for (const auto *buffer : {&m_narrow, &m_rows, &m_sums})
        sum += *buffer ? (*buffer)->bytes() : 0;
    return sum;
}

void *CudaGradients::room(std::unique_ptr<Buffer> &buffer, std::size_t bytes)
{
    if (!buffer || buffer->bytes() < bytes) {
        buffer.reset();
        auto allocated = m_device.allocate(bytes);
        if (!allocated) {
            m_device.check(cudaErrorMemoryAllocation, where);
            return nullptr;
        }
        buffer = std::move(*allocated);
    }
    return buffer->data();
}

void CudaGradients::download(std::span<double> to, const void *from)
{
    m_device.check(cudaMemcpyAsync(to.data(), from, to.size_bytes(), cudaMemcpyDeviceToHost, m_device.stream()), where);
    m_device.check(cudaStreamSynchronize(m_device.stream()), where);
}

void CudaGradients::rmsNorm(const RmsNormGradientArgs &args)
{
    m_flush();
    m_device.check(launchRmsNormGradient(args, on()), where);
}

void CudaGradients::matmul(const MatmulGradientArgs &args)
{
    m_flush();
    bool add = args.add;
    for (const ProductGradient &product : args.products) {
        multiply(args, product, add);
        add = true;
    }
}

void CudaGradients::multiply(const MatmulGradientArgs &args, const ProductGradient &product, bool add)
{
    const auto &matrix = static_cast<const CudaMatrix &>(*product.matrix);
    const DType type = matrix.vectorType();
    const std::int64_t rows = matrix.rows, columns = matrix.columns;
    // Parts of the tokens, as equal as can be, whose gradients fit into the scratch.
    const std::int64_t most = type == DType::F32
        ? args.tokens
        : std::max<std::int64_t>(1, static_cast<std::int64_t>(narrowBytes) / (rows * bytesOf(type)));
    const std::int64_t parts = (args.tokens + most - 1) / most, step = parts > 0 ? (args.tokens + parts - 1) / parts : 1;
    // A quantised matrix becomes plain numbers in pieces of its rows, each of which adds its part of the sum.
    const std::int64_t piece = matrix.layout
        ? std::clamp<std::int64_t>(static_cast<std::int64_t>(m_widened->bytes()) / (columns * bytesOf(type)), 1, rows)
        : rows;
    void *narrow = type == DType::F32
        ? nullptr
        : room(m_narrow, static_cast<std::size_t>(std::min(step, args.tokens) * rows * bytesOf(type)));
    if (type != DType::F32 && !narrow)
        return;
    for (std::int64_t token = 0; token < args.tokens; token += step) {
        const std::int64_t tokens = std::min(step, args.tokens - token);
        const void *gradOut = product.gradOut + token * rows;
        if (narrow) {
            const RmsNormArgs copy
                = {.in = product.gradOut + token * rows, .out = narrow, .tokens = tokens, .width = rows, .type = type};
            m_device.check(launchRmsNorm(copy, on()), where);
            gradOut = narrow;
        }
        for (std::int64_t first = 0; first < rows; first += piece) {
            const std::int64_t count = std::min(piece, rows - first);
            if (matrix.layout) {
                const BlockRowsArgs plain = {matrix.blocks(), nullptr, m_widened->data(), first, static_cast<int>(columns), 1};
                m_device.check(launchBlockRows(matrix.layout->held, type, plain, count, m_device.stream(), on().early), where);
            }
            m_linear.run({.rows = count,
                          .columns = columns,
                          .tokens = tokens,
                          .type = type,
                          .outType = DType::F32,
                          .accumulate = add || first > 0,
                          .outPitch = columns,
                          .backward = true,
                          .inPitch = rows},
                         matrix.layout ? m_widened->data() : matrix.data(),
                         static_cast<const char *>(gradOut) + first * bytesOf(type), args.gradIn + token * columns,
                         product.scale);
        }
    }
}

void CudaGradients::swiGlu(const SwiGluGradientArgs &args)
{
    m_flush();
    m_device.check(launchSwiGluGradient(args, on()), where);
}

void CudaGradients::rotate(const RotateGradientArgs &args)
{
    assert(!args.norm || args.in);
    m_flush();
    m_device.check(launchRotateGradient(args, on()), where);
}

void CudaGradients::attention(const AttentionGradientArgs &args)
{
    assert(args.gradSinkLogits.empty() || args.sinkLogits);
    m_flush();
    if (args.tokens == 0)
        return;
    std::vector<int> all(static_cast<std::size_t>(args.kvHeads));
    std::iota(all.begin(), all.end(), 0);
    AttentionGradientKernelArgs kernel = {};
    kernel.queries = args.queries;
    kernel.gradOut = args.gradOut;
    kernel.gradQueries = args.gradQueries;
    kernel.gradKeys = args.gradKeys;
    kernel.gradValues = args.gradValues;
    kernel.tokens = static_cast<int>(args.tokens);
    kernel.rowStride = (kernel.tokens + gradientTile - 1) / gradientTile * gradientTile;
    kernel.queryHeads = args.queryHeads;
    kernel.kvHeads = args.kvHeads;
    kernel.headDim = args.headDim;
    kernel.scale = scoreScale(args.scale, args.headDim);
    kernel.sinkLogits = args.sinkLogits;
    kernel.add = args.add;
    kernel.caches = viewOf(args.heads, all, {});
    const auto rows = static_cast<std::size_t>(kernel.rowStride) * static_cast<std::size_t>(args.queryHeads) * sizeof(Float2);
    kernel.rows = static_cast<Float2 *>(room(m_rows, rows));
    if (!kernel.rows)
        return;
    m_device.check(launchAttentionGradient(args.type, kernel, on()), where);
    if (args.gradSinkLogits.empty())
        return;
    auto *sums = static_cast<double *>(room(m_sums, args.gradSinkLogits.size_bytes()));
    if (!sums)
        return;
    m_device.check(launchSinkLogitGradient(kernel, sums, on()), where);
    download(args.gradSinkLogits, sums);
}

void CudaGradients::blend(const BlendArgs &args)
{
    m_flush();
    m_device.check(launchBlend(args, on()), where);
}

void CudaGradients::blendGradient(const BlendGradientArgs &args)
{
    m_flush();
    const auto each = static_cast<std::size_t>(blendSums(args.tokens));
    std::vector<double> parts(each * args.gates.size());
    auto *sums = static_cast<double *>(room(m_sums, parts.size() * sizeof(double)));
    std::ranges::fill(args.gradGates, 0.0);
    if (!sums || parts.empty())
        return;
    m_device.check(launchBlendGradient(args, sums, on()), where);
    download(parts, sums);
    for (std::size_t i = 0; i < parts.size(); ++i)
        args.gradGates[i / each] += parts[i];
}

} // namespace zigzag::gpu
