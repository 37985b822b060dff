// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace zigzag {

/// Whether the name is taken: by a link to nothing, too, which is then an error of who follows it.
bool isThere(const std::filesystem::path &file);

/// The whole file, refused above `limit` bytes. A folder, a missing file and missing permission each say so.
Result<std::string> readTextFile(const std::filesystem::path &file, std::uint64_t limit = 256ull << 20);

/// The first bytes, at most `count`, of a file of any size.
Result<std::string> readBeginning(const std::filesystem::path &file, std::size_t count);

/// Writes beside the target, fsyncs, then renames: a crash or a full disk leaves the old file or the new one.
Result<void> writeFileAtomically(const std::filesystem::path &file, std::string_view content);

/// The same in pieces: nothing is at the target's place until `commit`, and nothing is left without it.
/// A target that is a device or a pipe is written to directly.
class AtomicFile
{
public:
    static Result<AtomicFile> create(const std::filesystem::path &file);
    AtomicFile(AtomicFile &&other) noexcept;
    AtomicFile &operator=(AtomicFile &&) = delete;
    ~AtomicFile();

    Result<void> write(std::string_view piece);
    Result<void> commit();

private:
    AtomicFile() = default;

    int m_descriptor = -1;
    std::filesystem::path m_target;
    std::filesystem::path m_temporary; ///< empty once renamed, and for devices
};

} // namespace zigzag
