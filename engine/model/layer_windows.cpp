// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/layer_windows.h"

#include "engine/model/family.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

namespace {

using json::Value;

/// Keys that a query sees, where a layer has a window. A config without the key has transformers' default; null says that there
/// is none.
Result<std::int64_t> windowLength(const ModelConfig &model, const Value &config, const std::string &where)
{
    const bool hasDefault
        = model.family->window != FileWindow::None && model.family->windowLength > 0 && !config.contains("sliding_window");
    return json::integerOr(config, "sliding_window", hasDefault ? model.family->windowLength : INT64_MAX, 0, INT64_MAX, where);
}

Result<const Value *> layerTypes(const Value &config, const std::string &where)
{
    const Value *types = json::find(config, "layer_types");
    if (types && !types->is_array())
        return badInput(fmt::format("{}: \"layer_types\" must be an array; remove it for full attention", where));
    return types;
}

std::string printed(const Value &type)
{
    return json::printable(type.dump(-1, ' ', true, Value::error_handler_t::replace));
}

/// A window that transformers does not run in this family would be silently ignored. One that never acts is full attention.
Result<void> refuseLayerTypes(const ModelConfig &model, const Value &config, const std::string &where)
{
    ZIGZAG_TRY(types, layerTypes(config, where));
    if (!types)
        return {};
    ZIGZAG_TRY(window, windowLength(model, config, where));
    // Without a length there is nothing that could be too long to act.
    const bool harmless = json::find(config, "sliding_window") && window >= model.maxContext;
    for (const Value &type : *types)
        if (type != "full_attention" && !(harmless && type == "sliding_attention"))
            return badInput(fmt::format("{}: layer_types names {}, but a {} has no windows by its file, and those of a map come "
                                        "from the map; remove layer_types and let layers stream in a map instead",
                                        where, printed(type), nameOf(*model.family)));
    return {};
}

/// Qwen: windows only where use_sliding_window says so, in the layers from max_window_layers on or as layer_types says.
Result<void> readUpperWindows(ModelConfig &model, const Value &config, const std::string &where)
{
    ZIGZAG_TRY(used, json::booleanOr(config, "use_sliding_window", false, where));
    if (!used) {
        ZIGZAG_CHECK(windowLength(model, config, where)); // whatever it is worth, it is a number
        return refuseLayerTypes(model, config, where);
    }
    constexpr std::int64_t fullLayers = 28; // transformers' default
    ZIGZAG_TRY(full, json::integerOr(config, "max_window_layers", fullLayers, 0, INT64_MAX, where));
    const bool hasWindow = !config.contains("sliding_window") || json::find(config, "sliding_window");
    ZIGZAG_TRY(local,
               readLocalLayers(
                   model, config, [&](int layer) { return hasWindow && layer >= full; }, where));
    return readFileWindows(model, config, local, where);
}

} // namespace

Result<std::vector<bool>> readLocalLayers(const ModelConfig &model, const Value &config,
                                          const std::function<bool(int layer)> &isLocal, const std::string &where)
{
    std::vector<bool> local(static_cast<std::size_t>(model.layers));
    ZIGZAG_TRY(types, layerTypes(config, where));
    if (!types) {
        for (int layer = 0; layer < model.layers; ++layer)
            local[static_cast<std::size_t>(layer)] = isLocal(layer);
        return local;
    }
    if (types->size() != local.size())
        return badInput(
            fmt::format("{}: layer_types has {} entries for {} layers; correct the config", where, types->size(), model.layers));
    for (std::size_t layer = 0; layer < local.size(); ++layer) {
        const Value &type = (*types)[layer];
        if (type != "full_attention" && type != "sliding_attention")
            return badInput(
                fmt::format("{}: layer_types names {}, a kind of layer that a {} does not have; use full_attention and "
                            "sliding_attention",
                            where, printed(type), nameOf(*model.family)));
        local[layer] = type == "sliding_attention";
    }
    return local;
}

Result<void> readFileWindows(ModelConfig &model, const Value &config, const std::vector<bool> &localLayers,
                             const std::string &where)
{
    ZIGZAG_TRY(window, windowLength(model, config, where));
    const auto local = std::count(localLayers.begin(), localLayers.end(), true);
    if (local > 0 && window == INT64_MAX)
        return badInput(
            fmt::format("{}: layers have a window, and no sliding_window says how long it is; correct the config", where));
    if (local == 0 || window >= model.maxContext)
        return {};
    if (window == 0)
        return badInput(fmt::format("{}: sliding_window is 0, and a query must see itself; correct the config", where));
    model.fileWindows.assign(localLayers.size(), 0);
    for (std::size_t layer = 0; layer < localLayers.size(); ++layer)
        model.fileWindows[layer] = localLayers[layer] ? window : 0;
    model.notes.push_back(
        fmt::format("{}: {} of {} layers have a window of {} tokens by the file's own account, which no map changes", where,
                    local, model.layers, window));
    return {};
}

Result<void> readFamilyWindows(ModelConfig &model, const Value &config, const std::string &where)
{
    switch (model.family->window) {
    case FileWindow::OfLayers: // by the family's `read`
        return {};
    case FileWindow::Upper:
        return readUpperWindows(model, config, where);
    case FileWindow::Everywhere:
        break;
    case FileWindow::None: {
        ZIGZAG_CHECK(windowLength(model, config, where));
        return refuseLayerTypes(model, config, where);
    }
    }
    ZIGZAG_CHECK(refuseLayerTypes(model, config, where));
    ZIGZAG_TRY(window, windowLength(model, config, where));
    return readFileWindows(model, config, std::vector<bool>(static_cast<std::size_t>(model.layers), window != INT64_MAX), where);
}

} // namespace zigzag
