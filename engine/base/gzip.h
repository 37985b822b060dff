// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace zigzag {

/// Whether the bytes begin as a gzip file does.
bool isGzip(std::string_view bytes);

/// What a gzip file holds (all of its members); refused above `limit` bytes, however small the file is. `where` names it in
/// errors.
Result<std::string> gunzip(std::string_view bytes, std::uint64_t limit, const std::string &where);

/// The first bytes of what it holds, at most `count`; fewer where the file is damaged or `bytes` are only its beginning.
std::string gunzipBeginning(std::string_view bytes, std::size_t count);

} // namespace zigzag
