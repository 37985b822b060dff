// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/block_layout.h"

#include "engine/base/dtype.h"
#include "engine/cuda/gpu/heuristics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

namespace zigzag::gpu {

namespace {

constexpr int partNumbers = 32;

/// 32 neighbours: scale · code + least, or (Zero) scale · (code − least). Symmetric forms: `least` says nothing.
struct Part {
    std::array<std::uint8_t, partNumbers> codes = {};
    std::array<float, 2> scales = {}; ///< of its halves
    float least = 0;
};

std::uint8_t byteAt(const std::byte *from, int i)
{
    return std::to_integer<std::uint8_t>(from[i]);
}

float halfAt(const std::byte *from)
{
    std::uint16_t bits = 0;
    std::memcpy(&bits, from, sizeof bits);
    return f16ToFloat(bits);
}

/// Number i in the lower half of byte i, number i + 16 in its upper half; `high`: their fifth bits, or null.
void smallCodes(Part &part, const std::byte *codes, const std::byte *high)
{
    for (int i = 0; i < partNumbers; ++i) {
        const int four = i < 16 ? byteAt(codes, i) & 15 : byteAt(codes, i - 16) >> 4;
        const int fifth = high ? byteAt(high, i / 8) >> i % 8 & 1 : 0;
        part.codes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(four | fifth << 4);
    }
}

/// Scale and least value of one of eight parts of Q4_K and Q5_K.
void packedScale(Part &part, const std::byte *block, int index)
{
    const std::byte *packed = block + 4;
    const int upper = index < 4 ? 0 : byteAt(packed, index + 4);
    const int scale = index < 4 ? byteAt(packed, index) & 63 : (upper & 15) | byteAt(packed, index - 4) >> 6 << 4;
    const int least = index < 4 ? byteAt(packed, index + 4) & 63 : upper >> 4 | byteAt(packed, index) >> 6 << 4;
    part.scales.fill(halfAt(block) * static_cast<float>(scale));
    part.least = -halfAt(block + 2) * static_cast<float>(least);
}

void partOfK(Part &part, const std::byte *block, int index, const std::byte *codes, const std::byte *high)
{
    packedScale(part, block, index);
    for (int i = 0; i < partNumbers; ++i) {
        const int four = byteAt(codes, index / 2 * partNumbers + i) >> (index % 2 * 4) & 15;
        const int fifth = high ? byteAt(high, i) >> index & 1 : 0;
        part.codes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(four | fifth << 4);
    }
}

void partOfQ6K(Part &part, const std::byte *block, int index)
{
    for (int i = 0; i < partNumbers; ++i) {
        const int within = index % 4 * partNumbers + i;
        const int low = byteAt(block, index / 4 * 64 + within % 64) >> (within / 64 * 4) & 15;
        const int high = byteAt(block, 128 + index / 4 * 32 + i) >> (index % 4 * 2) & 3;
        part.codes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(low | high << 4);
    }
    for (int half = 0; half < 2; ++half)
        part.scales[static_cast<std::size_t>(half)]
            = halfAt(block + 208) * static_cast<float>(static_cast<std::int8_t>(byteAt(block, 192 + 2 * index + half)));
}

/// Part `index` of a row, of any type of blocks that heldBlocks names.
Part partAt(BlockType type, const std::byte *row, std::int64_t index)
{
    const WeightType whole(type);
    const std::int64_t perBlock = whole.blockLength() / partNumbers;
    const std::byte *block = row + index / perBlock * whole.blockBytes();
    const int within = static_cast<int>(index % perBlock);
    Part part;
    if (perBlock == 1)
        part.scales.fill(halfAt(block));
    switch (type) {
    case BlockType::Q40:
        smallCodes(part, block + 2, nullptr);
        break;
    case BlockType::Q41:
        part.least = halfAt(block + 2);
        smallCodes(part, block + 4, nullptr);
        break;
    case BlockType::Q50:
        part.least = -16 * part.scales[0];
        smallCodes(part, block + 6, block + 2);
        break;
    case BlockType::Q51:
        part.least = halfAt(block + 2);
        smallCodes(part, block + 8, block + 4);
        break;
    case BlockType::Q80:
        for (int i = 0; i < partNumbers; ++i)
            part.codes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(byteAt(block, 2 + i) ^ 0x80);
        break;
    case BlockType::Q4K:
        partOfK(part, block, within, block + 16, nullptr);
        break;
    case BlockType::Q5K:
        partOfK(part, block, within, block + 48, block + 16);
        break;
    case BlockType::Q6K:
        partOfQ6K(part, block, within);
        break;
    default: // Int4
        part.scales.fill(halfAt(block));
        part.least = byteAt(block, 2);
        for (int i = 0; i < partNumbers; ++i)
            part.codes[static_cast<std::size_t>(i)]
                = static_cast<std::uint8_t>(byteAt(block, 4 + within % 2 * partNumbers + i) >> (within / 2 * 4) & 15);
    }
    return part;
}

void putHalf(std::byte *to, float value)
{
    const std::uint16_t bits = floatToF16(value);
    std::memcpy(to, &bits, sizeof bits);
}

/// Part s of a group, into its words of a row.
void putPart(HeldBlocks held, const Part &part, int s, float scale, std::byte *codes, std::byte *params)
{
    const bool twoPlanes = held == HeldBlocks::Symmetric8 || held == HeldBlocks::Affine8 || held == HeldBlocks::Halves8;
    for (int t = 0; t < 4; ++t) {
        std::uint32_t words[2] = {};
        for (int c = 0; c < 8; ++c) {
            const std::uint32_t code = part.codes[static_cast<std::size_t>(8 * t + c)];
            words[0] |= (code & 15) << (16 * (c % 2) + 4 * (c / 2));
            words[1] |= (code >> 4) << (16 * (c % 2) + 4 * (c / 2));
        }
        for (int plane = 0; plane < (twoPlanes ? 2 : 1); ++plane)
            std::memcpy(codes + plane * blockTileRows * 64 + t * 16 + s * 4, &words[plane], 4);
    }
    switch (held) {
    case HeldBlocks::Affine4:
    case HeldBlocks::Affine8:
        putHalf(params + 4 * s, scale * part.scales[0]);
        putHalf(params + 4 * s + 2, scale * part.least);
        break;
    case HeldBlocks::Halves8:
        putHalf(params + 4 * s, scale * part.scales[0]);
        putHalf(params + 4 * s + 2, scale * part.scales[1]);
        break;
    case HeldBlocks::Zero4:
        putHalf(params, part.scales[0]);
        putHalf(params + 2, part.least);
        break;
    default:
        putHalf(params + 2 * s, part.scales[0]);
    }
}

void putF8Group(const TensorView &matrix, std::int64_t row, std::int64_t group, std::byte *codes, std::byte *params)
{
    const std::byte *from = matrix.data + row * matrix.columns;
    for (std::int64_t i = 0; i < blockGroup && group * blockGroup + i < matrix.columns; ++i) {
        const std::int64_t s = i / 32, t = i / 8 % 4, c = i % 8;
        codes[s / 2 * blockTileRows * 64 + t * 16 + s % 2 * 8 + c] = from[group * blockGroup + i];
    }
    const float scale
        = matrix.scales ? matrix.scales.ofRow(row, matrix.columns)[group * blockGroup / matrix.scales.columnsPerScale] : 1.0f;
    std::memcpy(params, &scale, sizeof scale);
}

} // namespace

std::optional<HeldBlocks> heldBlocks(WeightType type)
{
    if (type == DType::F8)
        return HeldBlocks::F8;
    const auto block = type.block();
    if (!block)
        return std::nullopt;
    switch (*block) {
    case BlockType::Q40:
        return HeldBlocks::Symmetric4;
    case BlockType::Q80:
        return HeldBlocks::Symmetric8;
    case BlockType::Q41:
    case BlockType::Q4K:
        return HeldBlocks::Affine4;
    case BlockType::Q50:
    case BlockType::Q51:
    case BlockType::Q5K:
        return HeldBlocks::Affine8;
    case BlockType::Q6K:
        return HeldBlocks::Halves8;
    case BlockType::Int4:
        return HeldBlocks::Zero4;
    default:
        return std::nullopt;
    }
}

BlockLayout::BlockLayout(HeldBlocks form, std::int64_t rows, std::int64_t columns)
    : held(form)
    , groups((columns + blockGroup - 1) / blockGroup)
    , tiles((rows + 2 * blockTileRows - 1) / (2 * blockTileRows) * 2)
{
    withBlocks(form, [&]<class Format>(Format) {
        tileCodes = groups * Format::planes * blockTileRows * 64;
        tileParams = groups * blockTileRows * Format::paramWords * 4;
    });
}

Result<void> checkBlocks(const TensorView &matrix)
{
    const std::int64_t length = matrix.scales.columnsPerScale;
    if (matrix.columns % 8 == 0 && (!matrix.scales || length >= matrix.columns || length % blockGroup == 0))
        return {};
    return badInput(fmt::format("a matrix of {} columns has a scale for every {}, which the cuda backend does not run: use "
                                "--backend cpu",
                                matrix.columns, length));
}

float paramScale(const TensorView &matrix)
{
    const auto block = matrix.type.block();
    if (!block || (*block != BlockType::Q4K && *block != BlockType::Q5K && *block != BlockType::Q6K && *block != BlockType::Q50))
        return 1;
    // Bounds of the products: of the scales of a block, times their largest factors.
    float largest = 0;
    const std::int64_t bytes = matrix.type.blockBytes(), count = matrix.bytes() / bytes;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::byte *at = matrix.data + i * bytes;
        const float bound = *block == BlockType::Q6K ? 128 * std::abs(halfAt(at + 208))
            : *block == BlockType::Q50               ? 16 * std::abs(halfAt(at))
                                                     : 63 * std::max(std::abs(halfAt(at)), std::abs(halfAt(at + 2)));
        largest = std::isfinite(bound) ? std::max(largest, bound) : largest;
    }
    int exponent = 0;
    std::frexp(largest, &exponent); // largest < 2^exponent
    return largest > 0 ? std::ldexp(1.0f, 15 - exponent) : 1.0f;
}

