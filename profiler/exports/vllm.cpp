// SPDX-License-Identifier: GPL-3.0-or-later
// The command line that serves the map with vLLM: layer_types and one window, given over the model's own config.
#include "engine/base/files.h"
#include "profiler/exports/format_list.h"
#include "profiler/exports/writing.h"

#include <fmt/format.h>

namespace zigzag {

namespace {

bool isQwen(const ExportModel *model)
{
    return model && (model->config.is("qwen2") || model->config.is("qwen3"));
}

std::string command(const HeadMap &map, const ExportModel *model)
{
    nlohmann::ordered_json overrides = {{"layer_types", layerTypes(map)}, {"sliding_window", windowOf(map)}};
    if (isQwen(model))
        overrides["use_sliding_window"] = true;
    return commandsOfHosts(map, model, vllmRankFlags, [&](const std::string &flags) {
        return fmt::format("vllm serve {}{}{} \\\n    --hf-overrides {}\n", servedModel(model),
                           isQwen(model) ? " --model-impl transformers" : "", flags, shellQuoted(overrides.dump()));
    });
}

} // namespace

ExportFormat vllmFormat()
{
    return {"vllm",
            "vLLM command line",
            false,
            [](const HeadMap &map, const ExportModel *model) {
                ExportVerdict verdict = layerVerdict(map);
                if (const std::string refusal = refusedFamily(model); !refusal.empty())
                    verdict.refusal = refusal;
                verdict.minimumVersion = "vLLM 0.10.1";
                verdict.note
                    = "layers are billed in groups of equal size, so that it can reserve more than the textbook's bytes (see "
                      "zigzag plan)";
                if (isQwen(model))
                    verdict.note
                        += "; a Qwen model runs through --model-impl transformers, because vLLM's own code for Qwen reads "
                           "no kinds of layers";
                if (!model)
                    verdict.note += "; as for a Llama or Mistral model: name the model to have it checked";
                return verdict;
            },
            [](const HeadMap &map, const ExportModel *model, const std::filesystem::path &out) {
                return writeFileAtomically(out, command(map, model));
            },
            layersWithoutSinks,
            "vLLM"};
}

} // namespace zigzag
