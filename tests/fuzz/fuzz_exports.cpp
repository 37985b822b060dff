// SPDX-License-Identifier: GPL-3.0-or-later
// config.json of a model that a map is exported for, with one window and with a window for each layer. What a target does not
// refuse is written, and what is JSON in it reads back as JSON.
#include "engine/base/files.h"
#include "engine/base/json_input.h"
#include "profiler/exports/export_format.h"
#include "tests/fuzz/fuzz_target.h"

ZIGZAG_FUZZ(exports)
{
    using namespace zigzag;
    const auto config = parseModelConfig(input, "input");
    if (!config || static_cast<std::int64_t>(config->layers) * config->kvHeads > 1024)
        return;
    const ExportModel model{"it's", *config, std::string(input)};
    HeadMap map(config->shape("sha256:00"), HeadKind::Retrieval, 4, 16);
    for (int layer = 0; layer < map.layers(); ++layer)
        if (layer % 3 == 0)
            map.setLayer(layer, HeadKind::Streaming);
        else if (layer % 3 == 1)
            map.set(layer, 0, HeadKind::Streaming);
    HeadMap windows = map;
    for (int layer = 0; layer < map.layers(); ++layer)
        windows.setLayerWindow(layer, layer % 3, 8 + layer % 7);
    const auto out = test::fuzzFolder() / "out";
    for (const HeadMap &exported : {map, windows})
        for (const ExportFormat &format : exportFormats()) {
            std::filesystem::remove_all(out);
            const auto written = exportMap(format, exported, &model, out);
            test::require(written.has_value() == format.verdict(exported, &model).refusal.empty());
            const HeadMap run = format.asRun(exported);
            test::require(run.layers() == map.layers() && run.kvHeads() == map.kvHeads());
            const auto folder = written && format.writesFolder ? readTextFile(out / "config.json") : Result<std::string>("{}");
            test::require(folder && json::parse(*folder, "config.json"));
        }
}
