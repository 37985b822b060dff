// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/machine/matrix_rate.h"

#include "engine/base/onednn.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <future>
#include <limits>
#include <random>
#include <unordered_map>
#include <vector>

namespace zigzag {
namespace {

using Clock = std::chrono::steady_clock;
using dnnl::memory;

constexpr std::int64_t tokens = 256; ///< of a thread
constexpr std::int64_t longestSide = 4096;
constexpr std::int64_t fewRows = 128;

struct Shape {
    std::int64_t columns, rows; ///< input and output features
    double flops() const { return 2.0 * static_cast<double>(tokens) * static_cast<double>(columns) * static_cast<double>(rows); }
};

/// Random values, because processors multiply zeros with less power and so with a higher clock.
void fillRandom(const memory &to, memory::data_type type, std::uint64_t seed)
{
    const std::size_t bytes = to.get_desc().get_size();
    std::minstd_rand random(static_cast<std::uint32_t>(seed));
    std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
    auto *data = static_cast<std::byte *>(to.get_data_handle());
    if (type == memory::data_type::bf16)
        for (std::size_t i = 0; i < bytes / 2; ++i)
            reinterpret_cast<std::uint16_t *>(data)[i] = floatToBf16(uniform(random));
    else
        for (std::size_t i = 0; i < bytes / 4; ++i)
            reinterpret_cast<float *>(data)[i] = uniform(random);
}

/// FLOP/s of the library on `threads` threads, each with a product of its own on itself alone, weights in the layout that the
/// library likes best. Nobody waits for anybody: what a thread loses to another program is not the library's.
double rateOf(const dnnl::engine &engine, const Shape &shape, memory::data_type type, int threads,
              const std::atomic<bool> *cancel)
{
    onednn::stayOnThisThread();
    const memory::desc in({tokens, shape.columns}, type, memory::format_tag::ab);
    const memory::desc any({shape.columns, shape.rows}, type, memory::format_tag::any);
    const memory::desc out({tokens, shape.rows}, memory::data_type::f32, memory::format_tag::ab);
    const auto description = onednn::describeMatmul(engine, in, any, {}, out);
    const dnnl::matmul product(description);
    const memory weights(description.weights_desc(), engine);
    fillRandom(weights, type, 2); // random in any layout: no reorder needed
    const auto rateOfThread = [&] {
        onednn::stayOnThisThread();
        const memory ownIn(in, engine);
        fillRandom(ownIn, type, 1);
        dnnl::stream stream(engine);
        const std::unordered_map<int, memory> arguments = {{DNNL_ARG_SRC, ownIn},
                                                           {DNNL_ARG_WEIGHTS, weights},
                                                           {DNNL_ARG_DST, memory(out, engine)},
                                                           {DNNL_ARG_SCRATCHPAD, memory(description.scratchpad_desc(), engine)}};
        double best = std::numeric_limits<double>::infinity(), spent = 0.0;
        for (int run = 0; run < 200 && (run < 3 || spent < 0.05) && !(cancel && *cancel); ++run) {
            const auto begin = Clock::now();
            product.execute(stream, arguments);
            stream.wait();
            const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
            spent += seconds;
            if (run > 0) // the first run warms up
                best = std::min(best, seconds);
        }
        return shape.flops() / best;
    };
    std::vector<std::future<double>> others;
    for (int thread = 1; thread < threads; ++thread)
        others.push_back(std::async(std::launch::async, rateOfThread));
    double rate = rateOfThread();
    for (std::future<double> &other : others)
        rate += other.get();
    return rate;
}

/// The products of a layer, those that share their input as one.
std::vector<Shape> productsOf(const ModelConfig &config)
{
    std::vector<Shape> shapes;
    const LayerPlan plan = layerPlan(config, config.layers - 1);
    for (const OpPlan &op : plan.ops()) {
        Shape shape{};
        for (const WeightSpec &weight : plan.weightsOf(op))
            if (weight.role == TensorRole::Matrix && (shape.columns == 0 || shape.columns == weight.columns)) {
                shape.columns = weight.columns;
                shape.rows += weight.rows;
            }
        if (shape.rows > 0)
            shapes.push_back(shape);
    }
    return shapes;
}

} // namespace

double measureMatrixRate(const ModelConfig &config, DType type, int threads, const std::atomic<bool> *cancel)
{
    std::vector<Shape> shapes = productsOf(config);
    const memory::data_type dataType = type == DType::BF16 ? memory::data_type::bf16 : memory::data_type::f32;
    double flops = 0.0, seconds = 0.0;
    try {
        const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
        for (Shape &shape : shapes) {
            if (cancel && *cancel)
                return 0.0; // filling the next matrices takes longer than a person waits
            shape.columns = std::min(shape.columns, longestSide);
            shape.rows = std::min(shape.rows, longestSide);
            // Of all rows, and of so few that their weights stay in a cache: the library may be at its best with either.
            double best = rateOf(engine, shape, dataType, std::max(1, threads), cancel);
            if (shape.rows > fewRows)
                best = std::max(best, rateOf(engine, {shape.columns, fewRows}, dataType, std::max(1, threads), cancel));
            flops += shape.flops();
            seconds += shape.flops() / best;
        }
    } catch (const dnnl::error &) {
        seconds = std::numeric_limits<double>::infinity(); // the library has no such product on this processor
    }
    return flops / seconds;
}

} // namespace zigzag
