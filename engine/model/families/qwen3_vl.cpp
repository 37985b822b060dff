// SPDX-License-Identifier: GPL-3.0-or-later
// The text part of Qwen3-VL (arXiv 2511.21631): Qwen3's layers. Its rotary embedding has a position for each of time, height and
// width, which in a text are one and the same; transformers' Qwen3VLTextModel.
#include "engine/model/families/family_list.h"

namespace zigzag {

namespace {

constexpr std::string_view keys[] = {"attention_bias"};
constexpr std::string_view outerTypes[] = {"qwen3_vl"};

} // namespace

const Family &qwen3VlFamily()
{
    static const Family family{
        .modelType = "qwen3_vl_text",
        .outerTypes = outerTypes,
        .headDim = 128, // as transformers fills it in
        .mayLackKvHeads = true,
        .ropeTheta = 5e5,
        .keys = keys,
        .read = qwen3Family().read,
        .layer = decoderLayer,
    };
    return family;
}

} // namespace zigzag
