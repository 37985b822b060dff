// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/block_layout.h"
#include "engine/model/weight_type.h"
#include "tests/engine/cuda/kernel_fixture.h"

#include <random>

namespace zigzag::test {

/// Random bits of a type, with scales that are numbers of moderate size, in the form of files and in that of GPUs.
struct BlocksMatrix {
    std::vector<std::byte> file;
    std::vector<float> fileScales;
    TensorView view;
    gpu::BlockLayout layout;
    DeviceArray<std::uint8_t> memory;
    std::vector<float> values; // [rows, columns]

    BlocksMatrix(WeightType type, std::int64_t rows, std::int64_t columns, unsigned seed)
        : file(static_cast<std::size_t>(rows * rowBytes(type, columns)))
        , layout(*gpu::heldBlocks(type), rows, columns)
        , memory(static_cast<std::size_t>(layout.bytes()))
    {
        std::mt19937 random(seed);
        for (std::byte &byte : file)
            byte = static_cast<std::byte>(random() % 256);
        view = {file.data(), type, rows, columns};
        if (type == DType::F8) {
            for (std::byte &byte : file)
                byte = (byte & std::byte{0x7f}) == std::byte{0x7f} ? std::byte{0x31} : byte;
            view.scales = {nullptr, 3, 128};
            for (std::int64_t i = 0; i < view.scales.count(rows, columns); ++i)
                fileScales.push_back(0.001f * static_cast<float>(1 + random() % 50));
            view.scales.data = fileScales.data();
        } else {
            putScales(type, random);
        }
        auto *to = reinterpret_cast<std::byte *>(memory.data());
        // In two pieces, as an upload may.
        const std::int64_t half = layout.tiles / 2;
        gpu::layOutBlocks(view, layout, 0, half, to, to + layout.codeBytes());
        gpu::layOutBlocks(view, layout, half, layout.tiles - half, to + half * layout.tileCodes,
                          to + layout.codeBytes() + half * layout.tileParams);
        values.resize(static_cast<std::size_t>(rows * columns));
        for (std::int64_t r = 0; r < rows; ++r) {
            float *row = values.data() + r * columns;
            decodeNumbers(type, file.data() + r * rowBytes(type, columns), columns, row);
            for (std::int64_t c = 0; view.scales && c < columns; ++c)
                row[c] *= view.scales.ofRow(r, columns)[c / 128];
        }
    }

    gpu::BlockMatrix blocks() const
    {
        const auto *codes = reinterpret_cast<const char *>(memory.data());
        return {codes, codes + layout.codeBytes(), static_cast<int>(layout.groups)};
    }

private:
    void putScales(WeightType type, std::mt19937 &random)
    {
        const std::int64_t bytes = type.blockBytes();
        const bool atEnd = type == BlockType::Q6K;
        const bool two = type == BlockType::Q41 || type == BlockType::Q51 || type == BlockType::Q4K || type == BlockType::Q5K;
        for (std::int64_t at = 0; at < std::ssize(file); at += bytes)
            for (int i = 0; i < (two ? 2 : 1); ++i) {
                const std::uint16_t half = floatToF16((i == 1 ? -2e-5f : 1e-5f) * static_cast<float>(1 + random() % 50));
                std::memcpy(file.data() + at + (atEnd ? bytes - 2 : 2 * i), &half, sizeof half);
            }
        for (std::int64_t at = 0; type == BlockType::Int4 && at < std::ssize(file); at += bytes)
            file[static_cast<std::size_t>(at + 2)] = static_cast<std::byte>(random() % 17);
    }
};

inline const std::vector<WeightType> heldTypes = {BlockType::Q40, BlockType::Q41, BlockType::Q50, BlockType::Q51,  BlockType::Q80,
                                                  BlockType::Q4K, BlockType::Q5K, BlockType::Q6K, BlockType::Int4, DType::F8};

} // namespace zigzag::test
