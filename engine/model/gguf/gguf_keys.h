// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/gguf/gguf_file.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zigzag {

// Values of a GGUF file's metadata with the type that a reader expects; absent where the file has none.

/// An integer of any width from 0 on. One for each layer is the one that all layers have.
Result<std::optional<std::int64_t>> ggufInteger(const GgufFile &file, const std::string &key);
/// A finite number or a boolean; a float as its shortest decimals say, which is what it was before it was rounded.
Result<std::optional<double>> ggufNumber(const GgufFile &file, const std::string &key);
Result<std::optional<std::string_view>> ggufText(const GgufFile &file, const std::string &key);
Result<std::optional<bool>> ggufFlag(const GgufFile &file, const std::string &key);
/// Null where it is absent.
Result<const GgufArray *> ggufArray(const GgufFile &file, const std::string &key);

} // namespace zigzag
