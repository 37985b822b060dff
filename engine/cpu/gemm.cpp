// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/gemm.h"

#include "engine/cpu/activations.h"
#include "engine/cpu/kernels.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <cstring>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>

namespace zigzag {

namespace {

using Desc = dnnl::memory::desc;
using Type = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

/// Rows of weights that are converted or packed at a time: few enough that the copy is still in the cache when it is read.
constexpr std::int64_t tileRows = 1024;
/// Products below this many multiplications are not worth a choice.
constexpr std::int64_t smallProduct = std::int64_t{64} << 20;
/// Timed calls of each way before the better one is kept; the first of each builds its primitive and does not count.
constexpr int trials = 5;

bool hasBf16Units()
{
    const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
    const auto bf16 = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
    return (isa & bf16) == bf16;
}

/// What one primitive is built for. `outStride` is the row stride of the result.
struct Shape {
    std::int64_t tokens, rows, columns, outStride;
    bool bf16, packed, bias, sum;

    auto operator<=>(const Shape &) const = default;
    Type type() const { return bf16 ? Type::bf16 : Type::f32; }
    Desc in() const { return {{tokens, columns}, type(), Tag::ab}; }
    Desc weights() const { return {{columns, rows}, type(), Tag::ba}; }
    Desc biasRow() const { return {{1, rows}, Type::f32, Tag::ab}; }
    Desc out() const { return {{tokens, rows}, Type::f32, dnnl::memory::dims{outStride, 1}}; }
};

/// A product, and the copy that brings its weights into the layout it wants; without one it reads them as they are.
struct Primitive {
    dnnl::matmul product;
    Desc weights;
    std::optional<dnnl::reorder> pack;
};

/// How weights of one shape are best read: as they are, or packed tile by tile into scratch memory on every call. Packed
/// copies that stay would double the memory of the weights, and packing costs little beside hundreds of tokens.
struct Choice {
    int calls = 0;
    std::array<double, 2> best = {1e30, 1e30}; // seconds: plain, packed

    /// The way of the next call: both in turn, then the better.
    bool packed() const { return calls < 2 * trials ? calls % 2 == 1 : best[1] < best[0]; }
    void record(double seconds)
    {
        if (calls >= 2 * trials)
            return;
        if (calls >= 2)
            best[packed()] = std::min(best[packed()], seconds);
        ++calls;
    }
};

double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

} // namespace

struct Gemm::Impl {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    bool bf16Units = hasBf16Units();
    std::map<Shape, Primitive> primitives;
    std::map<Shape, Choice> choices;
    Scratch input, tile, packed;

