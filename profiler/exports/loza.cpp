// SPDX-License-Identifier: GPL-3.0-or-later
// The terms of LongCat ZigZag Attention (LoZA): which layers keep full attention and which have streaming sparse attention,
// whose window is counted in blocks. A notation to read, compare and train by; no engine loads it.
#include "engine/base/files.h"
#include "profiler/exports/format_list.h"
#include "profiler/exports/writing.h"

#include <fmt/format.h>

namespace zigzag {

namespace {

constexpr int blockSize = 128;

int blocksFor(int tokens)
{
    return (tokens + blockSize - 1) / blockSize;
}

/// The window in whole blocks.
StreamingWindow blocksOf(StreamingWindow window)
{
    return {blockSize * blocksFor(window.sink), blockSize * blocksFor(window.recent)};
}

/// A mixed layer has full attention here: its window is of no account.
HeadMap wholeLayers(const HeadMap &map)
{
    HeadMap run = map;
    for (int layer = 0; layer < map.layers(); ++layer)
        if (map.layerKind(layer) == LayerKind::Mixed)
            run.setLayer(layer, HeadKind::Retrieval);
    return run;
}

std::string notation(const HeadMap &map)
{
    const StreamingWindow window = wholeLayers(map).oneStreamingWindow().value();
    nlohmann::ordered_json full = nlohmann::ordered_json::array(), sparse = full;
    for (int layer = 0; layer < map.layers(); ++layer)
        (map.layerKind(layer) == LayerKind::Streaming ? sparse : full).push_back(layer);
    return fmt::format("{{\"attention\": \"LoZA\", \"model\": {},\n \"num_layers\": {}, \"block_size\": {}, \"sink_blocks\": {}, "
                       "\"local_blocks\": {},\n \"full_attention_layers\": {},\n \"streaming_sparse_attention_layers\": {}}}\n",
                       nlohmann::json(map.model().name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                       map.layers(), blockSize, blocksFor(window.sink), blocksFor(window.recent), full.dump(), sparse.dump());
}

} // namespace

ExportFormat lozaFormat()
{
    return {"loza",
            "LoZA notation",
            false,
            [](const HeadMap &map, const ExportModel *) {
                ExportVerdict verdict = layerVerdict(map);
                verdict.sinksKept = true;
                verdict.refusal = map.model().localLayers() > 0 ? refusedLocalLayers(map) : refusedWindows(wholeLayers(map));
                verdict.note = fmt::format("a notation, which no engine loads; windows are counted in blocks of {}", blockSize);
                if (const auto window = wholeLayers(map).oneStreamingWindow())
                    verdict.note += fmt::format(": sink {} becomes {}, recent {} becomes {}", window->sink,
                                                blocksOf(*window).sink, window->recent, blocksOf(*window).recent);
                return verdict;
            },
            [](const HeadMap &map, const ExportModel *, const std::filesystem::path &out) {
                return writeFileAtomically(out, notation(map));
            },
            [](const HeadMap &map) {
                HeadMap run = wholeLayers(map);
                for (int layer = 0; layer < map.layers(); ++layer) {
                    const StreamingWindow window = blocksOf(map.window(layer));
                    run.setLayerWindow(layer, window.sink, window.recent);
                }
                return run;
            }};
}

} // namespace zigzag
