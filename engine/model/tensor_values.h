// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/weights.h"

#include <vector>

namespace zigzag {

/// One row of a tensor as float32, with its scales. [columns]
void decodeRow(const TensorView &tensor, std::int64_t row, float *to);

/// A tensor's numbers as float32, whatever its type. [rows · columns]
std::vector<float> floatsOf(const TensorView &tensor);

/// Numbers in a type, rounded to nearest. [values · bytesOf(type)]
std::vector<std::byte> storedAs(DType type, const std::vector<float> &values);

} // namespace zigzag
