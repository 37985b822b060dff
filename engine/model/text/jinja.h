// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to engine/model: it includes nlohmann/json.

#include "engine/base/result.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace zigzag {

/// Renders a chat template: the part of Jinja 3 that chat templates are written in, with the settings and additions of
/// transformers (trim_blocks, lstrip_blocks, break and continue, raise_exception, strftime_now, tojson that escapes no letters).
/// What is not understood is refused by name, and so is what the template itself refuses. Templates are hostile: their size, the
/// steps they take, their depth and what they write are bounded. `names`: an object with what the template may speak of.
Result<std::string> renderJinja(std::string_view text, const nlohmann::ordered_json &names);

} // namespace zigzag
