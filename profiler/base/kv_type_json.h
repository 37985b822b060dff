// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to the .cpp files that read and write records: it includes nlohmann/json.

#include "engine/base/json_input.h"
#include "engine/map/kv_layout.h"

#include <fmt/format.h>
#include <optional>
#include <string>

namespace zigzag {

/// "kv_type", or null where nobody knows.
inline nlohmann::ordered_json kvTypeJson(const std::optional<DType> &type)
{
    return type ? nlohmann::ordered_json(nameOf(*type)) : nlohmann::ordered_json();
}

/// The member "kv_type"; none where there is none or it is null, as in files from before there was a choice.
inline Result<std::optional<DType>> readKvType(const json::Value &record, const std::string &where)
{
    ZIGZAG_TRY(name, json::stringOr(record, "kv_type", {}, where));
    if (name.empty())
        return std::optional<DType>();
    if (const std::optional<DType> type = findKvType(name))
        return type;
    return badInput(fmt::format("{}: '{}' is no type of keys and values that this version knows; measure anew", where,
                                json::printable(name)));
}

} // namespace zigzag
