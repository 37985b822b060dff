// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/temp_folder.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag::test {

/// Puts a GGUF file together, right or wrong.
class GgufBuilder
{
public:
    std::uint32_t version = 3;
    std::uint64_t extraTensors = 0, extraValues = 0; ///< claimed beyond those that are there

    GgufBuilder &text(std::string_view key, std::string_view value) { return raw(key, 8, string(value)); }
    GgufBuilder &u32(std::string_view key, std::uint32_t value) { return raw(key, 4, bytes(value)); }
    GgufBuilder &u64(std::string_view key, std::uint64_t value) { return raw(key, 10, bytes(value)); }
    GgufBuilder &f32(std::string_view key, float value) { return raw(key, 6, bytes(value)); }
    GgufBuilder &flag(std::string_view key, bool value) { return raw(key, 7, bytes(value)); }
    GgufBuilder &texts(std::string_view key, const std::vector<std::string> &values)
    {
        std::string all = bytes(std::uint32_t{8}) + bytes(std::uint64_t{values.size()});
        for (const std::string &value : values)
            all += string(value);
        return raw(key, 9, all);
    }
    /// A value of any type, as its bytes are.
    GgufBuilder &raw(std::string_view key, std::uint32_t type, const std::string &value)
    {
        m_metadata += string(key) + bytes(type) + value;
        ++m_values;
        return *this;
    }
    /// `dimensions` in the file's order, columns first; the data is `data`, at the next place of the alignment.
    GgufBuilder &tensor(std::string_view name, std::vector<std::uint64_t> dimensions, std::uint32_t type, const std::string &data)
    {
        place(name, std::move(dimensions), type, m_data.size());
        m_data += data;
        m_data.resize((m_data.size() + 31) / 32 * 32);
        return *this;
    }
    /// A tensor that claims to lie at `offset`.
    GgufBuilder &place(std::string_view name, std::vector<std::uint64_t> dimensions, std::uint32_t type, std::uint64_t offset)
    {
        m_tensors += string(name) + bytes(static_cast<std::uint32_t>(dimensions.size()));
        for (const std::uint64_t dimension : dimensions)
            m_tensors += bytes(dimension);
        m_tensors += bytes(type) + bytes(offset);
        ++m_count;
        return *this;
    }

    std::string content() const
    {
        std::string all
            = "GGUF" + bytes(version) + bytes(m_count + extraTensors) + bytes(m_values + extraValues) + m_metadata + m_tensors;
        all.resize((all.size() + 31) / 32 * 32);
        return all + m_data;
    }
    std::filesystem::path write(const std::filesystem::path &file) const
    {
        writeText(file, content());
        return file;
    }

    template <class T> static std::string bytes(T value)
    {
        std::string text(sizeof value, '\0');
        std::memcpy(text.data(), &value, sizeof value);
        return text;
    }
    static std::string string(std::string_view text) { return bytes(std::uint64_t{text.size()}) + std::string(text); }

private:
    std::uint64_t m_values = 0, m_count = 0;
    std::string m_metadata, m_tensors, m_data;
};

/// Sets a variable of the environment while it lives.
class Environment
{
public:
    Environment(const char *name, const char *value)
        : m_name(name)
    {
        ::setenv(name, value, 1);
    }
    ~Environment() { ::unsetenv(m_name); }
    Environment(const Environment &) = delete;
    Environment &operator=(const Environment &) = delete;

private:
    const char *m_name;
};

} // namespace zigzag::test
