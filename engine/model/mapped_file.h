// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace zigzag {

/// A file as memory, for reading; `bytes` is valid while `owner` lives.
struct MappedFile {
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;

    /// Folders, empty files and missing permission are refused.
    static Result<MappedFile> open(const std::filesystem::path &file);
};

/// Asks the system for the pages of some bytes of a mapped file, and does not wait. Who reads here and there and has not asked
/// waits for one page after the other, and for the megabytes behind each that the system may read ahead of it.
void fetchSoon(const std::byte *data, std::size_t bytes);

} // namespace zigzag
