// SPDX-License-Identifier: GPL-3.0-or-later
// Llama and what has its layers: arXiv 2302.13971; transformers' LlamaForCausalLM.
#include "engine/model/families/family_list.h"

namespace zigzag {

namespace {

constexpr std::string_view keys[] = {"attention_bias", "mlp_bias"};

Result<void> read(ModelConfig &model, const json::Value &config, const std::string &where)
{
    ZIGZAG_TRY(attention, json::booleanOr(config, "attention_bias", false, where));
    ZIGZAG_TRY(mlp, json::booleanOr(config, "mlp_bias", false, where));
    model.qkvBias = model.outputBias = attention;
    model.mlpBias = mlp;
    return {};
}

} // namespace

const Family &llamaFamily()
{
    static const Family family{
        .modelType = "llama",
        .ggufArchitecture = "llama",
        .ggufInterleaves = true,
        .mayLackKvHeads = true,
        .llamaTokenizer = true,
        .keys = keys,
        .read = read,
        .layer = decoderLayer,
    };
    return family;
}

} // namespace zigzag
