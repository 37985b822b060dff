// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/launch.h"
#include "tests/engine/cpu/op_fixture.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <type_traits>

namespace zigzag::test {

template <class T>
constexpr DType typeOf = std::is_same_v<T, float> ? DType::F32
    : std::is_same_v<T, gpu::F16>                 ? DType::F16
    : std::is_same_v<T, gpu::F8>                  ? DType::F8
                                                  : DType::BF16;

/// Rounding to a storage type moves a number by at most this, relative to it.
template <class T>
constexpr double roundingOf = std::is_same_v<T, float> ? 0x1p-24
    : std::is_same_v<T, gpu::F16>                      ? 0x1p-11
    : std::is_same_v<T, gpu::F8>                       ? 0x1p-4
                                                       : 0x1p-8;

/// Memory that a kernel works on: it begins at a multiple of 16 bytes, or `shift` elements after one; every element starts
/// as not-a-number, and what is written outside shows.
template <class T> class DeviceArray
{
public:
    explicit DeviceArray(std::size_t count, std::size_t shift = 0)
        : m_count(count)
        , m_shift(shift)
        , m_memory((count + shift) * sizeof(T) + 2 * margin + sizeof(gpu::Vec16), sentinel)
    {
        std::fill_n(m_memory.begin() + static_cast<std::ptrdiff_t>(begin()), count * sizeof(T), std::uint8_t{0xff});
    }
    explicit DeviceArray(const std::vector<float> &values, std::size_t shift = 0)
        : DeviceArray(values.size(), shift)
    {
        for (std::size_t i = 0; i < values.size(); ++i)
            data()[i] = gpu::fromFloat<T>(values[i]);
    }
    DeviceArray(const DeviceArray &) = delete; // a copy would begin elsewhere
    DeviceArray &operator=(const DeviceArray &) = delete;
    T *data() const { return reinterpret_cast<T *>(const_cast<unsigned char *>(m_memory.data()) + begin()); }
    std::size_t size() const { return m_count; }
    std::size_t bytes() const { return m_count * sizeof(T); }
    T &operator[](std::size_t i) const { return data()[i]; }
    std::vector<float> floats() const
    {
        std::vector<float> values;
        for (std::size_t i = 0; i < m_count; ++i)
            values.push_back(gpu::toFloat(data()[i]));
        return values;
    }
    bool intact() const
    {
        const auto isSentinel = [](unsigned char byte) { return byte == sentinel; };
        const auto first = m_memory.begin() + static_cast<std::ptrdiff_t>(begin());
        return std::all_of(m_memory.begin(), first, isSentinel)
            && std::all_of(first + static_cast<std::ptrdiff_t>(bytes()), m_memory.end(), isSentinel);
    }

private:
    static constexpr std::size_t margin = 64;
    static constexpr unsigned char sentinel = 0xa5;
    std::size_t begin() const
    {
        const auto address = reinterpret_cast<std::uintptr_t>(m_memory.data()) + margin;
        return margin + (16 - address % 16) % 16 + m_shift * sizeof(T);
    }

    std::size_t m_count, m_shift;
    std::vector<unsigned char> m_memory;
};

/// |got − expected| within `tolerance` of the expected value and `floor` of the largest; not-a-number equals itself alone.
inline void expectClose(const std::vector<float> &got, const std::vector<float> &expected, double tolerance, double floor)
{
    ASSERT_EQ(got.size(), expected.size());
    double largest = 0;
    for (const float value : expected)
        largest = std::isnan(value) ? largest : std::max(largest, std::abs(double{value}));
    for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(std::isnan(got[i]), std::isnan(expected[i])) << i;
        if (std::isnan(got[i]))
            continue;
        ASSERT_LE(std::abs(double{got[i]} - expected[i]), tolerance * std::abs(double{expected[i]}) + floor * largest) << i;
    }
}

} // namespace zigzag::test
