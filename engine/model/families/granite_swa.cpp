// SPDX-License-Identifier: GPL-3.0-or-later
// Granite with windows: a window in the layers that layer_types names, and a sink logit for each query head in all of them;
// transformers' GraniteSWAForCausalLM.
#include "engine/model/families/family_list.h"
#include "engine/model/layer_windows.h"

#include <fmt/format.h>

namespace zigzag {

namespace {

constexpr std::string_view keys[] = {"attention_bias",      "mlp_bias",       "embedding_multiplier", "attention_multiplier",
                                     "residual_multiplier", "logits_scaling", "sliding_window",       "layer_rope_theta"};

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
    // As in transformers.
    ZIGZAG_TRY(local,
               readLocalLayers(
                   model, config, [](int layer) { return layer % 4 != 0; }, where));
    return readFileWindows(model, config, local, where);
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
        .windowLength = 128,
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
