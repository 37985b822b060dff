// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to the .cpp files that read and write sessions: what lies between the lines of a session's file.

#include "engine/base/result.h"
#include "profiler/session/session_manifest.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace zigzag {

/// A part's bytes, or a manifest. Whether they are those that the hash names is for who uses them to see.
struct SessionBlock {
    bool isManifest = false;
    std::string hash; ///< 64 hexadecimal digits
    std::string_view bytes;
};

struct SessionBlocks {
    std::vector<SessionBlock> blocks; ///< in the file's order
    std::size_t end = 0; ///< of the last whole one
};

/// The first line, which says what the file is, and every block that is whole.
Result<SessionBlocks> splitSession(std::string_view bytes, const std::string &where);

/// {"format": …} and a line's end: how the file begins.
std::string sessionBeginning();
/// "part SHA256 BYTES" and a line's end. The bytes and another line's end come behind it.
std::string blockLine(bool isManifest, std::string_view hash, std::uint64_t bytes);
std::string sha256Of(std::string_view bytes);

} // namespace zigzag
