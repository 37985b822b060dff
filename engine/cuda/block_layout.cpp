// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/block_layout.h"

#include "engine/base/dtype.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

namespace zigzag::gpu {

namespace {

constexpr int partNumbers = 32;

/// 32 neighbours, and what a form has beside their codes, in the file's own numbers.
struct Part {
    std::array<std::uint8_t, partNumbers> codes = {}; ///< of signed forms in two's complement
    float scale = 0, least = 0; ///< scale · code + least, or (Zero) scale · (code − least); Packed: what both are multiplied with
    std::array<std::uint8_t, 2> factors = {}; ///< Packed: of scale and least value; Halves: of each half's scale
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

/// Number i in the lower half of byte i, number i + 16 in its upper half; `high`: their fifth bits, or null. `zero`: a power of
/// two that is taken off.
void smallCodes(Part &part, const std::byte *codes, const std::byte *high, int zero = 0)
{
    for (int i = 0; i < partNumbers; ++i) {
        const int four = i < 16 ? byteAt(codes, i) & 15 : byteAt(codes, i - 16) >> 4;
        const int fifth = high ? byteAt(high, i / 8) >> i % 8 & 1 : 0;
        part.codes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>((four | fifth << 4) - zero);
    }
}

/// Scale and least value of one of eight parts of Q4_K and Q5_K.
void packedScale(Part &part, const std::byte *block, int index)
{
    const std::byte *packed = block + 4;
    const int upper = index < 4 ? 0 : byteAt(packed, index + 4);
    const int scale = index < 4 ? byteAt(packed, index) & 63 : (upper & 15) | byteAt(packed, index - 4) >> 6 << 4;
    const int least = index < 4 ? byteAt(packed, index + 4) & 63 : upper >> 4 | byteAt(packed, index) >> 6 << 4;
    part.factors = {static_cast<std::uint8_t>(scale), static_cast<std::uint8_t>(least)};
    part.scale = halfAt(block);
    part.least = halfAt(block + 2);
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
        part.codes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>((low | high << 4) - 32);
    }
    part.factors = {byteAt(block, 192 + 2 * index), byteAt(block, 193 + 2 * index)};
    part.scale = halfAt(block + 208);
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
        part.scale = halfAt(block);
    switch (type) {
    case BlockType::Q40:
        smallCodes(part, block + 2, nullptr, 8);
        break;
    case BlockType::Q41:
        part.least = halfAt(block + 2);
        smallCodes(part, block + 4, nullptr);
        break;
    case BlockType::Q50:
        smallCodes(part, block + 6, block + 2, 16);
        break;
    case BlockType::Q51:
        part.least = halfAt(block + 2);
        smallCodes(part, block + 8, block + 4);
        break;
    case BlockType::Q80:
        for (int i = 0; i < partNumbers; ++i)
            part.codes[static_cast<std::size_t>(i)] = byteAt(block, 2 + i);
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
        part.scale = halfAt(block);
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

/// Where the parts of one row of a group go: its row of the first plane, of a plane of two words, and its params (BlockParams).
struct GroupRow {
    std::byte *codes, *low, *params, *last;
};

void putCodes(HeldBlocks held, const Part &part, int s, const GroupRow &to)
{
    const auto codeOf = [&](int t, int half, int i) {
        const int at = 16 * half + 4 * t + i;
        return std::uint32_t{part.codes[static_cast<std::size_t>(at)]};
    };
    const bool six = held == HeldBlocks::Halves6;
    const bool eight = held == HeldBlocks::Symmetric8 || held == HeldBlocks::Affine8 || held == HeldBlocks::Packed8;
    for (int t = 0; t < 4; ++t) {
        std::uint32_t words[2] = {}, low = 0;
        for (int half = 0; half < 2; ++half)
            for (int i = 0; i < 4; ++i) {
                const std::uint32_t code = codeOf(t, half, i);
                if (eight) {
                    words[half] |= code << 8 * i;
                    continue;
                }
                words[0] |= ((six ? code >> 2 : code) & 15) << (8 * i + 4 * half);
                low |= (code & 3) << (8 * i + 4 * (s % 2) + 2 * half);
            }
        if (eight) {
            std::memcpy(to.codes + std::int64_t{s / 2} * blockTileRows * 64 + std::int64_t{t} * 16 + std::int64_t{s % 2} * 8,
                        words, 8);
            continue;
        }
        std::memcpy(to.codes + std::int64_t{t} * 16 + std::int64_t{s} * 4, words, 4);
        if (six) {
            std::uint32_t both = 0;
            std::byte *const at = to.low + std::int64_t{t} * 8 + std::int64_t{s / 2} * 4;
            std::memcpy(&both, at, 4);
            both |= low;
            std::memcpy(at, &both, 4);
        }
    }
}

/// Part s of a group.
void putPart(HeldBlocks held, const Part &part, int s, const GroupRow &to)
{
    putCodes(held, part, s, to);
    switch (held) {
    case HeldBlocks::Affine4:
    case HeldBlocks::Affine8:
        putHalf(to.params + std::int64_t{4} * s, part.scale);
        putHalf(to.params + std::int64_t{4} * s + 2, part.least);
        break;
    case HeldBlocks::Packed4:
    case HeldBlocks::Packed8:
        std::memcpy(to.params + std::int64_t{2} * s, part.factors.data(), 2);
        putHalf(to.last, part.scale);
        putHalf(to.last + 2, part.least);
        break;
    case HeldBlocks::Halves6:
        std::memcpy(to.params + std::int64_t{2} * s, part.factors.data(), 2);
        std::memcpy(to.last, &part.scale, 4);
        break;
    case HeldBlocks::Zero4:
        putHalf(to.params, part.scale);
        putHalf(to.params + 2, part.least);
        break;
    default:
        putHalf(to.params + std::int64_t{2} * s, part.scale);
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
    case BlockType::Q50:
    case BlockType::Q80:
        return HeldBlocks::Symmetric8;
    case BlockType::Q41:
        return HeldBlocks::Affine4;
    case BlockType::Q51:
        return HeldBlocks::Affine8;
    case BlockType::Q4K:
        return HeldBlocks::Packed4;
    case BlockType::Q5K:
        return HeldBlocks::Packed8;
    case BlockType::Q6K:
        return HeldBlocks::Halves6;
    case BlockType::Int4:
        return HeldBlocks::Zero4;
    default:
        return std::nullopt;
    }
}

BlockLayout::BlockLayout(HeldBlocks form, std::int64_t rows, std::int64_t columns)
    : held(form)
    , groups((columns + blockGroup - 1) / blockGroup)
    , tiles((rows + std::int64_t{2} * blockTileRows - 1) / (std::int64_t{2} * blockTileRows) * 2)
{
    withBlocks(form, [&]<class Format>(Format) {
        tileCodes = groups * Format::groupBytes;
        tileParams = groups * Format::groupParams;
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

void layOutBlocks(const TensorView &matrix, const BlockLayout &layout, std::int64_t first, std::int64_t count, std::byte *codes,
                  std::byte *params)
{
    std::fill_n(codes, count * layout.tileCodes, std::byte{0});
    std::fill_n(params, count * layout.tileParams, std::byte{0});
    const std::int64_t codesOfGroup = layout.tileCodes / layout.groups, paramsOfGroup = layout.tileParams / layout.groups;
    const std::int64_t paramsOfRow = paramsOfGroup / blockTileRows;
    const bool apart
        = layout.held == HeldBlocks::Packed4 || layout.held == HeldBlocks::Packed8 || layout.held == HeldBlocks::Halves6;
    const std::int64_t end = std::min((first + count) * blockTileRows, matrix.rows);
    for (std::int64_t row = first * blockTileRows; row < end; ++row)
        for (std::int64_t group = 0; group < layout.groups; ++group) {
            const std::int64_t at = (row / blockTileRows - first) * layout.groups + group, within = row % blockTileRows;
            std::byte *groupCodes = codes + at * codesOfGroup, *groupParams = params + at * paramsOfGroup;
            const GroupRow to
                = {groupCodes + within * 64, groupCodes + std::int64_t{blockTileRows} * 64 + within * 32,
                   groupParams + within * (apart ? 8 : paramsOfRow), groupParams + std::int64_t{blockTileRows} * 8 + within * 4};
            if (layout.held == HeldBlocks::F8) {
                putF8Group(matrix, row, group, to.codes, to.params);
                continue;
            }
            const std::byte *from = matrix.data + row * rowBytes(matrix.type, matrix.columns);
            for (int s = 0; s < 4 && group * blockGroup + std::int64_t{s} * partNumbers < matrix.columns; ++s)
                putPart(layout.held, partAt(*matrix.type.block(), from, group * 4 + s), s, to);
        }
}

std::int64_t blockPaddedColumns(HeldBlocks held, std::int64_t columns)
{
    const std::int64_t round = blockGroup * withBlocks(held, []<class Format>(Format) {
                                   return Format::f8 ? std::int64_t{matvecWarps} * blockRoundGroups<Format> : std::int64_t{1};
                               });
    return (columns + round - 1) / round * round;
}

CodesRing codesRing(HeldBlocks held)
{
    return withBlocks(held, []<class Format>(Format) {
        return Format::f8 ? CodesRing{}
                          : CodesRing{codesWarps * 2 * (Format::groupBytes + Format::groupParams), codesSlots<Format::bits>};
    });
}

} // namespace zigzag::gpu
