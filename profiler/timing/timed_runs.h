// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/session.h"

#include <cstdint>
#include <span>

namespace zigzag {

/// Milliseconds of one prefill of all tokens, one sequence after the other.
Result<double> timePrefill(Session &session, std::span<const int> tokens);

/// Milliseconds of one decode step, the mean of `steps` that end with a cache of `context` tokens, of which those before are
/// pretended. `first`: a token of each sequence. The session's context must be at least that long.
Result<double> timeDecode(Session &session, std::int64_t context, std::span<const int> first, int steps, std::uint64_t seed);

} // namespace zigzag
