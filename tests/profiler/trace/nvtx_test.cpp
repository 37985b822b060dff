// SPDX-License-Identifier: GPL-3.0-or-later
// What a profiler that is attached from outside sees of a run, by a small one of our own (nvtx_tool.cpp).
#include "engine/map/map_io.h"
#include "engine/run/trace_sink.h"
#include "tests/cli/run_program.h"
#include "tests/tiny_model.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace zigzag {
namespace {

struct Event {
    bool isPush = false;
    std::string domain, name, category, payload;
};

class Nvtx : public testing::Test
{
protected:
    /// Runs one prefill of a model whose layers are mixed, streaming and retrieval.
    std::vector<Event> run(const std::string &tool)
    {
        const std::string model = test::writeTinyModel(m_folder / "model", {.layers = 3}).string();
        HeadMap map(ModelShape{"three", 3, 4, 2, 8, {}}, HeadKind::Retrieval, 4, 16);
        map.set(0, 1, HeadKind::Streaming);
        map.setLayer(1, HeadKind::Streaming);
        const std::string file = (m_folder / "map.json").string(), log = (m_folder / "nvtx.log").string();
        EXPECT_TRUE(writeHeadMap(map, file));
        result = test::runZigzag({"trace", model, "--map", file, "--context", "40", "--phase", "prefill", "--mixed", "reference",
                                  "--out", (m_folder / "trace.json").string()},
                                 {.environment = {"NVTX_INJECTION64_PATH=" + tool, "ZIGZAG_NVTX_LOG=" + log}});
        std::vector<Event> events;
        std::ifstream lines(log);
        for (std::string line; std::getline(lines, line);) {
            std::istringstream words(line);
            std::string verb;
            Event event;
            words >> verb >> event.domain >> event.name >> event.category >> event.payload;
            event.isPush = verb == "push";
            events.push_back(event);
        }
        return events;
    }

    test::ProgramResult result;

private:
    test::TempFolder m_folder;
};

TEST_F(Nvtx, AnOutsideProfilerSeesNamesNestingPayloadAndCategories)
{
    const std::vector<Event> events = run(ZIGZAG_NVTX_TOOL);
    ASSERT_EQ(result.code, 0) << result.errors;
    ASSERT_FALSE(events.empty());
    const char *kinds[] = {"mixed", "streaming", "retrieval"};
    std::vector<std::string> open;
    std::map<std::string, int> count;
    std::string layerAsSeen;
    for (const Event &event : events) {
        EXPECT_EQ(event.domain, "zigzag");
        if (!event.isPush) {
            ASSERT_FALSE(open.empty()) << "a range ends that never began";
            open.pop_back();
            continue;
        }
        EXPECT_NE(std::find(opNames.begin(), opNames.end(), event.name), opNames.end()) << event.name;
        const bool inAttention = event.name == "commit" || event.name == "copy_heads";
        EXPECT_EQ(open.empty() ? "" : open.back(), event.name == "pass" ? "" : inAttention ? "attention" : "pass") << event.name;
        const bool outside
            = event.name == "pass" || event.name == "embed" || event.name == "final_norm" || event.name == "logits";
        if (outside) {
            EXPECT_EQ(event.category, "-") << event.name;
            EXPECT_EQ(event.payload, "-") << event.name;
        } else {
            const int layer = std::stoi(event.payload);
            ASSERT_TRUE(layer >= 0 && layer < 3) << event.payload;
            EXPECT_EQ(event.category, kinds[layer]) << event.name;
            if (layer == 0)
                layerAsSeen += std::string(2 * open.size(), ' ') + event.name + "  category " + event.category + "  payload "
                    + event.payload + '\n';
        }
        open.push_back(event.name);
        ++count[event.name];
    }
    EXPECT_TRUE(open.empty()) << "a range never ends";
    EXPECT_EQ(count["pass"], 1);
    EXPECT_EQ(count["attention"], 3);
    EXPECT_EQ(count["commit"], 2) << "the layers with streaming heads";
    EXPECT_EQ(count["copy_heads"], 4) << "the mixed layer's two halves, gathered and scattered";
    std::printf("layer 0 as the outside tool saw it, domain zigzag:\n%s", layerAsSeen.c_str());
}

TEST_F(Nvtx, WithoutAToolNothingIsHeard)
{
    EXPECT_TRUE(run("").empty());
    EXPECT_EQ(result.code, 0) << result.errors;
}

} // namespace
} // namespace zigzag
