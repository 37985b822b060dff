// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/gemm.h"

#include "engine/cpu/kernels.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <tuple>

namespace zigzag {

namespace {

using Desc = dnnl::memory::desc;
using Type = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

/// Rows of weights that are converted to float32 at a time, where the CPU cannot multiply their type.
constexpr std::int64_t tileRows = 256;

bool hasBf16Units()
{
    const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
    const auto bf16 = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
    return (isa & bf16) == bf16;
}

/// What one primitive is built for. `outStride` is the row stride of the result.
struct Shape {
    std::int64_t tokens, rows, columns, outStride;
    bool bf16, bias, sum;

    auto operator<=>(const Shape &) const = default;
};

} // namespace

struct Gemm::Impl {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    bool bf16Units = hasBf16Units();
    std::map<Shape, dnnl::matmul> primitives;
    Scratch input, tile;

    const dnnl::matmul &primitive(const Shape &shape);
    void multiply(const Shape &shape, const void *in, const void *weights, const float *bias, float *out);
    void run(const MatmulArgs &args, const Product &product, const std::uint16_t *brains);
};

const dnnl::matmul &Gemm::Impl::primitive(const Shape &shape)
{
    if (const auto found = primitives.find(shape); found != primitives.end())
        return found->second;
    if (primitives.size() >= 512) // odd last chunks come and go
        primitives.clear();
    const Type type = shape.bf16 ? Type::bf16 : Type::f32;
    const Desc in({shape.tokens, shape.columns}, type, Tag::ab);
    const Desc weights({shape.columns, shape.rows}, type, Tag::ba);
    const Desc out({shape.tokens, shape.rows}, Type::f32, dnnl::memory::dims{shape.outStride, 1});
    dnnl::primitive_attr attributes;
    if (shape.sum) {
        dnnl::post_ops add;
        add.append_sum();
        attributes.set_post_ops(add);
    }
    const auto desc = shape.bias ? dnnl::matmul::desc(in, weights, Desc({1, shape.rows}, Type::f32, Tag::ab), out)
                                 : dnnl::matmul::desc(in, weights, out);
    return primitives.emplace(shape, dnnl::matmul(dnnl::matmul::primitive_desc(desc, attributes, engine))).first->second;
}

void Gemm::Impl::multiply(const Shape &shape, const void *in, const void *weights, const float *bias, float *out)
{
    const Type type = shape.bf16 ? Type::bf16 : Type::f32;
    const auto memory
        = [this](const Desc &desc, const void *data) { return dnnl::memory(desc, engine, const_cast<void *>(data)); };
    std::unordered_map<int, dnnl::memory> arguments{
        {DNNL_ARG_SRC, memory(Desc({shape.tokens, shape.columns}, type, Tag::ab), in)},
        {DNNL_ARG_WEIGHTS, memory(Desc({shape.columns, shape.rows}, type, Tag::ba), weights)},
        {DNNL_ARG_DST, memory(Desc({shape.tokens, shape.rows}, Type::f32, dnnl::memory::dims{shape.outStride, 1}), out)}};
    if (bias)
        arguments.emplace(DNNL_ARG_BIAS, memory(Desc({1, shape.rows}, Type::f32, Tag::ab), bias));
    primitive(shape).execute(stream, arguments);
    stream.wait();
}

void Gemm::Impl::run(const MatmulArgs &args, const Product &product, const std::uint16_t *brains)
{
    const auto &matrix = static_cast<const CpuMatrix &>(*product.matrix);
    const std::int64_t rows = matrix.rows, columns = matrix.columns;
    if (product.residual && product.residual != product.out)
        std::memcpy(product.out, product.residual, static_cast<std::size_t>(args.tokens * rows) * sizeof(float));
    Shape shape{args.tokens, rows, columns, rows, false, product.bias != nullptr, product.residual != nullptr};
    if (matrix.type == DType::F32)
        return multiply(shape, args.in, matrix.data, product.bias, product.out);
    if (matrix.type == DType::BF16 && bf16Units) {
        shape.bf16 = true;
        return multiply(shape, brains, matrix.data, product.bias, product.out);
    }
    float *floats = tile.get<float>(static_cast<std::size_t>(std::min(tileRows, rows) * columns));
    for (std::int64_t first = 0; first < rows; first += tileRows) {
        shape.rows = std::min(tileRows, rows - first);
        const auto *from = static_cast<const std::byte *>(matrix.data) + first * columns * bytesOf(matrix.type);
#pragma omp parallel for
        for (std::int64_t r = 0; r < shape.rows; ++r)
            kernels::toFloat(matrix.type, from + r * columns * bytesOf(matrix.type), floats + r * columns,
                             static_cast<std::size_t>(columns));
        multiply(shape, args.in, floats, product.bias ? product.bias + first : nullptr, product.out + first);
    }
}

Gemm::Gemm()
    : m_impl(std::make_unique<Impl>())
{ }
Gemm::~Gemm() = default;

void Gemm::run(const MatmulArgs &args, ThreadScratch &)
{
    const std::int64_t columns = args.products.front().matrix->columns;
    std::uint16_t *brains = nullptr; // the input, rounded to bf16 once for all products
    if (m_impl->bf16Units && std::any_of(args.products.begin(), args.products.end(), [](const Product &product) {
            return static_cast<const CpuMatrix &>(*product.matrix).type == DType::BF16;
        })) {
        brains = m_impl->input.get<std::uint16_t>(static_cast<std::size_t>(args.tokens * columns));
#pragma omp parallel for
        for (std::int64_t t = 0; t < args.tokens; ++t)
            kernels::fromFloat(DType::BF16, args.in + t * columns, brains + t * columns, static_cast<std::size_t>(columns));
    }
    for (const Product &product : args.products)
        m_impl->run(args, product, brains);
}

} // namespace zigzag
