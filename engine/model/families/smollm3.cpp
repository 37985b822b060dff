// SPDX-License-Identifier: GPL-3.0-or-later
// SmolLM3: Llama's layers, some of them without rotary embedding (arXiv 2501.18795); transformers' SmolLM3ForCausalLM.
#include "engine/model/families/family_list.h"
#include "engine/model/layer_windows.h"

#include <fmt/format.h>

namespace zigzag {

namespace {

constexpr std::string_view keys[] = {"attention_bias",    "mlp_bias",       "sliding_window",        "use_sliding_window",
                                     "max_window_layers", "no_rope_layers", "no_rope_layer_interval"};

/// no_rope_layers has a 1 for each layer with a rotary embedding and a 0 for each without.
Result<void> readRopes(ModelConfig &model, const json::Value &config, const std::string &where)
{
    model.layerRopes.assign(static_cast<std::size_t>(model.layers), LayerRope::Main);
    ZIGZAG_TRY(interval, json::integerOr(config, "no_rope_layer_interval", 4, 1, 1 << 20, where));
    if (!json::find(config, "no_rope_layers")) {
        for (int layer = 0; layer < model.layers; ++layer)
            if ((layer + 1) % interval == 0)
                model.layerRopes[static_cast<std::size_t>(layer)] = LayerRope::None;
        return {};
    }
    ZIGZAG_TRY(listed, json::arrayIn(config, "no_rope_layers", where));
    if (listed->size() < model.layerRopes.size())
        return badInput(fmt::format("{}: no_rope_layers has {} entries for {} layers; correct the config", where, listed->size(),
                                    model.layers));
    for (std::size_t layer = 0; layer < model.layerRopes.size(); ++layer) {
        ZIGZAG_TRY(has, json::asInteger((*listed)[layer], "an entry of no_rope_layers", 0, 1, where));
        model.layerRopes[layer] = has == 1 ? LayerRope::Main : LayerRope::None;
    }
    return {};
}

Result<void> read(ModelConfig &model, const json::Value &config, const std::string &where)
{
    ZIGZAG_CHECK(llamaFamily().read(model, config, where));
    ZIGZAG_CHECK(readRopes(model, config, where));
    ZIGZAG_TRY(used, json::booleanOr(config, "use_sliding_window", false, where));
    const bool hasWindow = used && json::find(config, "sliding_window");
    ZIGZAG_TRY(local,
               readLocalLayers(
                   model, config, [&](int layer) { return hasWindow && model.ropeOf(layer) == LayerRope::None; }, where));
    return readFileWindows(model, config, local, where);
}

} // namespace

const Family &smollm3Family()
{
    static const Family family{
        .modelType = "smollm3",
        .window = FileWindow::OfLayers,
        .windowLength = 0,
        .mayLackKvHeads = true,
        .tiesEmbeddings = true,
        .ropeTheta = 2e6,
        .keys = keys,
        .read = read,
        .layer = decoderLayer,
    };
    return family;
}

} // namespace zigzag
