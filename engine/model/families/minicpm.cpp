// SPDX-License-Identifier: GPL-3.0-or-later
// MiniCPM (arXiv 2404.06395): Llama's layers, whose embeddings, residuals and logits are scaled by the sizes of the model that
// its training was planned with. In Granite's words: embedding_multiplier is scale_emb, residual_multiplier scale_depth /
// √layers, and logits_scaling hidden_size / dim_model_base.
#include "engine/model/families/family_list.h"

#include <cmath>

namespace zigzag {

namespace {

constexpr std::string_view keys[] = {"attention_bias", "scale_emb", "scale_depth", "dim_model_base"};

Result<void> read(ModelConfig &model, const json::Value &config, const std::string &where)
{
    ZIGZAG_TRY(bias, json::booleanOr(config, "attention_bias", false, where));
    constexpr double least = 1e-6, most = 1e6;
    ZIGZAG_TRY(embedding, json::numberOr(config, "scale_emb", 1, least, most, where));
    ZIGZAG_TRY(depth, json::numberOr(config, "scale_depth", 1, least, most, where));
    ZIGZAG_TRY(base, json::numberOr(config, "dim_model_base", 1, least, most, where));
    model.qkvBias = model.outputBias = bias;
    model.embeddingScale = embedding;
    model.residualScale = depth / std::sqrt(static_cast<double>(model.layers));
    model.logitScale = base / model.hiddenSize;
    return {};
}

} // namespace

const Family &minicpmFamily()
{
    static const Family family{
        .modelType = "minicpm",
        .mayLackKvHeads = true,
        .tiesEmbeddings = true,
        .keys = keys,
        .read = read,
        .layer = decoderLayer,
    };
    return family;
}

} // namespace zigzag
