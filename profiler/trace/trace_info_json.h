// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to the readers and writers of traces: it includes nlohmann/json.

#include "engine/base/json_input.h"
#include "profiler/trace/trace.h"

#include <nlohmann/json.hpp>

namespace zigzag {

nlohmann::ordered_json infoJson(const TraceInfo &info);
Result<TraceInfo> readInfo(const json::Value &value, const std::string &where);

/// The op of that name; none where there is no such op.
std::optional<Op> findOp(std::string_view name);
std::optional<LayerKind> findLayerKind(std::string_view name);
std::optional<CollectiveKind> findCollective(std::string_view name);

/// One string of JSON, quoted.
std::string quoted(const std::string &text);

} // namespace zigzag
