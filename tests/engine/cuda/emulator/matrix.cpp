// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/engine/cuda/emulator/matrix.h"

#include "engine/base/dtype.h"

#include <cstring>

namespace zigzag::gpu::emulator {

namespace {

std::uint16_t halfOf(std::uint32_t pair, int which)
{
    return static_cast<std::uint16_t>(which == 0 ? pair : pair >> 16);
}

/// Fragments to matrices, their product, and back ("Matrix Fragments for mma.m16n8k16").
template <float (*toFloat)(std::uint16_t)> void multiply(void *const *lanes)
{
    double a[16][16], b[16][8]; // [m][k], [k][n]
    for (int lane = 0; lane < warpSize; ++lane) {
        const auto &mine = *static_cast<const Fragments *>(lanes[lane]);
        const int group = lane / 4, inGroup = lane % 4;
        for (int i = 0; i < 8; ++i) // a0 … a7: row by i, column by i and the place in the group
            a[group + (i / 2 % 2) * 8][inGroup * 2 + i % 2 + (i / 4) * 8] = toFloat(halfOf(mine.a[i / 2], i % 2));
        for (int i = 0; i < 4; ++i) // b0 … b3
            b[inGroup * 2 + i % 2 + (i / 2) * 8][group] = toFloat(halfOf(mine.b[i / 2], i % 2));
    }
    double product[16][8] = {};
    for (int m = 0; m < 16; ++m)
        for (int k = 0; k < 16; ++k)
            for (int n = 0; n < 8; ++n)
                product[m][n] += a[m][k] * b[k][n];
    for (int lane = 0; lane < warpSize; ++lane) {
        const auto &mine = *static_cast<const Fragments *>(lanes[lane]);
        for (int i = 0; i < 4; ++i) { // c0 … c3
            float &d = mine.d[i];
            d = static_cast<float>(d + product[lane / 4 + (i / 2) * 8][lane % 4 * 2 + i % 2]);
        }
    }
}

int byteOf(std::uint32_t word, int which, bool isSigned)
{
    const auto byte = static_cast<std::uint8_t>(word >> 8 * which);
    return isSigned ? static_cast<std::int8_t>(byte) : byte;
}

/// "Matrix Fragments for mma.m16n8k16 with integer type", and m16n8k32.
template <bool isSigned> void multiplyIntegers(void *const *lanes)
{
    const int columns = static_cast<const ByteFragments *>(lanes[0])->columns;
    int a[16][32] = {}, b[32][8] = {}; // [m][k], [k][n]
    for (int lane = 0; lane < warpSize; ++lane) {
        const auto &mine = *static_cast<const ByteFragments *>(lanes[lane]);
        const int group = lane / 4, first = lane % 4 * 4;
        for (int i = 0; i < columns / 2; ++i)
            a[group + i / 4 % 2 * 8][first + i % 4 + i / 8 * 16] = byteOf(mine.a[i / 4], i % 4, isSigned);
        for (int i = 0; i < columns / 4; ++i)
            b[first + i % 4 + i / 4 * 16][group] = byteOf(mine.b[i / 4], i % 4, true);
    }
    for (int lane = 0; lane < warpSize; ++lane)
        for (int i = 0; i < 4; ++i) {
            int &d = static_cast<const ByteFragments *>(lanes[lane])->d[i];
            for (int k = 0; k < columns; ++k)
                d += a[lane / 4 + i / 2 * 8][k] * b[k][lane % 4 * 2 + i % 2];
        }
}

struct Load {
    std::uint32_t *registers;
    const void *row;
    int count;
    bool transposed;
};

void loadForWarp(void *const *lanes)
{
    const auto &first = *static_cast<const Load *>(lanes[0]);
    for (int matrix = 0; matrix < first.count; ++matrix) {
        std::uint16_t rows[8][8];
        for (int r = 0; r < 8; ++r)
            std::memcpy(rows[r], static_cast<const Load *>(lanes[matrix * 8 + r])->row, sizeof(rows[r]));
        for (int lane = 0; lane < warpSize; ++lane) {
            const int row = lane / 4, column = lane % 4 * 2;
            const std::uint32_t low = first.transposed ? rows[column][row] : rows[row][column];
            const std::uint32_t high = first.transposed ? rows[column + 1][row] : rows[row][column + 1];
            static_cast<const Load *>(lanes[lane])->registers[matrix] = low | high << 16;
        }
    }
}

} // namespace

void multiplyBf16(void *const *lanes)
{
    multiply<bf16ToFloat>(lanes);
}

void multiplyF16(void *const *lanes)
{
    multiply<f16ToFloat>(lanes);
}

void multiplyBytes(void *const *lanes)
{
    multiplyIntegers<false>(lanes);
}

void multiplySignedBytes(void *const *lanes)
{
    multiplyIntegers<true>(lanes);
}

void loadMatrices(const char *name, std::uint32_t *registers, const void *row, int count, bool transposed, Site site)
{
    if (static_cast<int>(self->threadIdx.x % warpSize) < 8 * count) {
        checkShared(row, 16, name);
        checkSeen(row, name);
    }
    Load mine = {registers, row, count, transposed};
    meetWarp(name, site, &mine, loadForWarp);
}

} // namespace zigzag::gpu::emulator
