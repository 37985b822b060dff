// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/matrix_rate.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <dnnl.hpp>
#include <limits>
#include <omp.h>
#include <random>
#include <unordered_map>
#include <vector>

namespace zigzag {
namespace {

using Clock = std::chrono::steady_clock;
using dnnl::memory;

constexpr std::int64_t tokens = 512;
constexpr std::int64_t longestSide = 4096;
constexpr double smallFlops = 1e9;

struct Shape {
    std::int64_t columns, rows; ///< input and output features
    double flops() const { return 2.0 * static_cast<double>(tokens) * static_cast<double>(columns) * static_cast<double>(rows); }
};

/// Random values, because processors multiply zeros with less power and so with a higher clock.
void fillRandom(const memory &to, std::uint64_t seed)
{
    const std::size_t bytes = to.get_desc().get_size();
    const bool bf16 = to.get_desc().data.data_type == dnnl_bf16;
    std::minstd_rand random(static_cast<std::uint32_t>(seed));
    std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
    auto *data = static_cast<std::byte *>(to.get_data_handle());
    if (bf16)
        for (std::size_t i = 0; i < bytes / 2; ++i)
            reinterpret_cast<std::uint16_t *>(data)[i] = floatToBf16(uniform(random));
    else
        for (std::size_t i = 0; i < bytes / 4; ++i)
            reinterpret_cast<float *>(data)[i] = uniform(random);
}

/// Least seconds of one product, weights in the layout that the library likes best.
double bestSeconds(const dnnl::engine &engine, const Shape &shape, memory::data_type type, const std::atomic<bool> *cancel)
{
    const memory::desc in({tokens, shape.columns}, type, memory::format_tag::ab);
    const memory::desc weights({shape.columns, shape.rows}, type, memory::format_tag::any);
    const memory::desc out({tokens, shape.rows}, memory::data_type::f32, memory::format_tag::ab);
    const dnnl::matmul::primitive_desc description({in, weights, out}, engine);
    const dnnl::matmul product(description);
    const memory inMemory(in, engine), weightMemory(description.weights_desc(), engine), outMemory(out, engine);
    fillRandom(inMemory, 1);
    fillRandom(weightMemory, 2); // random in any layout: no reorder needed
    dnnl::stream stream(engine);
    const std::unordered_map<int, memory> arguments
        = {{DNNL_ARG_SRC, inMemory}, {DNNL_ARG_WEIGHTS, weightMemory}, {DNNL_ARG_DST, outMemory}};
    const auto once = [&] {
        const auto begin = Clock::now();
        product.execute(stream, arguments);
        stream.wait();
        return std::chrono::duration<double>(Clock::now() - begin).count();
    };
    double best = std::numeric_limits<double>::infinity(), spent = 0.0;
    for (int run = 0; run < 200 && (run < 3 || spent < 0.05) && !(cancel && *cancel); ++run) {
        const double seconds = once();
        spent += seconds;
        if (run > 0) // the first run warms up
            best = std::min(best, seconds);
    }
    return best;
}

} // namespace

double measureMatrixRate(const ModelConfig &config, DType type, int threads, const std::atomic<bool> *cancel)
{
    const std::int64_t hidden = config.hiddenSize, query = config.queryWidth(), intermediate = config.intermediateSize;
    std::array<Shape, 4> shapes
        = {{{hidden, query + 2 * config.kvWidth()}, {query, hidden}, {hidden, 2 * intermediate}, {intermediate, hidden}}};
    const memory::data_type dataType = type == DType::BF16 ? memory::data_type::bf16 : memory::data_type::f32;
    const int threadsBefore = omp_get_max_threads();
    double flops = 0.0, seconds = 0.0;
    try {
        const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
        for (Shape &shape : shapes) {
            if (cancel && *cancel)
                break; // filling the next matrices takes longer than a person waits
            shape.columns = std::min(shape.columns, longestSide);
            shape.rows = std::min(shape.rows, longestSide);
            // The library plans for the threads that it finds. For small products one thread may be its best.
            omp_set_num_threads(std::max(1, threads));
            double best = bestSeconds(engine, shape, dataType, cancel);
            if (shape.flops() < smallFlops) {
                omp_set_num_threads(1);
                best = std::min(best, bestSeconds(engine, shape, dataType, cancel));
            }
            flops += shape.flops();
            seconds += best;
        }
    } catch (const dnnl::error &) {
        seconds = std::numeric_limits<double>::infinity(); // the library has no such product on this processor
    }
    omp_set_num_threads(threadsBefore);
    return flops / seconds;
}

} // namespace zigzag