void layOutBlocks(const TensorView &matrix, const BlockLayout &layout, float scale, std::int64_t first, std::int64_t count,
                  std::byte *codes, std::byte *params)
{
    std::fill_n(codes, count * layout.tileCodes, std::byte{0});
    std::fill_n(params, count * layout.tileParams, std::byte{0});
    const std::int64_t codesOfGroup = layout.tileCodes / layout.groups,
                       paramsOfRow = layout.tileParams / layout.groups / blockTileRows;
    const std::int64_t end = std::min((first + count) * blockTileRows, matrix.rows);
    for (std::int64_t row = first * blockTileRows; row < end; ++row)
        for (std::int64_t group = 0; group < layout.groups; ++group) {
            const std::int64_t at = (row / blockTileRows - first) * layout.groups + group, within = row % blockTileRows;
            std::byte *rowCodes = codes + at * codesOfGroup + within * 64;
            std::byte *rowParams = params + (at * blockTileRows + within) * paramsOfRow;
            if (layout.held == HeldBlocks::F8) {
                putF8Group(matrix, row, group, rowCodes, rowParams);
                continue;
            }
            const std::byte *from = matrix.data + row * rowBytes(matrix.type, matrix.columns);
            for (int s = 0; s < 4 && group * blockGroup + s * partNumbers < matrix.columns; ++s)
                putPart(layout.held, partAt(*matrix.type.block(), from, group * 4 + s), s, scale, rowCodes, rowParams);
        }
}

std::int64_t blockPaddedColumns(HeldBlocks held, std::int64_t columns)
{
    const std::int64_t round = matvecWarps * blockGroup
        * withBlocks(held, []<class Format>(Format) { return std::int64_t{blockRoundGroups<Format>}; });
    return (columns + round - 1) / round * round;
}

} // namespace zigzag::gpu
