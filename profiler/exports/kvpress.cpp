// SPDX-License-Identifier: GPL-3.0-or-later
// A Python snippet for NVIDIA's kvpress: its DuoAttentionPress with this map in the place of the pattern that it would
// fetch. The press orders heads by score and lets the lowest stream, so scores of 0 and 1 and the map's own sparsity give
// exactly these heads.
#include "engine/base/files.h"
#include "profiler/exports/format_list.h"
#include "profiler/exports/writing.h"

#include <fmt/format.h>

namespace zigzag {

namespace {

std::string snippet(const HeadMap &map)
{
    const StreamingWindow window = map.oneStreamingWindow().value();
    std::string rows;
    for (int layer = 0; layer < map.layers(); ++layer) {
        rows += "    \"" + map.letters(layer) + "\",\n";
    }
    return fmt::format(R"(# A head map for kvpress: R = the KV head keeps every key, S = it streams. A line per layer.
#     with ZigzagPress()(model):    # a model that is loaded with attn_implementation="sdpa" or a flash attention
#         model.generate(...)
from dataclasses import dataclass

import numpy as np
from kvpress import DuoAttentionPress

HEADS = [
{}]
SINK, RECENT = {}, {}


@dataclass
class ZigzagPress(DuoAttentionPress):
    head_compression_ratio: float = "".join(HEADS).count("S") / len("".join(HEADS))

    @staticmethod
    def load_attention_pattern(model):
        return SINK, RECENT, np.array([[float(head == "R") for head in layer] for layer in HEADS])
)",
                       rows, window.sink, window.recent);
}

} // namespace

ExportFormat kvpressFormat()
{
    return {"kvpress",
            "kvpress snippet (Python)",
            false,
            [](const HeadMap &map, const ExportModel *) {
                ExportVerdict verdict;
                verdict.refusal = map.model().localLayers() > 0 ? refusedLocalLayers(map) : refusedWindows(map);
                verdict.kvFreed = KvFreed::No;
                verdict.minimumVersion = "kvpress 0.3";
                verdict.note
                    = "for quality alone: keys are masked, not freed, once the prompt has been read with full attention, "
                      "and the window then stays at the prompt's end, so it answers a little better than a map that "
                      "streams throughout";
                return verdict;
            },
            [](const HeadMap &map, const ExportModel *, const std::filesystem::path &out) {
                return writeFileAtomically(out, snippet(map));
            },
            [](const HeadMap &map) { return map; }};
}

} // namespace zigzag
