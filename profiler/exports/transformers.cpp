// SPDX-License-Identifier: GPL-3.0-or-later
// A folder that transformers loads with the model's own weights. A llama config must not carry layer_types: its cache would
// be cut to the window while its mask is not. Ministral and CWM are the same network with a kind for each layer, and Qwen2
// and Qwen3 have kinds of their own. transformers' window is i - j < W, which is our `recent`.
#include "profiler/exports/format_list.h"
#include "profiler/exports/writing.h"

#include <fmt/format.h>

namespace zigzag {

namespace {

using Json = nlohmann::ordered_json;

bool isQwen(const ModelConfig &config)
{
    return config.is("qwen2") || config.is("qwen3");
}

std::string refusalOf(const ExportModel *model, bool cwm)
{
    if (!model)
        return "its folder is the model's own config, changed: name the model (--model)";
    if (std::string refusal = refusedFamily(model); !refusal.empty())
        return refusal;
    const ModelConfig &config = model->config;
    if (isQwen(config))
        return cwm ? fmt::format("a {} model has layer types of its own: use the format transformers", nameOf(*config.family))
                   : "";
    if (!config.is("llama") && !config.is("mistral"))
        return fmt::format("a {} is another network than a Ministral or a CWM: use vllm or duo-attention",
                           nameOf(*config.family));
    if (config.qkvBias || config.outputBias)
        return "Ministral and CWM have no biases in attention, and this model has: use vllm or duo-attention";
    if (!cwm && config.mlpBias)
        return "Ministral has no biases in its MLP, and this model has: use transformers-cwm";
    if (cwm && config.hiddenSize % config.queryHeads != 0)
        return fmt::format("CWM wants a hidden size that its {} heads divide, not {}: use the format transformers",
                           config.queryHeads, config.hiddenSize);
    return {};
}

ExportVerdict verdictOf(const HeadMap &map, const ExportModel *model, bool cwm)
{
    ExportVerdict verdict = layerVerdict(map);
    verdict.minimumVersion = cwm ? "transformers 5" : model && isQwen(model->config) ? "" : "transformers 4.57";
    verdict.note = "config.json alone: the weights stay the model's own";
    if (model && !isQwen(model->config))
        verdict.note += fmt::format("; a {} is the same network as a {}, with a kind for each layer", cwm ? "CWM" : "Ministral",
                                    model->config.is("llama") ? "Llama" : "Mistral");
    if (const std::string refusal = refusalOf(model, cwm); !refusal.empty())
        verdict.refusal = refusal;
    return verdict;
}

Result<void> write(const HeadMap &map, const ExportModel &model, const std::filesystem::path &out, bool cwm)
{
    Json config = bareConfig(model);
    std::string runBy;
    if (isQwen(model.config)) {
        setRope(config, model.config.rope);
        config["use_sliding_window"] = true;
        runBy = "transformers (held against version 5)";
    } else {
        config["model_type"] = cwm ? "cwm" : "ministral";
        config["architectures"] = {cwm ? "CwmForCausalLM" : "MinistralForCausalLM"};
        config.erase("attention_bias");
        if (!cwm)
            config.erase("mlp_bias");
        if (cwm) // without this key CWM scales its rotary embedding by values of its own
            config["rope_parameters"] = ropeParameters(model.config.rope);
        else
            setRope(config, model.config.rope);
        runBy = cwm ? "transformers 5 and later" : "transformers 4.57 and later";
    }
    if (cwm && config["eos_token_id"].is_null())
        config["eos_token_id"] = Json::array(); // null would become three tokens of CWM's own
    if (cwm && config["bos_token_id"].is_null())
        config["bos_token_id"] = 0; // null is refused there; only an empty prompt would begin with it
    config["sliding_window"] = windowOf(map);
    config["layer_types"] = layerTypes(map);
    return writeModelFolder(out, config, model, map, runBy);
}

} // namespace

ExportFormat transformersFormat()
{
    return {"transformers",
            "transformers folder (Ministral or Qwen)",
            true,
            [](const HeadMap &map, const ExportModel *model) { return verdictOf(map, model, false); },
            [](const HeadMap &map, const ExportModel *model, const std::filesystem::path &out) {
                return write(map, *model, out, false);
            },
            layersWithoutSinks};
}

ExportFormat transformersCwmFormat()
{
    return {"transformers-cwm",
            "transformers folder (CWM)",
            true,
            [](const HeadMap &map, const ExportModel *model) { return verdictOf(map, model, true); },
            [](const HeadMap &map, const ExportModel *model, const std::filesystem::path &out) {
                return write(map, *model, out, true);
            },
            layersWithoutSinks,
            "transformers"};
}

} // namespace zigzag
