// SPDX-License-Identifier: GPL-3.0-or-later
// Ministral 3: Mistral's layers, whose queries are scaled by their position beyond the context that YaRN started from;
// transformers' Ministral3ForCausalLM.
#include "engine/model/families/family_list.h"

namespace zigzag {

namespace {

constexpr std::string_view keys[] = {"sliding_window"};
constexpr std::string_view outerTypes[] = {"mistral3", "ministral3"};

} // namespace

const Family &ministral3Family()
{
    static const Family family{
        .modelType = "ministral3",
        .outerTypes = outerTypes,
        .window = FileWindow::Everywhere,
        .windowLength = 0,
        .headDim = 128, // as transformers fills it in
        .mayLackKvHeads = true,
        .normEpsilon = 1e-5,
        .scalesQueries = true,
        .keys = keys,
        .read = mistralFamily().read,
        .layer = decoderLayer,
    };
    return family;
}

} // namespace zigzag
