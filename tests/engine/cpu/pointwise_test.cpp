// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/engine/cpu/op_fixture.h"

#include <cstring>

namespace zigzag::test {
namespace {

class Pointwise : public testing::Test
{
protected:
    std::unique_ptr<Backend> backend = createCpuBackend();
};

TEST_F(Pointwise, EmbedReadsEveryType)
{
    const std::int64_t rows = 5, columns = 37;
    for (const DType type : allTypes) {
        const Stored table(type, randomFloats(static_cast<std::size_t>(rows * columns), 1));
        for (const std::size_t shift : {0, 1}) { // files may place tensors at odd addresses
            std::vector<std::byte> file(table.bytes.size() + 1);
            std::memcpy(file.data() + shift, table.bytes.data(), table.bytes.size());
            const auto matrix = backend->prepare({file.data() + shift, type, rows, columns});
            ASSERT_TRUE(matrix);
            const std::vector<int> tokens = {4, 0, 4, 2};
            auto out = guardedFloats(tokens.size() * static_cast<std::size_t>(columns));
            backend->embed({tokens.data(), std::ssize(tokens), matrix->get(), out.data()});
            for (std::size_t t = 0; t < tokens.size(); ++t)
                for (std::size_t c = 0; c < static_cast<std::size_t>(columns); ++c)
                    ASSERT_EQ(out[t * 37 + c], table.values[static_cast<std::size_t>(tokens[t]) * 37 + c]);
            EXPECT_TRUE(out.intact());
        }
    }
}

TEST_F(Pointwise, RmsNorm)
{
    for (const std::size_t width : {1, 2, 15, 16, 63, 64, 100, 2048}) {
        const std::size_t tokens = 3;
        const auto in = randomFloats(tokens * width, width), weight = randomFloats(width, 2);
        std::vector<double> expected(tokens * width);
        for (std::size_t t = 0; t < tokens; ++t) {
            double squares = 0;
            for (std::size_t c = 0; c < width; ++c)
                squares += double{in[t * width + c]} * in[t * width + c];
            for (std::size_t c = 0; c < width; ++c)
                expected[t * width + c] = in[t * width + c] / std::sqrt(squares / static_cast<double>(width) + 1e-5) * weight[c];
        }
        auto out = guardedFloats(in.size());
        const auto size = static_cast<std::int64_t>(width);
        backend->rmsNorm({in.data(), weight.data(), out.data(), 3, size, 1e-5f});
        EXPECT_LT(relativeError(out.data(), expected), 1e-6) << width;
        EXPECT_TRUE(out.intact());
        auto inPlace = guardedFloats(in.size());
        std::copy(in.begin(), in.end(), inPlace.data());
        backend->rmsNorm({inPlace.data(), weight.data(), inPlace.data(), 3, size, 1e-5f});
        EXPECT_EQ(std::memcmp(inPlace.data(), out.data(), in.size() * sizeof(float)), 0);
        EXPECT_TRUE(inPlace.intact());
    }
}

TEST_F(Pointwise, SwiGlu)
{
    for (const std::size_t count : {1, 7, 16, 33, 2049, 40000}) {
        auto gate = randomFloats(count, 1, 4.0f);
        const auto up = randomFloats(count, 2);
        gate[0] = -500.0f; // exp(500) is beyond float32
        gate[count / 2] = 500.0f;
        std::vector<double> expected(count);
        for (std::size_t i = 0; i < count; ++i)
            expected[i] = gate[i] / (1.0 + std::exp(-double{gate[i]})) * up[i];
        auto out = guardedFloats(count);
        backend->swiGlu({gate.data(), up.data(), out.data(), static_cast<std::int64_t>(count)});
        for (std::size_t i = 0; i < count; ++i)
            ASSERT_NEAR(out[i], expected[i], 1e-6 * (1 + std::abs(expected[i]))) << i;
        EXPECT_TRUE(out.intact());
    }
}

TEST_F(Pointwise, CopyHeadsGathersAndScatters)
{
    const std::vector<int> heads = {3, 0};
    constexpr int dim = 6;
    constexpr std::size_t row = dim;
    const auto in = randomFloats(2 * 4 * row, 1);
    auto gathered = guardedFloats(2 * 2 * row);
    backend->copyHeads({in.data(), gathered.data(), heads, 2, 4, 2, dim, false});
    auto scattered = guardedFloats(2 * 4 * row);
    backend->copyHeads({gathered.data(), scattered.data(), heads, 2, 2, 4, dim, true});
    for (std::size_t i = 0; i < scattered.size(); ++i) {
        const std::size_t head = i / row % 4;
        if (head == 3 || head == 0)
            EXPECT_EQ(scattered[i], in[i]);
        else
            EXPECT_TRUE(std::isnan(scattered[i]));
    }
    EXPECT_TRUE(gathered.intact() && scattered.intact());
}

TEST_F(Pointwise, AllocationIsAlignedAndRefusedInOneLine)
{
    const auto buffer = backend->allocate(1000);
    ASSERT_TRUE(buffer);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>((*buffer)->data()) % 64, 0u);
    EXPECT_EQ((*buffer)->bytes(), 1000u);
    for (const std::size_t bytes : {std::numeric_limits<std::size_t>::max(), std::size_t{1} << 60}) {
        const auto refused = backend->allocate(bytes);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().message.find('\n'), std::string::npos);
        EXPECT_NE(refused.error().message.find(std::to_string(bytes)), std::string::npos);
    }
}

TEST_F(Pointwise, DeviceIsDescribed)
{
    const DeviceInfo info = backend->device();
    EXPECT_FALSE(info.name.empty());
    EXPECT_GE(info.threads, 1);
    EXPECT_GT(info.memoryBytes, 0);
    EXPECT_GT(info.lastLevelCacheBytes, 0);
}

TEST(Registry, KnowsItsBackendsAndRefusesOthersByName)
{
    for (const char *name : {"cpu", "auto"}) {
        const auto backend = createBackend(name);
        ASSERT_TRUE(backend) << name;
        EXPECT_FALSE((*backend)->name().empty());
    }
    const auto unknown = createBackend("tpu");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().kind, ErrorKind::BadInput);
    EXPECT_NE(unknown.error().message.find("tpu"), std::string::npos);
}

} // namespace
} // namespace zigzag::test
