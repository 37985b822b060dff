// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// Puts a GGUF file together (version 3, https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): metadata and tensors in the
/// order in which they were added. Tensors' bytes are not copied: they must last until it is written.
class GgufWriter
{
public:
    void text(std::string_view key, std::string_view value);
    void integer(std::string_view key, std::uint32_t value);
    void number(std::string_view key, float value);
    void flags(std::string_view key, const std::vector<bool> &values);
    /// A value as it lay in another file, behind the number of its type (GgufFile::stored).
    void stored(std::string_view key, std::span<const std::byte> value);
    /// shape: rows first. type: GGUF's number, 0 for F32.
    void tensor(std::string_view name, std::span<const std::int64_t> shape, std::uint32_t type, std::span<const std::byte> data);

    /// At the place of `file` only when all of it is written.
    Result<void> write(const std::filesystem::path &file) const;

private:
    static constexpr std::size_t alignment = 32; ///< where general.alignment says nothing

    std::uint64_t m_values = 0;
    std::uint64_t m_place = 0; ///< of the next tensor, within the data
    std::string m_metadata, m_tensors;
    std::vector<std::span<const std::byte>> m_data;
};

} // namespace zigzag
