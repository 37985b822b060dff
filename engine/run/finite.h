// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"

#include <span>
#include <string_view>

namespace zigzag {

// What a model computes leaves the engine as logits and hidden states, and is looked at there: a weight that is no number, or
// a sum that overflowed, ends in one error instead of in a score. The look costs far less than the product behind it.

bool allFinite(std::span<const float> values);

/// The error of results that are not finite: names the weights that are the cause, for which it reads all of them, or says
/// that a sum overflowed. `what`: "logits".
tl::unexpected<Error> notFinite(const Model &model, std::string_view what);

/// Fails as above where a value is not finite.
Result<void> checkFinite(std::span<const float> values, const Model &model, std::string_view what);

} // namespace zigzag
