// SPDX-License-Identifier: GPL-3.0-or-later
// Phi-3 and Phi-4 (arXiv 2404.14219): Llama's layers with fused weights, heads that may be rotated in part, and LongRoPE;
// transformers' Phi3ForCausalLM.
#include "engine/model/families/family_list.h"

namespace zigzag {

namespace {

// auto_map names the code that transformers has taken in since. The others are of that code, and 1 is what transformers runs.
constexpr std::string_view keys[] = {"sliding_window", "auto_map", "full_attn_mod", "interpolate_factor"};

Result<void> read(ModelConfig &, const json::Value &config, const std::string &where)
{
    for (const std::string_view key : {"full_attn_mod", "interpolate_factor"})
        ZIGZAG_CHECK(json::integerOr(config, key, 1, 1, 1, where));
    return {};
}

constexpr GgufKey ggufKeys[] = {
    {"attention.sliding_window", "sliding_window", false},
    {"rope.scaling.original_context_length", "original_max_position_embeddings", false},
};

/// 0 says that there is none.
void impliedByGguf(json::Value &config)
{
    if (config.contains("sliding_window") && config["sliding_window"] == 0)
        config["sliding_window"] = nullptr;
}

LayerPlan layer(const ModelConfig &config, int)
{
    return decoderLayer(config, {.fusesQkv = true, .fusesGateUp = true});
}

} // namespace

const Family &phi3Family()
{
    static const Family family{
        .modelType = "phi3",
        .ggufArchitecture = "phi3",
        .ggufKeys = ggufKeys,
        .ggufImplied = impliedByGguf,
        .window = FileWindow::Everywhere,
        .windowLength = 0,
        .mayLackKvHeads = true,
        .normEpsilon = 1e-5,
        .rotatedPart = 1,
        .originalContext = 4096,
        .longRopeByOtherNames = true,
        .keys = keys,
        .read = read,
        .layer = layer,
    };
    return family;
}

} // namespace zigzag
