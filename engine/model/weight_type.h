// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace zigzag {

/// Numbers that are stored in blocks, each with scales of its own: what GGUF files are made of
/// (https://github.com/ggml-org/ggml, src/ggml-common.h; MXFP4: OCP Microscaling Formats 1.0), and what AWQ (arXiv 2306.00978)
/// and GPTQ (arXiv 2210.17323) make: Int4 is scale · (code − zero), of an F16 scale, a zero of one byte, a byte without
/// meaning, and 64 bytes of codes, of which byte j has number j in its lower and number j + 64 in its upper half.
enum class BlockType : std::uint8_t { Q40, Q41, Q50, Q51, Q80, Q4K, Q5K, Q6K, Mxfp4, Int4 };

struct BlockShape {
    std::string_view name; ///< small letters, as people write it
    int length = 1; ///< numbers in a block
    int bytes = 0; ///< of a block
};

/// In the order of BlockType.
inline constexpr std::array blockShapes = {
    BlockShape{"q4_0", 32, 18},  BlockShape{"q4_1", 32, 20},   BlockShape{"q5_0", 32, 22},   BlockShape{"q5_1", 32, 24},
    BlockShape{"q8_0", 32, 34},  BlockShape{"q4_k", 256, 144}, BlockShape{"q5_k", 256, 176}, BlockShape{"q6_k", 256, 210},
    BlockShape{"mxfp4", 32, 17}, BlockShape{"int4", 128, 68},
};

/// How a weight is stored: number by number in a plain type, or in blocks. Rows are whole blocks.
class WeightType
{
public:
    // A plain type is a type of weights wherever one is asked for.
    constexpr WeightType(DType plain = DType::F32)
        : m_id(static_cast<std::uint8_t>(plain))
    { }
    constexpr WeightType(BlockType block)
        : m_id(static_cast<std::uint8_t>(firstBlock + static_cast<int>(block)))
    { }

    constexpr bool isBlocks() const { return m_id >= firstBlock; }
    /// Whether numbers are stored beside scales: in blocks, or as F8 (WeightScales in weights.h).
    constexpr bool isQuantised() const { return isBlocks() || m_id == static_cast<std::uint8_t>(DType::F8); }
    /// None where the numbers lie in blocks.
    constexpr std::optional<DType> plain() const { return isBlocks() ? std::nullopt : std::optional(static_cast<DType>(m_id)); }
    constexpr std::optional<BlockType> block() const
    {
        return isBlocks() ? std::optional(static_cast<BlockType>(m_id - firstBlock)) : std::nullopt;
    }
    /// Numbers in a block; 1 of a plain type.
    constexpr std::int64_t blockLength() const { return isBlocks() ? shape().length : 1; }
    /// Bytes of a block; of a plain type, of a number.
    constexpr std::int64_t blockBytes() const { return isBlocks() ? shape().bytes : bytesOf(static_cast<DType>(m_id)); }
    /// Bytes of so many numbers, a whole number of blocks.
    constexpr std::int64_t bytesFor(std::int64_t numbers) const { return numbers / blockLength() * blockBytes(); }
    constexpr std::string_view name() const { return isBlocks() ? shape().name : nameOf(static_cast<DType>(m_id)); }

    friend constexpr auto operator<=>(const WeightType &, const WeightType &) = default;

private:
    static constexpr int firstBlock = 16;
    constexpr const BlockShape &shape() const { return blockShapes[static_cast<std::size_t>(m_id - firstBlock)]; }

    std::uint8_t m_id;
};

/// Bytes of a row, whose numbers must be whole blocks.
constexpr std::int64_t rowBytes(WeightType type, std::int64_t columns)
{
    return type.bytesFor(columns);
}

constexpr std::string_view nameOf(WeightType type)
{
    return type.name();
}

/// F32, F16, BF16, F8 and the types of blocks: all that a weight may be stored in. F8 is of matrices alone.
std::span<const WeightType> weightTypes();
/// By its name; none where no type has it.
std::optional<WeightType> findWeightType(std::string_view name);

/// `numbers` of any type of weights, a whole number of blocks, as float32: to the bit what the Python package `gguf` makes of
/// them, and of Int4 what its formula says, which is exact. Numbers in F8 are those before their scales (`decodeRow` in
/// tensor_values.h has them). `from` need not be aligned.
void decodeNumbers(WeightType type, const std::byte *from, std::int64_t numbers, float *to);

} // namespace zigzag
