// SPDX-License-Identifier: GPL-3.0-or-later
// Granite with windows: a window in the layers that layer_types names, and a sink logit for each query head in all of them;
// transformers' GraniteSWAForCausalLM.
#include "engine/model/families/family_list.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

namespace {

constexpr std::string_view keys[] = {"attention_bias",      "mlp_bias",       "embedding_multiplier", "attention_multiplier",
                                     "residual_multiplier", "logits_scaling", "sliding_window",       "layer_rope_theta"};

/// Without layer_types every fourth layer is full, as in transformers.
Result<void> readWindows(ModelConfig &model, const json::Value &config, const std::string &where)
{
    ZIGZAG_TRY(window, json::integerOr(config, "sliding_window", 128, 1, std::int64_t{1} << 30, where));
    model.fileWindows.assign(static_cast<std::size_t>(model.layers), 0);
    if (!json::find(config, "layer_types")) {
        for (int layer = 0; layer < model.layers; ++layer)
            model.fileWindows[static_cast<std::size_t>(layer)] = layer % 4 == 0 ? 0 : window;
        return {};
    }
    ZIGZAG_TRY(types, json::arrayIn(config, "layer_types", where));
    if (types->size() != static_cast<std::size_t>(model.layers))
        return badInput(
            fmt::format("{}: layer_types has {} entries for {} layers; correct the config", where, types->size(), model.layers));
    for (std::size_t layer = 0; layer < types->size(); ++layer) {
        const json::Value &type = (*types)[layer];
        if (type != "full_attention" && type != "sliding_attention")
            return badInput(fmt::format("{}: layer_types names a kind of layer that a granite_swa does not have; use "
                                        "full_attention and sliding_attention",
                                        where));
        model.fileWindows[layer] = type == "sliding_attention" ? window : 0;
    }
    return {};
}

/// One rotary embedding for all layers is what runs here.
Result<void> checkRope(const json::Value &config, const std::string &where)
{
    if (!json::find(config, "layer_rope_theta"))
        return {};
    ZIGZAG_TRY(thetas, json::arrayIn(config, "layer_rope_theta", where));
    const json::Value *parameters = json::find(config, "rope_parameters");
    const json::Value *theta = parameters && parameters->is_object() ? json::find(*parameters, "rope_theta") : nullptr;
    if (!theta)
        theta = json::find(config, "rope_theta");
    for (const json::Value &each : *thetas)
        if (theta ? each != *theta : each != 10000)
            return badInput(
                fmt::format("{}: layer_rope_theta differs from rope_theta, and layers with rotary embeddings of their "
                            "own are not run here; use a model without them",
                            where));
    return {};
}

Result<void> read(ModelConfig &model, const json::Value &config, const std::string &where)
{
    ZIGZAG_CHECK(graniteFamily().read(model, config, where));
    ZIGZAG_CHECK(checkRope(config, where));
    model.sinkLogits = true;
    ZIGZAG_CHECK(readWindows(model, config, where));
    const auto windowed
        = std::count_if(model.fileWindows.begin(), model.fileWindows.end(), [](auto window) { return window > 0; });
    if (windowed > 0)
        model.notes.push_back(
            fmt::format("{}: {} of {} layers have a window of {} tokens by the file's own account, which no map "
                        "changes",
                        where, windowed, model.layers, *std::max_element(model.fileWindows.begin(), model.fileWindows.end())));
    return {};
}

constexpr GgufKey ggufKeys[] = {
    {"embedding_scale", "embedding_multiplier", false, false},
    {"attention.scale", "attention_multiplier", true, false},
    {"residual_scale", "residual_multiplier", false, false},
    {"logit_scale", "logits_scaling", true, false},
    {"attention.sliding_window", "sliding_window"},
};

} // namespace

const Family &graniteSwaFamily()
{
    static const Family family{
        .modelType = "granite_swa",
        .ggufArchitecture = "granite_swa",
        .ggufInterleaves = true,
        .ggufKeys = ggufKeys,
        .window = FileWindow::OfLayers,
        .mayLackKvHeads = true,
        .tiesEmbeddings = true,
        .normEpsilon = 1e-5,
        .keys = keys,
        .read = read,
        .layer = decoderLayer,
    };
    return family;
}

} // namespace zigzag
