// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <string>
#include <string_view>

namespace zigzag {

/// The refusal of a model_type that no family has: what such models have and this program does not run, where that is known, and
/// which families there are.
tl::unexpected<Error> refusedType(std::string_view modelType, const std::string &where);

} // namespace zigzag
