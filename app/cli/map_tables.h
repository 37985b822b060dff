// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/assign.h"
#include "engine/map/criterion.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace zigzag {

// What the commands on maps print: tables for people, JSON with the same numbers for programs.

std::string_view nameOf(LayerKind kind);
nlohmann::ordered_json sacrificeJson(const Sacrifice &sacrifice);

nlohmann::ordered_json assignmentJson(const Assignment &assignment, const SacrificeReport &report);
std::string assignmentTable(const Assignment &assignment, const SacrificeReport &report);

/// A map that was made without scores: which layers stream.
nlohmann::ordered_json patternJson(const HeadMap &map);
std::string patternTable(const HeadMap &map);

/// What a score file is not, or was changed to, on stderr: every command that reads scores says it.
void noteScores(const HeadScores &scores, const std::string &file);

} // namespace zigzag
