// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/shape_json.h"

#include "engine/map/checks.h"

#include <fmt/format.h>

namespace zigzag {

Result<ModelShape> readModel(const json::Value &document, const std::string &where)
{
    ZIGZAG_TRY(model, json::objectIn(document, "model", where));
    ZIGZAG_TRY(name, json::stringOr(*model, "name", {}, where));
    ZIGZAG_TRY(layers, json::integerIn(*model, "layers", 1, maxLayers, where));
    ZIGZAG_TRY(queryHeads, json::integerOr(*model, "query_heads", 0, 0, maxHeads, where));
    ZIGZAG_TRY(kvHeads, json::integerIn(*model, "kv_heads", 1, maxHeads, where));
    ZIGZAG_TRY(headDim, json::integerOr(*model, "head_dim", 0, 0, maxHeadDim, where));
    ZIGZAG_TRY(fingerprint, json::stringOr(*model, "fingerprint", {}, where));
    ModelShape shape{
        name,       static_cast<int>(layers), static_cast<int>(queryHeads), static_cast<int>(kvHeads), static_cast<int>(headDim),
        fingerprint};
    ZIGZAG_CHECK(checkShape(shape, where));
    return shape;
}

std::string modelJson(const ModelShape &model)
{
    return fmt::format(R"({{"name": {}, "layers": {}, "query_heads": {}, "kv_heads": {}, "head_dim": {}, "fingerprint": {}}})",
                       jsonString(model.name), model.layers, model.queryHeads, model.kvHeads, model.headDim,
                       jsonString(model.fingerprint));
}

std::string jsonString(const std::string &text)
{
    return json::Value(text).dump(-1, ' ', false, json::Value::error_handler_t::replace);
}

} // namespace zigzag
