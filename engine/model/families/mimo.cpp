// SPDX-License-Identifier: GPL-3.0-or-later
// MiMo (arXiv 2505.07608): Qwen2's layers. Layers behind the last one, which guess the tokens after the next, are not part of
// what says the next one, and are not read.
#include "engine/model/families/family_list.h"

namespace zigzag {

namespace {

constexpr std::string_view keys[]
    = {"attention_bias", "sliding_window", "use_sliding_window", "max_window_layers", "num_nextn_predict_layers"};

} // namespace

const Family &mimoFamily()
{
    static const Family family{
        .modelType = "mimo",
        .window = FileWindow::Upper,
        .keys = keys,
        .read = qwen2Family().read,
        .layer = decoderLayer,
    };
    return family;
}

} // namespace zigzag
