// SPDX-License-Identifier: GPL-3.0-or-later
// Qwen3: Llama's layers with an RMSNorm over each head's query and key (arXiv 2505.09388).
#include "engine/model/families/family_list.h"

namespace zigzag {

namespace {

constexpr std::string_view keys[] = {"attention_bias", "sliding_window", "use_sliding_window", "max_window_layers"};

Result<void> read(ModelConfig &model, const json::Value &config, const std::string &where)
{
    ZIGZAG_TRY(bias, json::booleanOr(config, "attention_bias", false, where));
    model.qkvBias = model.outputBias = bias;
    model.queryKeyNorm = true;
    return {};
}

} // namespace

const Family &qwen3Family()
{
    static const Family family{
        .modelType = "qwen3",
        .ggufArchitecture = "qwen3",
        .window = FileWindow::Upper,
        .headDim = 128, // as transformers fills it in
        .keys = keys,
        .read = read,
        .layer = decoderLayer,
    };
    return family;
}

} // namespace zigzag
