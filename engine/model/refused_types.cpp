// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/refused_types.h"

#include "engine/base/printable.h"
#include "engine/model/family.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <vector>

namespace zigzag {

namespace {

struct Reason {
    std::string_view modelType; ///< or the beginning of several, with a star behind it
    std::string_view has;
};

/// Published kinds of models, the longer names first where one begins another.
constexpr Reason reasons[] = {
    {"deepseek_v*", "keys and values that are made anew from a latent vector of each token (multi-head latent attention)"},
    {"kimi_k2*", "keys and values that are made anew from a latent vector of each token (multi-head latent attention)"},
    {"minicpm3", "keys and values that are made anew from a latent vector of each token (multi-head latent attention)"},
    {"glm_moe_dsa",
     "latent attention to keys that an index of its own chooses (sparse attention), and experts chosen by sigmoids"},
    {"glm4_moe*", "experts beside a shared one, chosen by sigmoids with a bias"},
    {"llama4*", "attention in chunks, experts beside a shared one, and queries and keys that are normed without weights"},
    {"nemotron-nas", "layers of different widths, some without attention or feed-forward (block_configs)"},
    {"nemotron_h*", "state-space layers (Mamba 2) between those with attention"},
    {"mimo_v2*", "values of another width than keys, other heads in local layers, and experts chosen by sigmoids with a bias"},
    {"minimax_m2*",
     "experts chosen by sigmoids with a bias, and queries and keys that are normed over their width before half of "
     "each head is rotated"},
    {"minimax*", "layers with linear attention"},
    {"qwen3_next*", "layers with linear attention (gated delta rule)"},
    {"qwen3_5*", "layers with linear attention (gated delta rule), and gates behind attention"},
    {"qwen3_vl_moe*", "experts that are stored as one tensor, transposed"},
    {"qwen2_moe", "experts beside a shared one with a gate of its own"},
    {"qwen2_vl*", "a text part without a description of its own"},
    {"gemma4*", "wider heads in layers with full attention, whose values are their keys, and experts beside a feed-forward"},
    {"gemma3n*", "an embedding for each layer, and layers that share keys and values"},
    {"gemma", "a feed-forward and norms of the first Gemma, of which only 2 and 3 are run"},
    {"gpt_oss", "a feed-forward whose gates are clamped, experts with biases, and weights in MXFP4 of its own layout"},
    {"internlm3", "heads and biases that are arranged otherwise than a llama's"},
    {"stablelm*", "norms that subtract the mean (LayerNorm), with biases"},
    {"gpt2", "norms that subtract the mean (LayerNorm) and learned positions"},
    {"gpt_neox", "norms that subtract the mean (LayerNorm), and attention beside the feed-forward"},
    {"phi", "norms that subtract the mean (LayerNorm), and attention beside the feed-forward"},
    {"phimoe", "norms that subtract the mean (LayerNorm), and experts chosen by a rule of its own"},
    {"falcon*", "attention beside the feed-forward, or state-space layers"},
    {"cohere*", "norms that subtract the mean (LayerNorm), and attention beside the feed-forward"},
    {"starcoder2", "norms that subtract the mean (LayerNorm), and a feed-forward without a gate"},
    {"olmoe", "queries and keys that are normed over their width before experts"},
    {"mamba*", "state-space layers and no attention"},
    {"jamba", "state-space layers between those with attention"},
    {"granitemoe*", "experts that are stored as one tensor, or state-space layers"},
};

bool fits(std::string_view name, std::string_view pattern)
{
    return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
}

} // namespace

tl::unexpected<Error> refusedType(std::string_view modelType, const std::string &where)
{
    std::vector<std::string_view> known;
    for (const Family *family : families())
        known.push_back(family->modelType);
    std::string_view has;
    for (const Reason &reason : reasons)
        if (has.empty() && fits(modelType, reason.modelType))
            has = reason.has;
    return badInput(fmt::format("{}: model_type \"{}\" is not supported{}{}; use a model of one of these: {}", where,
                                printable(modelType), has.empty() ? "" : ": it has ", has, fmt::join(known, ", ")));
}

} // namespace zigzag
