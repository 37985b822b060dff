// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to the .cpp files that read and write sessions.

#include "profiler/session/session_file.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// What the manifest says of a part's content: where it is in the file, its SHA-256 tells.
struct ContentName {
    std::string hash; ///< 64 hexadecimal digits
    std::uint64_t bytes = 0;
};

struct Manifest {
    SavedSession session; ///< of its parts, contents are null
    std::vector<ContentName> contents; // [parts]
};

/// One line for the file's model and what is said of the whole, and one for each part, so that a diff reads well.
std::string manifestText(const SavedSession &session, const std::function<std::string(const SessionPart &)> &hashOf);
Result<Manifest> parseManifest(std::string_view text, const std::string &where);

/// Refuses what a reader would: kinds and names that are empty or overlong, two parts of one name, contents beyond the largest
/// session.
Result<void> checkSession(const SavedSession &session, const std::string &where);

inline constexpr std::string_view sessionFormat = "zigzag-session";
inline constexpr int sessionVersion = 1;
inline constexpr std::uint64_t largestManifest = std::uint64_t{64} << 20;
inline constexpr std::size_t mostParts = 100'000;

} // namespace zigzag
