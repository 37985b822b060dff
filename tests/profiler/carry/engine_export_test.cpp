// SPDX-License-Identifier: GPL-3.0-or-later
// A map as its engine reads it: a folder that can be served as it is.
#include "profiler/carry/engine_export.h"

#include "engine/base/files.h"
#include "engine/model/checkpoint.h"
#include "engine/model/model.h"
#include "tests/temp_folder.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

namespace fs = std::filesystem;

constexpr const char *tiny = "bundled:zigzag-tiny";

HeadMap halfMap(const ExportModel &model)
{
    HeadMap map(model.config.shape(), HeadKind::Retrieval, 0, 128);
    for (int layer = 0; layer < map.layers(); layer += 2)
        map.setLayer(layer, HeadKind::Streaming);
    return map;
}

TEST(EngineExport, AFolderHasTheModelsWeightsAndItsTokenizer)
{
    const auto model = loadExportModel(tiny);
    ASSERT_TRUE(model) << model.error().message;
    const fs::path own = *modelFolder(tiny);
    const test::TempFolder folder;
    for (const WeightFiles files : {WeightFiles::Link, WeightFiles::Copy}) {
        const auto made = exportForEngine("transformers", halfMap(*model), *model, folder.path(), files);
        ASSERT_TRUE(made) << made.error().message;
        EXPECT_EQ(made->out, folder.path() / "transformers");
        EXPECT_TRUE(made->command.empty());
        EXPECT_GE(made->weights, 1);
        EXPECT_EQ(*readTextFile(made->out / "tokenizer.json"), *readTextFile(own / "tokenizer.json"));
        EXPECT_NE(*readTextFile(made->out / "config.json"), *readTextFile(own / "config.json")) << "that one is the export's";
        const auto there = Checkpoint::open(made->out), here = Checkpoint::open(own);
        ASSERT_TRUE(there && here);
        EXPECT_EQ(there->names().size(), here->names().size());
        for (const auto &entry : fs::directory_iterator(made->out))
            if (entry.path().extension() == ".safetensors") {
                EXPECT_EQ(entry.is_symlink(), files == WeightFiles::Link) << entry.path();
                EXPECT_EQ(fs::equivalent(entry.path(), own / entry.path().filename()), files == WeightFiles::Link);
            }
    }
}

TEST(EngineExport, ACommandIsNoFolder)
{
    const auto model = loadExportModel(tiny);
    ASSERT_TRUE(model) << model.error().message;
    const test::TempFolder folder;
    const auto made = exportForEngine("vllm", halfMap(*model), *model, folder.path());
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->weights, 0);
    EXPECT_EQ(made->command, *readTextFile(made->out));
    EXPECT_NE(made->command.find("vllm serve"), std::string::npos) << made->command;
    EXPECT_FALSE(exportForEngine("tensorrt", halfMap(*model), *model, folder.path()));
}

/// A shape without a folder of weights: nothing half made is left.
TEST(EngineExport, WithoutWeightsThereIsNoFolder)
{
    const auto model = loadExportModel("preset:llama-3-8b");
    ASSERT_TRUE(model) << model.error().message;
    const test::TempFolder folder;
    EXPECT_FALSE(exportForEngine("transformers", halfMap(*model), *model, folder.path()));
    EXPECT_FALSE(fs::exists(folder.path() / "transformers"));
}

} // namespace
} // namespace zigzag
