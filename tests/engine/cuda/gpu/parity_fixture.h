// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/backend.h"
#include "tests/engine/cpu/op_fixture.h"

#include <cstring>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <string>

namespace zigzag::test {

/// One side of a comparison: a backend, and the type in which it holds activations of a model of `type`.
struct Side {
    std::shared_ptr<Backend> backend;
    DType active = DType::F32;
};

/// An array on one side, between sentinels: results start as NaN, and a write outside is seen.
class Array
{
public:
    Array(const Side &side, DType type, std::size_t count)
        : m_side(side)
        , m_type(type)
        , m_count(count)
    {
        auto buffer = side.backend->allocate((count + 2 * margin) * size());
        if (!buffer)
            throw std::runtime_error(buffer.error().message);
        m_buffer = std::move(*buffer);
        write(std::vector<float>(count + 2 * margin, sentinel()), 0);
        write(std::vector<float>(count, std::numeric_limits<float>::quiet_NaN()), margin);
    }
    Array(const Side &side, DType type, const std::vector<float> &values)
        : Array(side, type, values.size())
    {
        write(values, margin);
    }

    void *data() const { return m_buffer->as<std::byte>() + margin * size(); }
    float *floats() const { return static_cast<float *>(data()); }
    std::size_t count() const { return m_count; }
    /// Values as float32; fails the test where a sentinel was written over.
    std::vector<float> read() const
    {
        std::vector<std::byte> bytes(m_buffer->bytes());
        m_side.backend->download(bytes.data(), m_buffer->data(), bytes.size());
        std::vector<float> values(m_count + 2 * margin);
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = at(bytes, i);
        for (std::size_t i = 0; i < margin; ++i)
            EXPECT_TRUE(values[i] == sentinel() && values[values.size() - 1 - i] == sentinel()) << "written outside, " << i;
        return {values.begin() + margin, values.end() - margin};
    }

private:
    static constexpr std::size_t margin = 64; // keeps every type's data aligned to 128 bytes

    float sentinel() const { return m_type == DType::F8 ? f8Max : 12288.0f; } // exact
    std::size_t size() const { return static_cast<std::size_t>(bytesOf(m_type)); }
    void write(const std::vector<float> &values, std::size_t first)
    {
        const Stored stored(m_type, values);
        m_side.backend->upload(*m_buffer, first * size(), stored.bytes.data(), stored.bytes.size());
    }
    float at(const std::vector<std::byte> &bytes, std::size_t i) const
    {
        if (m_type == DType::F32) {
            float value = 0;
            std::memcpy(&value, bytes.data() + 4 * i, 4);
            return value;
        }
        if (m_type == DType::F8)
            return f8ToFloat(static_cast<std::uint8_t>(bytes[i]));
        std::uint16_t half = 0;
        std::memcpy(&half, bytes.data() + 2 * i, 2);
        return m_type == DType::F16 ? f16ToFloat(half) : bf16ToFloat(half);
    }

    Side m_side;
    DType m_type;
    std::size_t m_count;
    std::unique_ptr<Buffer> m_buffer;
};

/// Both backends, and the largest relative error of each op, printed at the end.
class Parity : public testing::Test
{
protected:
    void SetUp() override
    {
        auto cpu = createBackend("cpu"), gpu = createBackend("cuda");
        ASSERT_TRUE(cpu);
        ASSERT_TRUE(gpu) << gpu.error().message;
        m_cpu.backend = std::move(*cpu);
        m_gpu.backend = std::move(*gpu);
    }
    void TearDown() override
    {
        for (const auto &[op, error] : m_errors)
            fmt::print("{:<44} {:>9.1e}\n", op, error);
    }

    /// What rounding to the type may cost, with room for sums of such values.
    static double tolerance(DType type) { return type == DType::F32 ? 2e-5 : type == DType::F16 ? 4e-3 : 2.5e-2; }

    /// Values that the type can hold.
    static std::vector<float> randomOf(DType type, std::size_t count, std::uint64_t seed, float scale = 1.0f)
    {
        return Stored(type, randomFloats(count, seed, scale)).values;
    }

    void compare(const std::string &op, DType type, const std::vector<float> &got, const std::vector<float> &expected,
                 const std::string &what)
    {
        ASSERT_EQ(got.size(), expected.size());
        const double error = relativeError(got.data(), std::vector<double>(expected.begin(), expected.end()));
        EXPECT_LE(error, tolerance(type)) << op << ": " << what;
        double &most = m_errors[fmt::format("{:<30} {}", op, nameOf(type))];
        most = std::max(most, error);
    }

    Side m_cpu, m_gpu;
    std::map<std::string, double> m_errors;
};

} // namespace zigzag::test
