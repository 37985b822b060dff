// SPDX-License-Identifier: GPL-3.0-or-later
// How engines spread a map over GPUs of one host and of several, and the commands that say so.
#include "engine/base/files.h"
#include "engine/map/kv_layout.h"
#include "engine/model/model.h"
#include "profiler/exports/export_format.h"
#include "profiler/exports/serving_ranks.h"
#include "tests/temp_folder.h"

#include <gtest/gtest.h>
#include <numeric>

namespace zigzag {
namespace {

ModelConfig llama()
{
    return *loadModelConfig("preset:llama-3-8b"); // 32 layers, 32 query heads over 8 KV heads
}

TEST(ServingRanks, LayersAreSharedWithinAHostAndDealtOutToHosts)
{
    const ModelConfig config = llama();
    const auto at = [&](int gpus, int perHost) {
        const auto ranks = servingRanks(config, gpus, perHost);
        EXPECT_TRUE(ranks) << ranks.error().message;
        EXPECT_EQ(ranks->tensor * ranks->pipeline, gpus);
        return std::array{ranks->hosts, ranks->tensor, ranks->pipeline};
    };
    EXPECT_EQ(at(1, 8), (std::array{1, 1, 1}));
    EXPECT_EQ(at(4, 8), (std::array{1, 4, 1}));
    EXPECT_EQ(at(16, 8), (std::array{2, 8, 2}));
    EXPECT_EQ(at(24, 8), (std::array{3, 8, 3}));
    EXPECT_EQ(at(3, 8), (std::array{1, 1, 3})) << "three divide no heads: stages of layers";
    EXPECT_EQ(at(6, 8), (std::array{1, 2, 3}));
    EXPECT_EQ(at(16, 16), (std::array{1, 16, 1})) << "two GPUs hold each KV head";
    EXPECT_NE(servingRanks(config, 12, 8).error().message.find("do not fill hosts"), std::string::npos);
    EXPECT_FALSE(servingRanks(config, 0, 8));
    EXPECT_FALSE(servingRanks(config, 1024, 1)) << "more stages than layers";
}

TEST(ServingRanks, StagesAreCutAsVllmCutsThem)
{
    using Stages = std::vector<int>;
    EXPECT_EQ(stageLayers(32, 1), (Stages{32}));
    EXPECT_EQ(stageLayers(32, 2), (Stages{16, 16}));
    EXPECT_EQ(stageLayers(33, 2), (Stages{17, 16}));
    EXPECT_EQ(stageLayers(32, 3), (Stages{11, 11, 10}));
    EXPECT_EQ(stageLayers(25, 4), (Stages{6, 6, 7, 6}));
    EXPECT_EQ(stageLayers(27, 4), (Stages{7, 7, 7, 6}));
}

TEST(ServingRanks, StagesOfUnequalKindsAreUnequallyFull)
{
    const ModelConfig config = llama();
    HeadMap map(config.shape(), HeadKind::Retrieval, 0, 256);
    for (int layer = 16; layer < 32; ++layer)
        map.setLayer(layer, HeadKind::Streaming);
    constexpr std::int64_t context = 4096;
    const std::int64_t full = 2 * 128 * 2 * context, streaming = 2 * 128 * 2 * 256; // of a head
    // Within a host the GPUs of an exclusive map are equal; the second host has the streaming layers alone.
    const ServedRanks one = servedRanks(config, map, *servingRanks(config, 8, 8), context);
    EXPECT_EQ(one.imbalance, 1);
    EXPECT_EQ(one.largest, 16 * (full + streaming));
    const ServedRanks two = servedRanks(config, map, *servingRanks(config, 16, 8), context);
    ASSERT_EQ(two.kvBytes.size(), 16u);
    EXPECT_EQ(two.kvBytes.front(), 16 * full);
    EXPECT_EQ(two.kvBytes.back(), 16 * streaming);
    EXPECT_DOUBLE_EQ(two.imbalance, 2.0 * full / (full + streaming));
    EXPECT_EQ(std::accumulate(two.kvBytes.begin(), two.kvBytes.end(), std::int64_t{0}), kvBytes(map, context, config.kvType));
    // A KV head that two GPUs hold counts on both.
    const ServedRanks doubled = servedRanks(config, map, *servingRanks(config, 16, 16), context);
    EXPECT_EQ(doubled.largest, one.largest);
}

TEST(ServingRanks, FlagsAreTheEnginesOwn)
{
    const ModelConfig config = llama();
    const ServingRanks one = *servingRanks(config, 1, 8), host = *servingRanks(config, 4, 8),
                       hosts = *servingRanks(config, 16, 8);
    EXPECT_EQ(vllmRankFlags(one, 0), "");
    EXPECT_EQ(sglangRankFlags(one, 0), "");
    EXPECT_EQ(vllmRankFlags(host, 0), "--tensor-parallel-size 4");
    EXPECT_EQ(sglangRankFlags(host, 0), "--tp-size 4");
    EXPECT_EQ(vllmRankFlags(hosts, 0),
              "--tensor-parallel-size 8 --pipeline-parallel-size 2 --nnodes 2 --node-rank 0 --master-addr HOST");
    EXPECT_EQ(vllmRankFlags(hosts, 1),
              "--tensor-parallel-size 8 --pipeline-parallel-size 2 --nnodes 2 --node-rank 1 --master-addr HOST --headless");
    EXPECT_EQ(sglangRankFlags(hosts, 1), "--tp-size 8 --pp-size 2 --nnodes 2 --node-rank 1 --dist-init-addr HOST:20000");
}

TEST(ServingRanks, AreExportedWithTheMap)
{
    auto model = loadExportModel("preset:llama-3-8b");
    ASSERT_TRUE(model) << model.error().message;
    HeadMap map(model->config.shape(), HeadKind::Retrieval, 0, 256);
    map.setLayer(31, HeadKind::Streaming);
    map.set(0, 0, HeadKind::Streaming); // a mixed layer is a full one there
    model->context = 4096;
    const test::TempFolder scratch;
    const auto written = [&](const char *name, int gpus) {
        model->ranks = *servingRanks(model->config, gpus, 8);
        const auto format = findExportFormat(name);
        EXPECT_TRUE(format && exportMap(**format, map, &*model, scratch / name));
        return *readTextFile(scratch / name);
    };
    const auto count = [](const std::string &text, std::string_view part) {
        int found = 0;
        for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1))
            ++found;
        return found;
    };
    EXPECT_EQ(written("vllm", 1).rfind("vllm serve MODEL \\\n", 0), 0u) << "as before where there is one";
    const std::string host = written("vllm", 4);
    EXPECT_NE(host.find("\nvllm serve MODEL --tensor-parallel-size 4 \\\n    --hf-overrides '{"), std::string::npos) << host;
    EXPECT_EQ(host.rfind("# 4 GPUs, 4 to a layer, one stage of layers. Keys and values of a sequence of 4096 tokens: ", 0), 0u)
        << host;
    EXPECT_NE(host.find("1.000 times the mean"), std::string::npos) << host;
    const std::string hosts = written("vllm", 16);
    EXPECT_EQ(count(hosts, "vllm serve MODEL --tensor-parallel-size 8 --pipeline-parallel-size 2"), 2) << hosts;
    EXPECT_EQ(count(hosts, "--headless"), 1) << hosts;
    EXPECT_EQ(count(hosts, "--hf-overrides"), 2) << "each host must know the layers";
    const std::string sglang = written("sglang", 16);
    EXPECT_EQ(count(sglang, "--model-impl transformers --tp-size 8 --pp-size 2"), 2) << sglang;
    EXPECT_EQ(count(sglang, "--json-model-override-args"), 2);
}

} // namespace
} // namespace zigzag
