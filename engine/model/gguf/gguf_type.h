// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/weight_type.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace zigzag {

/// A type of the tensors in GGUF files (https://github.com/ggml-org/ggml).
struct GgufType {
    std::uint32_t number = 0; ///< in files
    std::string_view name;
    std::optional<WeightType> stored = {}; ///< none where the type is known by its name alone, and not read

    bool isRead() const { return stored.has_value(); }
};

/// Null for a number that stands for no type known here.
const GgufType *findGgufType(std::uint32_t number);

/// The names of the types that are read, for errors.
std::string_view readGgufTypes();

} // namespace zigzag
