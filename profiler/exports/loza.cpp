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

std::string notation(const HeadMap &map)
{
    nlohmann::ordered_json full = nlohmann::ordered_json::array(), sparse = full;
    for (int layer = 0; layer < map.layers(); ++layer)
        (map.layerKind(layer) == LayerKind::Streaming ? sparse : full).push_back(layer);
    return fmt::format("{{\"attention\": \"LoZA\", \"model\": {},\n \"num_layers\": {}, \"block_size\": {}, \"sink_blocks\": {}, "
                       "\"local_blocks\": {},\n \"full_attention_layers\": {},\n \"streaming_sparse_attention_layers\": {}}}\n",
                       nlohmann::json(map.model().name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                       map.layers(), blockSize, blocksFor(map.sink()), blocksFor(map.recent()), full.dump(), sparse.dump());
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
                verdict.note = fmt::format(
                    "a notation, which no engine loads; windows are counted in blocks of {}: sink {} becomes {}, "
                    "recent {} becomes {}",
                    blockSize, map.sink(), blockSize * blocksFor(map.sink()), map.recent(), blockSize * blocksFor(map.recent()));
                return verdict;
            },
            [](const HeadMap &map, const ExportModel *, const std::filesystem::path &out) {
                return writeFileAtomically(out, notation(map));
            },
            [](const HeadMap &map) {
                HeadMap run = layersWithoutSinks(map);
                run.setWindow(blockSize * blocksFor(map.sink()), blockSize * blocksFor(map.recent()));
                return run;
            }};
}

} // namespace zigzag
