// SPDX-License-Identifier: GPL-3.0-or-later
// Qwen2 and Qwen2.5: Llama's layers with biases of queries, keys and values (arXiv 2407.10671).
#include "engine/model/families/family_list.h"

namespace zigzag {

namespace {

// transformers' class ignores attention_bias: the biases are there whatever it says.
constexpr std::string_view keys[] = {"attention_bias", "sliding_window", "use_sliding_window", "max_window_layers"};

Result<void> read(ModelConfig &model, const json::Value &config, const std::string &where)
{
    ZIGZAG_CHECK(json::booleanOr(config, "attention_bias", false, where));
    model.qkvBias = true;
    return {};
}

} // namespace

const Family &qwen2Family()
{
    static const Family family{
        .modelType = "qwen2",
        .ggufArchitecture = "qwen2",
        .window = FileWindow::Upper,
        .keys = keys,
        .read = read,
        .layer = decoderLayer,
    };
    return family;
}

} // namespace zigzag
