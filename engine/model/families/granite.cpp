// SPDX-License-Identifier: GPL-3.0-or-later
// Granite: Llama's layers with four multipliers; transformers' GraniteForCausalLM.
#include "engine/model/families/family_list.h"

namespace zigzag {

namespace {

constexpr std::string_view keys[]
    = {"attention_bias", "mlp_bias", "embedding_multiplier", "attention_multiplier", "residual_multiplier", "logits_scaling"};

Result<void> read(ModelConfig &model, const json::Value &config, const std::string &where)
{
    ZIGZAG_CHECK(llamaFamily().read(model, config, where));
    constexpr double least = 1e-6, most = 1e6;
    ZIGZAG_TRY(embedding, json::numberOr(config, "embedding_multiplier", 1, least, most, where));
    ZIGZAG_TRY(attention, json::numberOr(config, "attention_multiplier", 1, least, most, where));
    ZIGZAG_TRY(residual, json::numberOr(config, "residual_multiplier", 1, least, most, where));
    ZIGZAG_TRY(logits, json::numberOr(config, "logits_scaling", 1, least, most, where));
    model.embeddingScale = embedding;
    model.scoreScale = attention;
    model.residualScale = residual;
    model.logitScale = 1 / logits;
    return {};
}

constexpr GgufKey ggufKeys[] = {
    {"embedding_scale", "embedding_multiplier", true, false},
    {"attention.scale", "attention_multiplier", true, false},
    {"residual_scale", "residual_multiplier", true, false},
    {"logit_scale", "logits_scaling", true, false},
};

} // namespace

const Family &graniteFamily()
{
    static const Family family{
        .modelType = "granite",
        .ggufArchitecture = "granite",
        .ggufInterleaves = true,
        .ggufKeys = ggufKeys,
        .mayLackKvHeads = true,
        .keys = keys,
        .read = read,
        .layer = decoderLayer,
    };
    return family;
}

} // namespace zigzag
