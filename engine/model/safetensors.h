// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/base/result.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zigzag {

/// One tensor of a file. Foreign types are kept by name, so that only a tensor that is needed is refused for its type.
struct StoredTensor {
    std::optional<DType> type;
    std::string typeName;
    std::vector<std::int64_t> shape;
    const std::byte *data = nullptr;
    std::size_t bytes = 0;
};

struct SafetensorsFile {
    std::map<std::string, StoredTensor, std::less<>> tensors;
    std::shared_ptr<const void> owner; ///< keeps the tensors' memory alive
};

/// Opens a safetensors file by memory map. Everything in its header is checked: length, JSON, shapes against bytes,
/// offsets against the file, and that no two tensors overlap.
Result<SafetensorsFile> openSafetensors(const std::filesystem::path &file);

} // namespace zigzag
