// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/cpu/cpu_backend.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <vector>

namespace zigzag::test {

/// Results between sentinels: every element starts as poison, and a write outside shows.
template <class T> class Guarded
{
public:
    Guarded(std::size_t count, T poison, T sentinel)
        : m_sentinel(sentinel)
        , m_memory(count + 2 * margin, sentinel)
    {
        std::fill(m_memory.begin() + margin, m_memory.end() - margin, poison);
    }
    T *data() { return m_memory.data() + margin; }
    T &operator[](std::size_t i) { return data()[i]; }
    std::size_t size() const { return m_memory.size() - 2 * margin; }
    bool intact() const
    {
        for (std::size_t i = 0; i < margin; ++i)
            if (m_memory[i] != m_sentinel || m_memory[m_memory.size() - 1 - i] != m_sentinel)
                return false;
        return true;
    }

private:
    static constexpr std::size_t margin = 68;
    T m_sentinel;
    std::vector<T> m_memory;
};

inline Guarded<float> guardedFloats(std::size_t count)
{
    return Guarded<float>(count, std::numeric_limits<float>::quiet_NaN(), 12345.0f);
}

inline std::vector<float> randomFloats(std::size_t count, std::uint64_t seed, float scale = 1.0f)
{
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal(0.0f, scale);
    std::vector<float> values(count);
    for (float &value : values)
        value = normal(random);
    return values;
}

/// Values in a storage type, and what they read back as.
struct Stored {
    DType type = DType::F32;
    std::vector<std::byte> bytes;
    std::vector<float> values;

    Stored(DType storage, const std::vector<float> &from)
        : type(storage)
        , values(from)
    {
        bytes.resize(from.size() * static_cast<std::size_t>(bytesOf(type)));
        for (std::size_t i = 0; i < from.size(); ++i) {
            if (type == DType::F32) {
                std::memcpy(bytes.data() + 4 * i, &from[i], 4);
                continue;
            }
            if (type == DType::F8) {
                const std::uint8_t byte = floatToF8(from[i]);
                std::memcpy(bytes.data() + i, &byte, 1);
                values[i] = f8ToFloat(byte);
                continue;
            }
            const std::uint16_t half = type == DType::F16 ? floatToF16(from[i]) : floatToBf16(from[i]);
            std::memcpy(bytes.data() + 2 * i, &half, 2);
            values[i] = type == DType::F16 ? f16ToFloat(half) : bf16ToFloat(half);
        }
    }
};

/// The largest difference over the largest magnitude of the reference; infinite where anything is not a number.
inline double relativeError(const float *got, const std::vector<double> &expected)
{
    double difference = 0, largest = 1e-30;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double error = std::abs(static_cast<double>(got[i]) - expected[i]);
        difference = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(difference, error);
        largest = std::max(largest, std::abs(expected[i]));
    }
    return difference / largest;
}

inline const std::vector<DType> allTypes = {DType::F32, DType::F16, DType::BF16};

} // namespace zigzag::test
