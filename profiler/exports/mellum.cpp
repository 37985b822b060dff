// SPDX-License-Identifier: GPL-3.0-or-later
// A Qwen3-MoE as a Mellum: the same network, tensor for tensor, with a kind for each layer, which Qwen3-MoE itself has not. Read
// in transformers 5.24 (models/mellum), mlx-lm 0.32.2, SGLang 0.5.23 and llama.cpp's converter (b11434); vLLM 0.32 runs it
// through transformers. transformers' window is i - j < W, which is our `recent`.
#include "profiler/exports/format_list.h"
#include "profiler/exports/writing.h"

#include <fmt/format.h>

namespace zigzag {

namespace {

using Json = nlohmann::ordered_json;

std::string refusalOf(const ExportModel *model)
{
    if (!model)
        return "its folder is the model's own config, changed: name the model (--model)";
    const ModelConfig &config = model->config;
    if (!config.is("qwen3_moe"))
        return fmt::format("a Mellum is a Qwen3 with experts, and a {} is another network: use {}", nameOf(*config.family),
                           config.is("llama") || config.is("mistral") ? "granite-swa, vllm or transformers" : "vllm");
    if (config.qkvBias)
        return "a Mellum has no biases in attention, and this model has: use head-map, and zigzag itself";
    return {};
}

Result<void> write(const HeadMap &map, const ExportModel &model, const std::filesystem::path &out)
{
    Json config = bareConfig(model);
    config["model_type"] = "mellum";
    config["architectures"] = {"MellumForCausalLM"};
    for (const char *key : {"num_local_experts", "decoder_sparse_step", "mlp_only_layers"}) // said otherwise there
        config.erase(key);
    config["num_experts"] = model.config.experts;
    config["num_experts_per_tok"] = model.config.expertsPerToken;
    config["moe_intermediate_size"] = model.config.expertIntermediateSize;
    config["norm_topk_prob"] = model.config.renormalisesExperts;
    Json kinds = Json::array();
    for (const bool dense : model.config.denseLayers)
        kinds.push_back(dense ? "dense" : "sparse");
    config["mlp_layer_types"] = kinds;
    // One rotary embedding for each kind of layer, and without these keys one of its own.
    const Json rope = ropeParameters(model.config.rope);
    config["rope_parameters"] = {{"full_attention", rope}, {"sliding_attention", rope}};
    config["sliding_window"] = windowOf(map);
    config["layer_types"] = layerTypes(map);
    return writeModelFolder(out, config, model, map, "transformers 5.24 and later, and what reads its Mellum");
}

} // namespace

ExportFormat mellumFormat()
{
    return {
        "mellum",
        "transformers folder (Mellum)",
        true,
        [](const HeadMap &map, const ExportModel *model) {
            ExportVerdict verdict = layerVerdict(map);
            verdict.minimumVersion = "transformers 5.24";
            verdict.note
                = "config.json alone: the weights stay the model's own; a Mellum is the same network as a Qwen3-MoE, with a "
                  "kind for each layer; SGLang 0.5.23 has it too, vLLM 0.32 through its transformers backend, llama.cpp "
                  "b11434 by its converter and mlx-lm 0.32 where every layer has experts and positions are not scaled linearly: "
                  "read in their sources, not tried";
            if (const std::string refusal = refusalOf(model); !refusal.empty())
                verdict.refusal = refusal;
            return verdict;
        },
        [](const HeadMap &map, const ExportModel *model, const std::filesystem::path &out) { return write(map, *model, out); },
        layersWithoutSinks};
}

} // namespace zigzag
