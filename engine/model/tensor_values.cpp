// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/tensor_values.h"

#include <algorithm>
#include <cstring>

namespace zigzag {

void decodeRow(const TensorView &tensor, std::int64_t row, float *to)
{
    const std::int64_t columns = tensor.columns, length = tensor.scales.columnsPerScale;
    decodeNumbers(tensor.type, tensor.data + row * rowBytes(tensor.type, columns), columns, to);
    if (!tensor.scales)
        return;
    const float *scales = tensor.scales.ofRow(row, columns);
    for (std::int64_t begin = 0, block = 0; begin < columns; begin += length, ++block)
        for (std::int64_t i = begin; i < std::min(begin + length, columns); ++i)
            to[i] *= scales[block];
}

std::vector<float> floatsOf(const TensorView &tensor)
{
    std::vector<float> values(static_cast<std::size_t>(tensor.rows * tensor.columns));
    for (std::int64_t row = 0; row < tensor.rows; ++row)
        decodeRow(tensor, row, values.data() + row * tensor.columns);
    return values;
}

std::vector<std::byte> storedAs(DType type, const std::vector<float> &values)
{
    const auto size = static_cast<std::size_t>(bytesOf(type));
    std::vector<std::byte> bytes(values.size() * size);
    if (type == DType::F8) {
        std::transform(values.begin(), values.end(), bytes.begin(), [](float value) { return std::byte{floatToF8(value)}; });
        return bytes;
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint16_t half = type == DType::F16 ? floatToF16(values[i]) : floatToBf16(values[i]);
        std::memcpy(bytes.data() + i * size, type == DType::F32 ? static_cast<const void *>(&values[i]) : &half, size);
    }
    return bytes;
}

} // namespace zigzag
