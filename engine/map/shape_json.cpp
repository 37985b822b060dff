// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/shape_json.h"

#include "engine/map/checks.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zigzag {

namespace {

/// Windows that the model's own file gives its layers; 0: none. Left out where no layer has one.
Result<std::vector<std::int64_t>> readFileWindows(const json::Value &model, std::int64_t layers, const std::string &where)
{
    if (!json::find(model, "file_windows"))
        return std::vector<std::int64_t>{};
    ZIGZAG_TRY(list, json::arrayIn(model, "file_windows", where));
    if (list->size() != static_cast<std::size_t>(layers))
        return badInput(fmt::format("{}: \"file_windows\" has {} entries for {} layers; give one for each layer", where,
                                    list->size(), layers));
    std::vector<std::int64_t> windows;
    for (const json::Value &entry : *list) {
        ZIGZAG_TRY(window, json::asInteger(entry, "an entry of \"file_windows\"", 0, maxWindow, where));
        windows.push_back(window);
    }
    return windows;
}

std::string fileWindowsJson(const ModelShape &model)
{
    const auto isKnown = [](std::int64_t window) { return window >= 0; };
    if (model.localLayers() == 0 || !std::all_of(model.fileWindows.begin(), model.fileWindows.end(), isKnown))
        return {};
    return fmt::format(", \"file_windows\": [{}]", fmt::join(model.fileWindows, ", "));
}

} // namespace

Result<ModelShape> readModel(const json::Value &document, const std::string &where)
{
    ZIGZAG_TRY(model, json::objectIn(document, "model", where));
    ZIGZAG_TRY(name, json::stringOr(*model, "name", {}, where));
    ZIGZAG_TRY(layers, json::integerIn(*model, "layers", 1, maxLayers, where));
    ZIGZAG_TRY(queryHeads, json::integerOr(*model, "query_heads", 0, 0, maxHeads, where));
    ZIGZAG_TRY(kvHeads, json::integerIn(*model, "kv_heads", 1, maxHeads, where));
    ZIGZAG_TRY(headDim, json::integerOr(*model, "head_dim", 0, 0, maxHeadDim, where));
    ZIGZAG_TRY(fingerprint, json::stringOr(*model, "fingerprint", {}, where));
    ZIGZAG_TRY(fileWindows, readFileWindows(*model, layers, where));
    ModelShape shape{
        name,       static_cast<int>(layers), static_cast<int>(queryHeads), static_cast<int>(kvHeads), static_cast<int>(headDim),
        fingerprint};
    if (std::any_of(fileWindows.begin(), fileWindows.end(), [](std::int64_t window) { return window > 0; }))
        shape.fileWindows = std::move(fileWindows);
    ZIGZAG_CHECK(checkShape(shape, where));
    return shape;
}

std::string modelJson(const ModelShape &model)
{
    return fmt::format(R"({{"name": {}, "layers": {}, "query_heads": {}, "kv_heads": {}, "head_dim": {}, "fingerprint": {}{}}})",
                       jsonString(model.name), model.layers, model.queryHeads, model.kvHeads, model.headDim,
                       jsonString(model.fingerprint), fileWindowsJson(model));
}

std::string jsonString(const std::string &text)
{
    return json::Value(text).dump(-1, ' ', false, json::Value::error_handler_t::replace);
}

} // namespace zigzag
