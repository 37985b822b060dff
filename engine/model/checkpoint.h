// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/safetensors.h"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// The tensors of a model folder, from one safetensors file or from the shards that its index names.
class Checkpoint
{
public:
    static Result<Checkpoint> open(const std::filesystem::path &folder);
    /// Whether a folder has no weights at all: no model.safetensors, and no index or none of the shards that it names.
    static bool isAbsent(const std::filesystem::path &folder);

    /// Null where the checkpoint has no such tensor.
    const StoredTensor *find(std::string_view name) const;
    /// The file that a tensor is in, for errors; the folder where it has none.
    std::string fileOf(std::string_view name) const;
    std::vector<std::shared_ptr<const void>> owners() const;
    /// All tensors by name, sorted.
    std::vector<std::string> names() const;

private:
    std::filesystem::path m_folder;
    std::vector<SafetensorsFile> m_files;
    std::vector<std::string> m_fileNames;
    std::map<std::string, std::size_t, std::less<>> m_fileOf; ///< tensor → index of its file
};

} // namespace zigzag
