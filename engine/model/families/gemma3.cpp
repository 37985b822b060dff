// SPDX-License-Identifier: GPL-3.0-or-later
// Gemma 3, the text model (arXiv 2503.19786): Gemma 2 with norms of each head's query and key instead of soft caps, and five
// local layers of six, which have a rotary embedding of their own; transformers' Gemma3ForCausalLM.
#include "engine/model/families/family_list.h"
#include "engine/model/layer_windows.h"

#include <fmt/format.h>

namespace zigzag {

namespace {

constexpr std::string_view keys[]
    = {"attention_bias", "hidden_activation",      "query_pre_attn_scalar",   "attn_logit_softcapping", "final_logit_softcapping",
       "sliding_window", "sliding_window_pattern", "_sliding_window_pattern", "rope_local_base_freq",   "cache_implementation"};
constexpr std::string_view outerTypes[] = {"gemma3"};
constexpr DefaultSize sizes[]
    = {{"vocab_size", 262208}, {"num_attention_heads", 8}, {"num_key_value_heads", 4}, {"max_position_embeddings", 131072}};

Result<void> read(ModelConfig &model, const json::Value &config, const std::string &where)
{
    ZIGZAG_CHECK(readGemma(model, config, where));
    ZIGZAG_TRY(logits, json::numberOr(config, "final_logit_softcapping", 0, 0, 1e6, where));
    ZIGZAG_TRY(scores, json::numberOr(config, "attn_logit_softcapping", 0, 0, 1e6, where));
    if (scores > 0) // which transformers reads and does not apply
        return badInput(fmt::format("{}: attn_logit_softcapping is {}, and a {} has no soft cap of scores; set it to null", where,
                                    scores, nameOf(*model.family)));
    model.logitCap = logits;
    model.queryKeyNorm = true;
    ZIGZAG_TRY(pattern, json::integerOr(config, "sliding_window_pattern", 6, 1, 1 << 20, where));
    ZIGZAG_TRY(local,
               readLocalLayers(
                   model, config, [&](int layer) { return (layer + 1) % pattern != 0; }, where));
    for (const bool isLocal : local)
        model.layerRopes.push_back(isLocal ? LayerRope::Local : LayerRope::Main);
    return readFileWindows(model, config, local, where);
}

constexpr GgufKey ggufKeys[] = {
    {"attention.sliding_window", "sliding_window", false},
    {"final_logit_softcapping", "final_logit_softcapping", false, false},
    {"rope.freq_base_swa", "rope_local_base_freq", false, false},
};

/// Of the published ones, the largest alone does not scale scores by the size of its heads.
void impliedByGguf(json::Value &config)
{
    constexpr int layersOfLargest = 62;
    const std::int64_t hidden = config["hidden_size"], heads = config["num_attention_heads"], headDim = config["head_dim"];
    config["query_pre_attn_scalar"] = config["num_hidden_layers"] == layersOfLargest && heads > 0 ? hidden / heads : headDim;
}

} // namespace

const Family &gemma3Family()
{
    static const Family family{
        .modelType = "gemma3_text",
        .outerTypes = outerTypes,
        .ggufArchitecture = "gemma3",
        .ggufKeys = ggufKeys,
        .ggufWindowPattern = 6,
        .ggufImplied = impliedByGguf,
        .window = FileWindow::OfLayers,
        .sizes = sizes,
        .headDim = 256, // as transformers fills it in
        .tiesEmbeddings = true,
        .ropeTheta = 1e6,
        .localRopeTheta = 10000,
        .localRopeThetaKey = "rope_local_base_freq",
        .activationKey = "hidden_activation",
        .activation = "gelu_pytorch_tanh",
        .keys = keys,
        .read = read,
        .layer = gemmaLayer,
    };
    return family;
}

} // namespace zigzag
