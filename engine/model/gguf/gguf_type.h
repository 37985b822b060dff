// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace zigzag {

/// A type of the tensors in GGUF files: numbers in blocks, each with a scale of its own (https://github.com/ggml-org/ggml).
struct GgufType {
    std::uint32_t number = 0; ///< in files
    std::string_view name;
    std::int64_t length = 1; ///< numbers in a block
    std::int64_t bytes = 0; ///< of a block; 0 where the type is known by its name alone
    std::optional<DType> plain = {}; ///< of types that need no decoding
    /// One block to float32: to the bit what the Python package `gguf` makes of it. Null where the type is plain or not read.
    void (*decode)(const std::byte *block, float *numbers) = nullptr;

    bool isRead() const { return plain || decode; }
    std::int64_t bytesOf(std::int64_t numbers) const { return numbers / length * bytes; }
};

/// Null for a number that stands for no type known here.
const GgufType *findGgufType(std::uint32_t number);

/// `numbers` of any type that is read, a whole number of blocks, as float32; `from` need not be aligned.
void decodeNumbers(const GgufType &type, const std::byte *from, std::int64_t numbers, float *to);

/// The names of the types that are read, for errors.
std::string_view readGgufTypes();

} // namespace zigzag
