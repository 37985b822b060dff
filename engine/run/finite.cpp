// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/finite.h"

#include "engine/model/tensor_values.h"
#include "engine/model/weight_plan.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <optional>
#include <vector>

namespace zigzag {

namespace {

/// Index of the first element that is not finite: all bits of its exponent are set.
template <class Bits> std::optional<std::int64_t> firstNotFinite(const TensorView &tensor, Bits exponent)
{
    for (std::int64_t i = 0; i < tensor.rows * tensor.columns; ++i) {
        Bits bits = 0;
        std::memcpy(&bits, tensor.data + i * static_cast<std::int64_t>(sizeof bits), sizeof bits);
        if ((bits & exponent) == exponent)
            return i;
    }
    return std::nullopt;
}

std::optional<std::int64_t> firstNotFinite(const TensorView &tensor)
{
    if (tensor.type == DType::F32)
        return firstNotFinite<std::uint32_t>(tensor, 0x7f800000u);
    if (tensor.type == DType::BF16)
        return firstNotFinite<std::uint16_t>(tensor, 0x7f80u);
    if (tensor.type == DType::F16)
        return firstNotFinite<std::uint16_t>(tensor, 0x7c00u);
    // One scale that is no number spoils many.
    std::vector<float> row(static_cast<std::size_t>(tensor.columns));
    for (std::int64_t r = 0; r < tensor.rows; ++r) {
        decodeRow(tensor, r, row.data());
        if (!allFinite(row))
            return r * tensor.columns
                + (std::find_if(row.begin(), row.end(), [](float value) { return !std::isfinite(value); }) - row.begin());
    }
    return std::nullopt;
}

} // namespace

bool allFinite(std::span<const float> values)
{
    // Zero times a number is zero, unless the number is none. In blocks, of which compilers make vectors.
    constexpr std::size_t block = 16;
    float zeros[block] = {};
    std::size_t i = 0;
    for (; i + block <= values.size(); i += block)
        for (std::size_t k = 0; k < block; ++k)
            zeros[k] += values[i + k] * 0.0f;
    for (; i < values.size(); ++i)
        zeros[0] += values[i] * 0.0f;
    float sum = 0.0f;
    for (const float zero : zeros)
        sum += zero;
    return sum == 0.0f;
}

tl::unexpected<Error> notFinite(const Model &model, std::string_view what)
{
    for (const PlannedTensor &planned : planWeights(model.config)) {
        const TensorView &view = planned.in(model.weights);
        if (const auto at = firstNotFinite(view))
            return badInput(
                fmt::format("{}: {} holds values that are not finite, the first at row {}, column {}, so its {} are no "
                            "numbers: fetch the file anew, or convert it again",
                            model.config.name, planned.name, *at / view.columns, *at % view.columns, what));
    }
    return failed(fmt::format("{}: its {} are not finite although all weights are: a sum overflowed {}; use a conversion to "
                              "bfloat16 or float32",
                              model.config.name, what, nameOf(model.config.dtype)));
}

Result<void> checkFinite(std::span<const float> values, const Model &model, std::string_view what)
{
    if (!allFinite(values))
        return notFinite(model, what);
    return {};
}

} // namespace zigzag