    const Primitive &primitive(const Shape &shape);
    void multiply(const Shape &shape, const void *in, const void *weights, const float *bias, float *out);
    template <class Multiply>
    void inTiles(Shape shape, const CpuMatrix &matrix, const Product &product, const Multiply &multiplyTile);
    void run(const MatmulArgs &args, const Product &product, const std::uint16_t *brains);
};

const Primitive &Gemm::Impl::primitive(const Shape &shape)
{
    if (const auto found = primitives.find(shape); found != primitives.end())
        return found->second;
    if (primitives.size() >= 512) // odd last chunks come and go
        primitives.clear();
    const Desc weights = shape.packed ? Desc({shape.columns, shape.rows}, shape.type(), Tag::any) : shape.weights();
    dnnl::primitive_attr attributes;
    if (shape.sum) {
        dnnl::post_ops add;
        add.append_sum();
        attributes.set_post_ops(add);
    }
    const auto desc = shape.bias ? dnnl::matmul::desc(shape.in(), weights, shape.biasRow(), shape.out())
                                 : dnnl::matmul::desc(shape.in(), weights, shape.out());
    const dnnl::matmul::primitive_desc built(desc, attributes, engine);
    Primitive result{dnnl::matmul(built), built.weights_desc(), std::nullopt};
    if (result.weights != shape.weights())
        result.pack = dnnl::reorder(dnnl::reorder::primitive_desc(engine, shape.weights(), engine, result.weights));
    return primitives.emplace(shape, std::move(result)).first->second;
}

void Gemm::Impl::multiply(const Shape &shape, const void *in, const void *weights, const float *bias, float *out)
{
    const Primitive &use = primitive(shape);
    const auto memory
        = [this](const Desc &desc, const void *data) { return dnnl::memory(desc, engine, const_cast<void *>(data)); };
    dnnl::memory matrix = memory(shape.weights(), weights);
    if (use.pack) {
        dnnl::memory copy = memory(use.weights, packed.get<std::byte>(use.weights.get_size()));
        dnnl::reorder(*use.pack).execute(stream, matrix, copy);
        matrix = copy;
    }
    std::unordered_map<int, dnnl::memory> arguments{
        {DNNL_ARG_SRC, memory(shape.in(), in)}, {DNNL_ARG_WEIGHTS, matrix}, {DNNL_ARG_DST, memory(shape.out(), out)}};
    if (bias)
        arguments.emplace(DNNL_ARG_BIAS, memory(shape.biasRow(), bias));
    use.product.execute(stream, arguments);
    stream.wait();
}

/// Calls multiplyTile(shape of the tile, its weights, its bias, its columns of the result) for each tile of rows.
template <class Multiply>
void Gemm::Impl::inTiles(Shape shape, const CpuMatrix &matrix, const Product &product, const Multiply &multiplyTile)
{
    const std::int64_t rowBytes = matrix.columns * bytesOf(matrix.type);
    for (std::int64_t first = 0; first < matrix.rows; first += tileRows) {
        shape.rows = std::min(tileRows, matrix.rows - first);
        multiplyTile(shape, static_cast<const std::byte *>(matrix.data) + first * rowBytes,
                     product.bias ? product.bias + first : nullptr, floats(product.out) + first);
    }
}

void Gemm::Impl::run(const MatmulArgs &args, const Product &product, const std::uint16_t *brains)
{
    const auto &matrix = static_cast<const CpuMatrix &>(*product.matrix);
    const std::int64_t rows = matrix.rows, columns = matrix.columns;
    if (product.residual && product.residual != floats(product.out))
        std::memcpy(product.out, product.residual, static_cast<std::size_t>(args.tokens * rows) * sizeof(float));
    Shape shape{args.tokens, rows, columns, rows, false, false, product.bias != nullptr, product.residual != nullptr};
    if (matrix.type == DType::F32)
        return multiply(shape, floats(args.in), matrix.data, product.bias, floats(product.out));
    if (matrix.type == DType::BF16 && bf16Units) {
        shape.bf16 = true;
        if (args.tokens * rows * columns < smallProduct)
            return multiply(shape, brains, matrix.data, product.bias, floats(product.out));
        if (choices.size() >= 4096)
            choices.clear();
        Choice &choice = choices[shape];
        shape.packed = choice.packed();
        const double start = now();
        if (shape.packed) {
            inTiles(shape, matrix, product, [&](const Shape &part, const void *weights, const float *bias, float *out) {
                multiply(part, brains, weights, bias, out);
            });
        } else {
            multiply(shape, brains, matrix.data, product.bias, floats(product.out));
        }
        choice.record(now() - start);
        return;
    }
    // No units for this type: float32 copies of a few rows at a time.
    inTiles(shape, matrix, product, [&](const Shape &part, const std::byte *weights, const float *bias, float *out) {
        float *floats = tile.get<float>(static_cast<std::size_t>(part.rows * columns));
#pragma omp parallel for
        for (std::int64_t r = 0; r < part.rows; ++r)
            kernels::toFloat(matrix.type, weights + r * columns * bytesOf(matrix.type), floats + r * columns,
                             static_cast<std::size_t>(columns));
        multiply(part, zigzag::floats(args.in), floats, bias, out);
    });
}

Gemm::Gemm()
    : m_impl(std::make_unique<Impl>())
{ }
Gemm::~Gemm() = default;

void Gemm::run(const MatmulArgs &args)
{
    const std::int64_t columns = args.products.front().matrix->columns;
    std::uint16_t *brains = nullptr; // the input, rounded to bf16 once for all products
    if (m_impl->bf16Units && std::any_of(args.products.begin(), args.products.end(), [](const Product &product) {
            return static_cast<const CpuMatrix &>(*product.matrix).type == DType::BF16;
        })) {
        brains = m_impl->input.get<std::uint16_t>(static_cast<std::size_t>(args.tokens * columns));
#pragma omp parallel for
        for (std::int64_t t = 0; t < args.tokens; ++t)
            kernels::fromFloat(DType::BF16, floats(args.in) + t * columns, brains + t * columns,
                               static_cast<std::size_t>(columns));
    }
    for (const Product &product : args.products)
        m_impl->run(args, product, brains);
}

} // namespace zigzag
