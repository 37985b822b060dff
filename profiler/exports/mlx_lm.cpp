// SPDX-License-Identifier: GPL-3.0-or-later
// mlx-lm's llama module, which also runs Mistral, reads layer_types and sliding_window from config.json.
#include "profiler/exports/format_list.h"
#include "profiler/exports/writing.h"

namespace zigzag {

namespace {

std::string refusalOf(const HeadMap &map, const ExportModel *model)
{
    if (!model)
        return "its folder is the model's own config, changed: name the model (--model)";
    if (!model->config.is("llama") && !model->config.is("mistral"))
        return model->config.is("qwen3_moe") ? "only Llama and Mistral read layer_types there, and Mellum does: use mellum"
                                             : "only Llama and Mistral read layer_types there: use the format transformers";
    const HeadMap run = layersWithoutSinks(map);
    bool isAnyFull = false;
    for (int layer = 0; layer < run.layers(); ++layer)
        isAnyFull = isAnyFull || !isWindowed(run, layer);
    if (!isAnyFull)
        return "it needs one retrieval layer at least: let one layer retrieve";
    return {};
}

} // namespace

ExportFormat mlxLmFormat()
{
    return {"mlx-lm",
            "mlx-lm config",
            true,
            [](const HeadMap &map, const ExportModel *model) {
                ExportVerdict verdict = layerVerdict(map);
                verdict.note
                    = "config.json alone, for mlx-lm alone: transformers would cut this model's cache to the window and not "
                      "its mask";
                if (const std::string refusal = refusalOf(map, model); !refusal.empty())
                    verdict.refusal = refusal;
                return verdict;
            },
            [](const HeadMap &map, const ExportModel *model, const std::filesystem::path &out) {
                nlohmann::ordered_json config = bareConfig(*model);
                setRope(config, model->config.rope);
                config["sliding_window"] = windowOf(map);
                config["layer_types"] = layerTypes(map);
                return writeModelFolder(out, config, *model, map, "mlx-lm (not transformers)");
            },
            layersWithoutSinks,
            "mlx-lm"};
}

} // namespace zigzag
