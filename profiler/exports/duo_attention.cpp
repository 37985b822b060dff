// SPDX-License-Identifier: GPL-3.0-or-later
// The folder that duo-attention's load_attn_pattern reads: full_attention_heads.tsv, written as numpy.savetxt writes it
// (1 = full attention), and config.json with the two window sizes.
#include "profiler/exports/format_list.h"
#include "profiler/exports/writing.h"

#include <fmt/format.h>

namespace zigzag {

namespace {

std::string headsTsv(const HeadMap &map)
{
    std::string text;
    for (int layer = 0; layer < map.layers(); ++layer)
        for (int head = 0; head < map.kvHeads(); ++head)
            text += fmt::format("{:.18e}{}", map.pattern(layer, head).keepsEverything() ? 1.0 : 0.0,
                                head + 1 < map.kvHeads() ? '\t' : '\n');
    return text;
}

} // namespace

ExportFormat duoAttentionFormat()
{
    return {"duo-attention",
            "DuoAttention folder",
            true,
            [](const HeadMap &map, const ExportModel *) {
                ExportVerdict verdict;
                verdict.refusal = map.model().localLayers() > 0 ? refusedLocalLayers(map) : refusedWindows(map);
                verdict.note
                    = fmt::format("load it with sparsity {:g}; its decode sees sink + recent keys and the token itself: one "
                                  "key more than our window; its mixed layers run as two attention calls",
                                  map.sparsity());
                return verdict;
            },
            [](const HeadMap &map, const ExportModel *, const std::filesystem::path &out) {
                const auto [sink, recent] = map.oneStreamingWindow().value();
                return writeFolder(out,
                                   {{"full_attention_heads.tsv", headsTsv(map)},
                                    {"config.json", fmt::format("{{\"sink_size\": {}, \"recent_size\": {}}}\n", sink, recent)}});
            },
            [](const HeadMap &map) {
                HeadMap run = map;
                for (int layer = 0; layer < map.layers(); ++layer)
                    run.setLayerWindow(layer, map.window(layer).sink, map.window(layer).recent + 1);
                return run;
            }};
}

} // namespace zigzag
