// SPDX-License-Identifier: GPL-3.0-or-later
// Every backward op against central differences of its forward op, element by element, in float32.
#include "engine/cpu/matmul.h"
#include "engine/run/gradients.h"
#include "tests/engine/cpu/op_fixture.h"

#include <functional>

namespace zigzag {
namespace {

using test::randomFloats;

/// What the gradient check accepts: |numerical − analytical| / |analytical| as vectors.
constexpr double tolerance = 1e-3;

class Gradients : public testing::Test
{
protected:
    std::unique_ptr<Backend> backend = createCpuBackend();
    GradientOps &ops = *backend->gradients();

    /// The relative error of `analytical` against central differences of `loss` over the elements of `x`.
    static double error(std::vector<float> &x, const std::vector<float> &analytical, const std::function<double()> &loss,
                        float step = 1e-2f)
    {
        double difference = 0.0, size = 0.0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const float kept = x[i];
            x[i] = kept + step;
            const float above = x[i];
            const double up = loss();
            x[i] = kept - step;
            const double down = loss(), numerical = (up - down) / static_cast<double>(above - x[i]);
            x[i] = kept;
            difference += (numerical - static_cast<double>(analytical[i])) * (numerical - static_cast<double>(analytical[i]));
            size += static_cast<double>(analytical[i]) * static_cast<double>(analytical[i]);
        }
        const double relative = std::sqrt(difference / std::max(size, 1e-6)); // one key has no gradient for its query
        testing::Test::RecordProperty("relative_error", std::to_string(relative));
        std::printf("    relative error %.1e over %zu elements\n", relative, x.size());
        return relative;
    }

