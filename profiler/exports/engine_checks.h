// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// One export that an engine itself ran: resources/checked/engines.json, which `./dev check-engines --write` writes.
struct EngineCheck {
    std::string format; ///< of `--format`
    std::string engine, version, model, date; ///< date: YYYY-MM-DD
    int tokens = 0, equal = 0; ///< greedy tokens of the engine, and those that the reference chooses too
    double logprobDifference = 0; ///< largest, nats
    std::string reference = "ours"; ///< whose tokens and log-probabilities those are
};

/// What was tried and ran to its end, in the file's order. Cases that were not tried, or failed, are no checks.
Result<std::vector<EngineCheck>> parseEngineChecks(std::string_view text, const std::string &source);
/// Those that came with this program; none where the file is missing.
Result<std::vector<EngineCheck>> engineChecks();

/// Which engines ran the format, in what version, when, and how near: one clause; empty where none did.
std::string checkedText(const std::vector<EngineCheck> &checks, std::string_view format);

} // namespace zigzag
