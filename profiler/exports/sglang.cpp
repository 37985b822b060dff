// SPDX-License-Identifier: GPL-3.0-or-later
// The command line for SGLang's transformers backend. Its window counts the tokens before the query, ours the query too.
#include "engine/base/files.h"
#include "profiler/exports/format_list.h"
#include "profiler/exports/writing.h"

#include <fmt/format.h>

namespace zigzag {

namespace {

std::string command(const HeadMap &map, const ExportModel *model)
{
    nlohmann::ordered_json pattern = nlohmann::ordered_json::array(); // 1 = sliding window
    for (int layer = 0; layer < map.layers(); ++layer)
        pattern.push_back(map.layerKind(layer) == LayerKind::Streaming || map.isLocal(layer) ? 1 : 0);
    const nlohmann::ordered_json overrides = {{"layer_types", layerTypes(map)},
                                              {"sliding_window", windowOf(map) - 1},
                                              {"is_hybrid_swa", true},
                                              {"hybrid_layer_pattern", pattern}};
    return commandsOfHosts(map, model, sglangRankFlags, [&](const std::string &flags) {
        return fmt::format("python -m sglang.launch_server --model-path {} --model-impl transformers{} \\\n"
                           "    --json-model-override-args {}\n",
                           servedModel(model), flags, shellQuoted(overrides.dump()));
    });
}

} // namespace

ExportFormat sglangFormat()
{
    return {"sglang",
            "SGLang command line (experimental)",
            false,
            [](const HeadMap &map, const ExportModel *model) {
                ExportVerdict verdict = layerVerdict(map);
                if (const std::string refusal = refusedFamily(model); !refusal.empty())
                    verdict.refusal = refusal;
                verdict.kvFreed = KvFreed::OptIn;
                verdict.note
                    = "experimental, not tried: 0.5.23 frees keys by is_hybrid_swa (read in its source), and versions that "
                      "know hybrid models by their names alone keep every key, whatever the command says; compare its "
                      "answers with full attention before you trust it";
                if (verdict.refusal.empty() && windowOf(map) < 2)
                    verdict.refusal = "its window leaves the token itself out, and ours is that token alone: raise recent to 2";
                return verdict;
            },
            [](const HeadMap &map, const ExportModel *model, const std::filesystem::path &out) {
                return writeFileAtomically(out, command(map, model));
            },
            layersWithoutSinks,
            "SGLang"};
}

} // namespace zigzag
