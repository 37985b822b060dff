// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/safetensors.h"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// The tensors of a model folder, from one safetensors file or from the shards that its index names. Of a model that also sees,
/// whose text part has a name of its own (model.language_model., language_model.model.), the tensors of that part, under the
/// names that they would have alone; the others are not there.
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
    struct Place {
        std::size_t file = 0; ///< of m_files
        std::string stored; ///< the name there
    };

    static Result<Checkpoint> openFiles(const std::filesystem::path &folder);
    void keepTextPart();

    std::filesystem::path m_folder;
    std::vector<SafetensorsFile> m_files;
    std::vector<std::string> m_fileNames;
    std::map<std::string, Place, std::less<>> m_places; ///< by tensor
};

} // namespace zigzag
