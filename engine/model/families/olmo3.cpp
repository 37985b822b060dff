// SPDX-License-Identifier: GPL-3.0-or-later
// OLMo 3: OLMo 2 with a window in three of four layers, and a rotary embedding of their own where the others' is extended;
// transformers' Olmo3ForCausalLM.
#include "engine/model/families/family_list.h"
#include "engine/model/layer_windows.h"

namespace zigzag {

namespace {

constexpr std::string_view keys[] = {"attention_bias", "sliding_window"};

Result<void> read(ModelConfig &model, const json::Value &config, const std::string &where)
{
    ZIGZAG_CHECK(olmo2Family().read(model, config, where));
    ZIGZAG_TRY(local,
               readLocalLayers(
                   model, config, [](int layer) { return (layer + 1) % 4 != 0; }, where));
    for (const bool isLocal : local)
        model.layerRopes.push_back(isLocal ? LayerRope::Local : LayerRope::Main);
    return readFileWindows(model, config, local, where);
}

} // namespace

const Family &olmo3Family()
{
    constexpr double base = 500000;
    static const Family family{
        .modelType = "olmo3",
        .window = FileWindow::OfLayers,
        .mayLackKvHeads = true,
        .normEpsilon = 1e-5,
        .ropeTheta = base,
        .localRopeTheta = base,
        .keys = keys,
        .read = read,
        .layer = olmo2Family().layer,
    };
    return family;
}

} // namespace zigzag
