// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to the readers of traces: it includes nlohmann/json.

#include "engine/base/json_input.h"

#include <functional>
#include <string>
#include <string_view>

namespace zigzag {

/// A JSON document with a long array of events: the array itself, or the member "traceEvents" of an object.
struct EventDocument {
    json::Value rest; ///< everything but the events; null where the document is the array
    bool hasEvents = false;
    bool isUnclosed = false; ///< an array that is the document may lack its closing bracket: the format allows it
    bool isCut = false; ///< … and ends in the middle of an event, which is left out
};

/// Hands each event out as soon as it was read, so that a document of a gigabyte never stands in memory as a tree.
Result<EventDocument> readEventDocument(std::string_view text, const std::string &where,
                                        const std::function<Result<void>(const json::Value &event)> &take);

} // namespace zigzag
