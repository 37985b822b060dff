// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/checkpoint.h"
#include "engine/model/quantization.h"
#include "engine/model/weight_plan.h"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace zigzag {

/// Beside a matrix "X.weight" of F8: its scales, from "X.weight_scale_inv" or "X.weight_scale" in float32, float16 or bfloat16,
/// all of them finite. They are of the planned rows alone, where files hold several matrices as one.
struct StoredScales {
    std::vector<float> numbers;
    std::int64_t rowsPerScale = 1, columnsPerScale = 1;

    WeightScales view() const { return {numbers.data(), rowsPerScale, columnsPerScale}; }
};

/// Adds the names of the tensors that it read to `names`.
Result<StoredScales> readScales(const Checkpoint &checkpoint, const Quantization &quantization, const PlannedTensor &planned,
                                std::set<std::string> &names);

/// A matrix of AWQ or GPTQ as files hold it: codes and zeros in words of eight, in the order of the input features.
struct GroupedMatrix {
    PlannedTensor planned;
    const StoredTensor *codes = nullptr, *zeros = nullptr, *scales = nullptr;
    std::int64_t storedRows = 0; ///< output features that the files hold as one tensor
    std::int64_t groupSize = 0;
    bool isAwq = false;
    int zeroLess = 0; ///< what is to be added to a stored zero
};

/// Where "X.qweight" is there: shapes and types of its tensors are checked, not their numbers. Adds their names to `names`.
Result<std::optional<GroupedMatrix>> findGrouped(const Checkpoint &checkpoint, const Quantization &quantization,
                                                 const PlannedTensor &planned, std::set<std::string> &names);

/// Scales must be finite and numbers of float16, and stored zeros what all programs read alike.
Result<void> checkNumbers(const GroupedMatrix &matrix, const std::string &where);

/// As blocks of Int4: rows [begin, end) of the matrix, whose place is `to`.
void repack(const GroupedMatrix &matrix, std::int64_t begin, std::int64_t end, std::byte *to);

} // namespace zigzag