    static double dot(const std::vector<float> &a, const std::vector<float> &b)
    {
        double sum = 0.0;
        for (std::size_t i = 0; i < a.size(); ++i)
            sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
        return sum;
    }
};

TEST_F(Gradients, RmsNorm)
{
    constexpr std::int64_t tokens = 3, width = 20;
    std::vector<float> in = randomFloats(tokens * width, 1), out(in.size()), grad(in.size());
    const std::vector<float> weight = randomFloats(width, 2), gradOut = randomFloats(in.size(), 3);
    ops.rmsNorm({in.data(), weight.data(), gradOut.data(), grad.data(), tokens, width, 1e-5f, false});
    EXPECT_LE(error(in, grad,
                    [&] {
                        backend->rmsNorm({in.data(), weight.data(), out.data(), tokens, width, 1e-5f});
                        return dot(out, gradOut);
                    }),
              tolerance);
    std::vector<float> added(in.size(), 1.0f);
    ops.rmsNorm({in.data(), weight.data(), gradOut.data(), added.data(), tokens, width, 1e-5f, true});
    for (std::size_t i = 0; i < grad.size(); ++i)
        EXPECT_NEAR(added[i], grad[i] + 1.0f, 1e-5f);
}

TEST_F(Gradients, MatmulInEveryType)
{
    for (const DType type : test::allTypes) {
        constexpr std::int64_t tokens = 3, columns = 10;
        const test::Stored first(type, randomFloats(7 * columns, 4)), second(type, randomFloats(5 * columns, 5));
        const auto a = *backend->prepare({first.bytes.data(), type, 7, columns});
        const auto b = *backend->prepare({second.bytes.data(), type, 5, columns});
        std::vector<float> in = randomFloats(tokens * columns, 6), grad(in.size()), outA(tokens * 7), outB(tokens * 5);
        const std::vector<float> gradA = randomFloats(outA.size(), 7), gradB = randomFloats(outB.size(), 8);
        const ProductGradient products[] = {{a.get(), gradA.data()}, {b.get(), gradB.data()}};
        ops.matmul({products, grad.data(), tokens, false});
        EXPECT_LE(
            error(
                in, grad,
                [&] { // three tokens: the product that does not round its input
                    const Product forward[] = {{.matrix = a.get(), .out = outA.data()}, {.matrix = b.get(), .out = outB.data()}};
                    backend->matmul({in.data(), tokens, forward});
                    return dot(outA, gradA) + dot(outB, gradB);
                }),
            tolerance)
            << nameOf(type);
    }
}

TEST_F(Gradients, MatmulOfMoreRowsThanATile)
{
    constexpr std::int64_t tokens = 2, columns = 3, rows = 2500;
    const test::Stored weights(DType::BF16, randomFloats(rows * columns, 9));
    const auto matrix = *backend->prepare({weights.bytes.data(), DType::BF16, rows, columns});
    const std::vector<float> gradOut = randomFloats(tokens * rows, 10);
    std::vector<float> grad(tokens * columns);
    const ProductGradient product{matrix.get(), gradOut.data()};
    ops.matmul({{&product, 1}, grad.data(), tokens, false});
    std::vector<double> expected(grad.size());
    for (std::int64_t t = 0; t < tokens; ++t)
        for (std::int64_t r = 0; r < rows; ++r)
            for (std::int64_t c = 0; c < columns; ++c)
                expected[static_cast<std::size_t>(t * columns + c)]
                    += static_cast<double>(gradOut[static_cast<std::size_t>(t * rows + r)])
                    * static_cast<double>(weights.values[static_cast<std::size_t>(r * columns + c)]);
    EXPECT_LE(test::relativeError(grad.data(), expected), 1e-5);
}

TEST_F(Gradients, SwiGlu)
{
    std::vector<float> gate = randomFloats(40, 11, 2.0f), up = randomFloats(40, 12), out(40);
    const std::vector<float> gradOut = randomFloats(40, 13);
    std::vector<float> gradGate = gradOut, gradUp(40); // in place, as the backward pass does
    ops.swiGlu({gate.data(), up.data(), gradGate.data(), gradGate.data(), gradUp.data(), 40});
    const auto loss = [&] {
        backend->swiGlu({gate.data(), up.data(), out.data(), 40});
        return dot(out, gradOut);
    };
    EXPECT_LE(error(gate, gradGate, loss), tolerance);
    EXPECT_LE(error(up, gradUp, loss), tolerance);
}

TEST_F(Gradients, RotationWithAndWithoutNorm)
{
    for (const auto &[withNorm, rotaryDim, interleaved] :
         {std::tuple(false, 8, false), std::tuple(true, 8, false), std::tuple(false, 8, true), std::tuple(true, 6, true)}) {
        constexpr int tokens = 4, heads = 2, dim = 8;
        std::vector<float> in = randomFloats(tokens * heads * dim, 14), keys(in.size()), cacheK(in.size()), cacheV(in.size());
        const std::vector<float> norm = randomFloats(dim, 15), angles = randomFloats((tokens + 1) * dim, 16);
        const std::vector<float> gradOut = randomFloats(in.size(), 17);
        std::vector<HeadCache> caches(heads);
        for (int head = 0; head < heads; ++head)
            caches[static_cast<std::size_t>(head)]
                = {.keys = cacheK.data() + head * tokens * dim, .values = cacheV.data() + head * tokens * dim, .slots = tokens};
        std::vector<float> grad = gradOut;
        const float *const weights = withNorm ? norm.data() : nullptr;
        const bool neighbours = interleaved;
        const int turned = rotaryDim;
        ops.rotate({grad.data(), in.data(), weights, angles.data(), tokens, 0, heads, dim, 1e-6f, turned, neighbours});
        EXPECT_LE(error(in, grad,
                        [&] {
                            std::vector<float> queries = in;
                            backend->ropeAppend({.queries = queries.data(),
                                                 .keys = keys.data(),
                                                 .values = keys.data(),
                                                 .queryNorm = weights,
                                                 .cosSin = angles.data(),
                                                 .heads = caches,
                                                 .tokens = tokens,
                                                 .queryHeads = heads,
                                                 .kvHeads = heads,
                                                 .headDim = dim,
                                                 .epsilon = 1e-6f,
                                                 .rows = {},
                                                 .rotaryDim = turned,
                                                 .interleaved = neighbours});
                            return dot(queries, gradOut);
                        }),
                  tolerance);
    }
}

struct AttentionCase {
    const char *name;
    int tokens, sink, recent, queryHeads, kvHeads, headDim;
    bool full, streaming; ///< patterns of the KV heads: one of them everywhere, or in turn
    int lastSink = 0, lastRecent = 0; ///< the window of the last KV head, where it is one
    bool sinkLogits = false; ///< each query head has one
};

class AttentionGradients : public Gradients, public testing::WithParamInterface<AttentionCase>
{ };

TEST_P(AttentionGradients, AgreeWithDifferences)
{
    const AttentionCase &c = GetParam();
    const auto size = [&](int heads) { return static_cast<std::size_t>(c.tokens * heads * c.headDim); };
    std::vector<float> queries = randomFloats(size(c.queryHeads), 20), keys = randomFloats(size(c.kvHeads), 21),
                       values = randomFloats(size(c.kvHeads), 22), out(queries.size());
    const std::vector<float> gradOut = randomFloats(out.size(), 23);
    std::vector<float> sinkLogits = randomFloats(static_cast<std::size_t>(c.queryHeads), 24);
    std::vector<HeadCache> caches; // keys and values here are [kv_heads, tokens, head_dim]
    for (int head = 0; head < c.kvHeads; ++head) {
        const bool streams = c.streaming && (!c.full || head % 2 == 1), isOther = c.lastRecent > 0 && head == c.kvHeads - 1;
        caches.push_back({.pattern = isOther ? HeadPattern::streaming(c.lastSink, c.lastRecent)
                              : streams      ? HeadPattern::streaming(c.sink, c.recent)
                                             : HeadPattern::full(),
                          .keys = keys.data() + head * c.tokens * c.headDim,
                          .values = values.data() + head * c.tokens * c.headDim,
                          .slots = c.tokens});
    }
    std::vector<int> all(static_cast<std::size_t>(c.kvHeads));
    for (int head = 0; head < c.kvHeads; ++head)
        all[static_cast<std::size_t>(head)] = head;
    const auto loss = [&] {
        backend->attention({.queries = queries.data(),
                            .out = out.data(),
                            .heads = caches,
                            .selected = all,
                            .tokens = c.tokens,
                            .queryHeads = c.queryHeads,
                            .kvHeads = c.kvHeads,
                            .headDim = c.headDim,
                            .sinkLogits = c.sinkLogits ? sinkLogits.data() : nullptr,
                            .rows = {}});
        return dot(out, gradOut);
    };
    std::vector<float> gradQueries(queries.size()), gradK(keys.size()), gradV(values.size());
    std::vector<double> gradSinks(c.sinkLogits ? sinkLogits.size() : 0, 7.0);
    ops.attention({.queries = queries.data(),
                   .heads = caches,
                   .gradOut = gradOut.data(),
                   .gradQueries = gradQueries.data(),
                   .gradKeys = gradK.data(),
                   .gradValues = gradV.data(),
                   .tokens = c.tokens,
                   .queryHeads = c.queryHeads,
                   .kvHeads = c.kvHeads,
                   .headDim = c.headDim,
                   .sinkLogits = c.sinkLogits ? sinkLogits.data() : nullptr,
                   .gradSinkLogits = gradSinks});
    const auto byHead = [&](const std::vector<float> &grad) { // [tokens, kv_heads, head_dim] to the caches' order
        std::vector<float> moved(grad.size());
        for (int t = 0; t < c.tokens; ++t)
            for (int head = 0; head < c.kvHeads; ++head)
                std::copy_n(grad.begin() + (t * c.kvHeads + head) * c.headDim, c.headDim,
                            moved.begin() + (head * c.tokens + t) * c.headDim);
        return moved;
    };
    EXPECT_LE(error(queries, gradQueries, loss), tolerance) << "queries";
    EXPECT_LE(error(keys, byHead(gradK), loss), tolerance) << "keys";
    EXPECT_LE(error(values, byHead(gradV), loss), tolerance) << "values";
    if (c.sinkLogits) {
        EXPECT_LE(error(sinkLogits, {gradSinks.begin(), gradSinks.end()}, loss), tolerance) << "sink logits";
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, AttentionGradients,
                         testing::Values(AttentionCase{"full", 9, 0, 1, 4, 2, 8, true, false},
                                         AttentionCase{"streaming", 24, 3, 5, 4, 2, 8, false, true},
                                         AttentionCase{"mixed", 24, 2, 7, 4, 2, 8, true, true},
                                         AttentionCase{"two_windows", 24, 2, 7, 6, 3, 8, true, true, 5, 3},
                                         AttentionCase{"no_sink", 20, 0, 4, 2, 1, 6, false, true},
                                         AttentionCase{"itself_alone", 12, 1, 1, 2, 1, 6, false, true},
                                         AttentionCase{"several_tiles", 75, 4, 9, 2, 1, 4, true, false},
                                         AttentionCase{"streaming_tiles", 75, 4, 9, 2, 1, 4, false, true},
                                         AttentionCase{"one_token", 1, 1, 4, 2, 2, 8, true, true},
                                         AttentionCase{"sink_logits", 24, 0, 7, 6, 3, 8, true, true, 5, 3, true},
                                         AttentionCase{"sink_logits_tiles", 75, 0, 9, 2, 1, 4, false, true, 0, 0, true}),
                         [](const auto &tested) { return std::string(tested.param.name); });

TEST_F(Gradients, Blend)
{
    constexpr int tokens = 3, queryHeads = 4, dim = 4;
    std::vector<float> full = randomFloats(tokens * queryHeads * dim, 30), streaming = randomFloats(full.size(), 31),
                       out(full.size()), gates = {0.3f, 0.9f};
    const std::vector<float> gradOut = randomFloats(out.size(), 32);
    std::vector<float> gradFull(full.size()), gradStreaming = gradOut;
    std::vector<double> gradGates(2);
    ops.blendGradient({.full = full.data(),
                       .streaming = streaming.data(),
                       .gates = gates,
                       .gradOut = gradStreaming.data(),
                       .gradFull = gradFull.data(),
                       .gradStreaming = gradStreaming.data(),
                       .gradGates = gradGates,
                       .tokens = tokens,
                       .queryHeads = queryHeads,
                       .headDim = dim});
    const auto loss = [&] {
        ops.blend({full.data(), streaming.data(), gates, out.data(), tokens, queryHeads, dim});
        return dot(out, gradOut);
    };
    EXPECT_LE(error(full, gradFull, loss), tolerance);
    EXPECT_LE(error(streaming, gradStreaming, loss), tolerance);
    EXPECT_LE(error(gates, {static_cast<float>(gradGates[0]), static_cast<float>(gradGates[1])}, loss), tolerance);
    gates = {1.0f, 0.0f};
    loss();
    for (int t = 0; t < tokens; ++t)
        for (int i = 0; i < queryHeads * dim; ++i) {
            const auto at = static_cast<std::size_t>(t * queryHeads * dim + i);
            EXPECT_EQ(out[at], i < queryHeads * dim / 2 ? full[at] : streaming[at]);
        }
}

} // namespace
} // namespace zigzag
