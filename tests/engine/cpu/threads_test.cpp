// SPDX-License-Identifier: GPL-3.0-or-later
// Results are the same to the bit, however many threads share the work.
#include "engine/base/thread_pool.h"
#include "engine/run/gradients.h"
#include "engine/run/rope.h"
#include "tests/engine/cpu/block_fixture.h"
#include "tests/engine/cpu/op_fixture.h"
#include "tests/engine/run/golden_fixture.h"

#include <cstring>
#include <functional>

namespace zigzag::test {
namespace {

void expectAlike(const std::string &what, const std::function<std::vector<float>()> &compute)
{
    std::vector<float> alone;
    for (const int threads : {1, 2, 3, 7}) {
        ThreadPool pool(threads);
        const ThreadPool::Use use(pool);
        const std::vector<float> result = compute();
        if (threads == 1)
            alone = result;
        ASSERT_FALSE(result.empty()) << what;
        ASSERT_EQ(result.size(), alone.size()) << what;
        EXPECT_EQ(std::memcmp(result.data(), alone.data(), result.size() * sizeof(float)), 0) << what << ", " << threads;
    }
}

TEST(CpuThreads, ProductsDoNotDependOnTheirNumber)
{
    for (const DType type : {DType::F32, DType::F16, DType::BF16})
        for (const std::int64_t tokens : {1, 5, 30, 270}) {
            constexpr std::int64_t columns = 500, firstRows = 130, secondRows = 300;
            const Stored first(type, randomFloats(firstRows * columns, 1)), second(type, randomFloats(secondRows * columns, 2));
            const auto in = randomFloats(static_cast<std::size_t>(tokens * columns), 3), bias = randomFloats(secondRows, 4);
            const auto residual = randomFloats(static_cast<std::size_t>(tokens * firstRows), 5);
            expectAlike(std::string(nameOf(type)) + ", " + std::to_string(tokens) + " tokens", [&] {
                const auto backend = createCpuBackend();
                const auto a = std::move(*backend->prepare({first.bytes.data(), type, firstRows, columns})),
                           b = std::move(*backend->prepare({second.bytes.data(), type, secondRows, columns}));
                std::vector<float> out(static_cast<std::size_t>(tokens * (firstRows + secondRows)));
                const std::vector<Product> products = {{a.get(), nullptr, residual.data(), out.data()},
                                                       {b.get(), bias.data(), nullptr, out.data() + tokens * firstRows}};
                backend->matmul({in.data(), tokens, products});
                return out;
            });
        }
}

TEST(CpuThreads, ProductsWithBlocksDoNotDependOnTheirNumber)
{
    for (const WeightType type : allBlockTypes())
        for (const std::int64_t tokens : {1, 7, 30}) {
            constexpr std::int64_t columns = 512, rows = 530;
            const StoredBlocks weights(type, rows, columns, 1);
            const auto in = randomFloats(static_cast<std::size_t>(tokens * columns), 3), bias = randomFloats(rows, 4);
            const auto residual = randomFloats(static_cast<std::size_t>(tokens * rows), 5);
            expectAlike(std::string(nameOf(type)) + ", " + std::to_string(tokens) + " tokens", [&] {
                const auto backend = createCpuBackend();
                const auto matrix = std::move(*backend->prepare({weights.bytes.data(), type, rows, columns}));
                std::vector<float> out(static_cast<std::size_t>(2 * tokens * rows));
                const std::vector<Product> products = {{matrix.get(), nullptr, residual.data(), out.data()},
                                                       {matrix.get(), bias.data(), nullptr, out.data() + tokens * rows}};
                backend->matmul({in.data(), tokens, products});
                return out;
            });
        }
}

TEST(CpuThreads, BackwardProductsDoNotDependOnTheirNumber)
{
    constexpr std::int64_t tokens = 200, rows = 1100, columns = 300;
    const Stored weights(DType::BF16, randomFloats(rows * columns, 1));
    const auto gradOut = randomFloats(tokens * rows, 2);
    expectAlike("backward product", [&] {
        const auto backend = createCpuBackend();
        const auto matrix = std::move(*backend->prepare({weights.bytes.data(), DType::BF16, rows, columns}));
        std::vector<float> out(tokens * columns);
        const ProductGradient product{matrix.get(), gradOut.data()};
        backend->gradients()->matmul({{&product, 1}, out.data(), tokens, false});
        return out;
    });
}

TEST(CpuThreads, ModelsDoNotDependOnTheirNumber)
{
    const std::vector<Golden> all = goldens();
    for (std::size_t i = 0; i < all.size(); i += 5)
        expectAlike(all[i].name, [&] {
            const GoldenModel golden(all[i]);
            std::vector<float> logits = rotationTable(golden.model().config, 200);
            for (const std::int64_t chunk : {1, 7, 64})
                if (const auto session = golden.session(golden.map("mixed"), chunk)) {
                    const auto some = session->run(golden.tokens(), Session::Logits::All);
                    EXPECT_TRUE(some);
                    if (some)
                        logits.insert(logits.end(), some->begin(), some->end());
                }
            return logits;
        });
}

} // namespace
} // namespace zigzag::test
