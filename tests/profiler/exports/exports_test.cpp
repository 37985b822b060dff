// SPDX-License-Identifier: GPL-3.0-or-later
// What is written for other programs, read back as they read it. tests/fixtures/exports holds what transformers itself made
// of such folders (check_exports.py).
#include "engine/map/assign.h"
#include "engine/map/criterion.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/map_io.h"
#include "profiler/exports/export_format.h"
#include "tests/engine/run/golden_fixture.h"
#include "tests/paths.h"
#include "tests/temp_folder.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <random>

namespace zigzag {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path fixtures = fs::path(test::sourceDir()) / "tests/fixtures";

json readJson(const fs::path &file)
{
    std::ifstream in(file);
    return json::parse(in, nullptr, false);
}

std::string readText(const fs::path &file)
{
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

const ExportFormat &format(std::string_view name)
{
    return **findExportFormat(name);
}

HeadMap mapOf(const std::vector<std::string> &rows, int sink, int recent)
{
    HeadMap map({"m", static_cast<int>(rows.size()), 0, static_cast<int>(rows[0].size()), 0, {}}, HeadKind::Retrieval, sink,
                recent);
    for (int layer = 0; layer < map.layers(); ++layer)
        for (int head = 0; head < map.kvHeads(); ++head)
            if (rows[static_cast<std::size_t>(layer)][static_cast<std::size_t>(head)] == 'S')
                map.set(layer, head, HeadKind::Streaming);
    return map;
}

bool sameHeads(const HeadMap &a, const HeadMap &b)
{
    for (int layer = 0; layer < a.layers(); ++layer)
        for (int head = 0; head < a.kvHeads(); ++head)
            if (a.at(layer, head) != b.at(layer, head))
                return false;
    return a.layers() == b.layers() && a.kvHeads() == b.kvHeads();
}

/// Each stored export: our folder is still the one that transformers loaded, and our engine, under the map that the format
/// says is run, answers as transformers did: prompt, then a token at a time.
TEST(Exports, AgreeWithTransformersInTokensAndLogits)
{
    const json manifest = readJson(fixtures / "exports/manifest.json");
    ASSERT_TRUE(manifest.is_object());
    ASSERT_GE(manifest["exports"].size(), 5u);
    fmt::print("{:<18} {:<22} {:>10} {:>24} {:>8}\n", "export", "loaded as", "greedy", "difference / largest", "allowed");
    for (const json &entry : manifest["exports"]) {
        const fs::path folder = fixtures / "exports" / entry["name"].get<std::string>();
        SCOPED_TRACE(folder.string());
        const test::Golden golden{entry["golden"], {}, {}, "float32", entry["tolerance"]};
        const auto map = readHeadMap(folder / "map.json");
        const auto model = loadExportModel(golden.folder().string());
        ASSERT_TRUE(map && model);
        const ExportFormat &target = format(entry["format"].get<std::string>());
        const test::TempFolder scratch;
        const auto written = exportMap(target, *map, &*model, scratch / "out");
        ASSERT_TRUE(written) << written.error().message;
        EXPECT_EQ(readJson(scratch / "out/config.json"), readJson(folder / "config.json"));
        EXPECT_NE(readText(scratch / "out/README.md").find(golden.name), std::string::npos);

        std::ifstream file(folder / "tokens.txt");
        const std::vector<int> tokens{std::istream_iterator<int>(file), {}};
        const auto prompt = entry["prompt"].get<std::size_t>();
        ASSERT_EQ(tokens.size(), prompt + 64);
        const std::vector<float> expected = test::readNpy(folder / "logits.npy");
        const test::GoldenModel loaded(golden);
        ASSERT_TRUE(loaded);
        const HeadMap run = target.asRun(*map);
        ASSERT_TRUE(run.oneWindow());
        ASSERT_LT(run.oneWindow()->recent, static_cast<int>(prompt));
        HeadMap shaped(loaded.model().shape(), HeadKind::Retrieval, run.oneWindow()->sink, run.oneWindow()->recent);
        for (int layer = 0; layer < run.layers(); ++layer)
            shaped.setLayer(layer, run.at(layer, 0));
        auto session = Session::create(loaded.device(), shaped, {.maxContext = std::ssize(tokens), .chunk = 64});
        ASSERT_TRUE(session) << session.error().message;
        auto logits = (*session)->run(std::span(tokens).first(prompt), Session::Logits::All);
        ASSERT_TRUE(logits);
        std::vector<float> ours = *logits;
        const auto vocabulary = static_cast<std::ptrdiff_t>(loaded.model().config.vocabulary);
        int equal = 0;
        for (std::size_t at = prompt; at < tokens.size(); ++at) {
            const auto last = ours.end() - vocabulary;
            const int answer = static_cast<int>(std::max_element(last, ours.end()) - last);
            equal += answer == tokens[at];
            if (at + 1 == tokens.size())
                break;
            const auto next = (*session)->run(std::span(&answer, 1), Session::Logits::All);
            ASSERT_TRUE(next);
            ours.insert(ours.end(), next->begin(), next->end());
        }
        const double difference = test::relativeDifference(ours, expected);
        EXPECT_EQ(equal, 64);
        EXPECT_LE(difference, golden.tolerance);
        fmt::print("{:<18} {:<22} {:>4} of 64 {:>24.1e} {:>8.0e}\n", entry["name"].get<std::string>(),
                   entry["loaded_as"].get<std::string>(), equal, difference, golden.tolerance);
    }
}

/// DuoAttention keeps the whole cache for gates at or above numpy.quantile(gates, sparsity), linear interpolation.
std::vector<bool> streamsByQuantile(const std::vector<float> &gates, double sparsity)
{
    std::vector<double> sorted(gates.begin(), gates.end());
    std::sort(sorted.begin(), sorted.end());
    const double place = sparsity * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    double threshold = sorted[below] + (place - std::floor(place)) * (sorted[above] - sorted[below]);
    if (sparsity >= 1)
        threshold = 2; // as its code has it
    std::vector<bool> streams;
    streams.reserve(gates.size());
    for (const float gate : gates)
        streams.push_back(gate < threshold);
    return streams;
}

TEST(Exports, DuoAttentionFoldersComeBackAsTheSameMap)
{
    const test::TempFolder scratch;
    std::mt19937 random(5);
    for (int number = 0; number <= 20; ++number) {
        HeadMap map = mapOf(std::vector<std::string>(6, "RRRR"), 4, 16);
        for (int head = 0; head < 24; ++head)
            if (random() % 20 < static_cast<unsigned>(number))
                map.set(head / 4, head % 4, HeadKind::Streaming);
        ASSERT_TRUE(exportMap(format("duo-attention"), map, nullptr, scratch / "duo"));
        const auto scores = readHeadScores(scratch / "duo");
        ASSERT_TRUE(scores) << scores.error().message;
        const auto theirs = streamsByQuantile(scores->scores, map.sparsity());
        for (int head = 0; head < 24; ++head)
            EXPECT_EQ(theirs[static_cast<std::size_t>(head)], map.at(head / 4, head % 4) == HeadKind::Streaming);
        const auto again = assignHeads(*scores, "duo", map.sparsity(), 4, 16);
        ASSERT_TRUE(again);
        EXPECT_TRUE(sameHeads(again->map, map)) << number;
        const auto direct = readHeadMap(scratch / "duo"); // a folder of 0 and 1 is a map as it stands
        ASSERT_TRUE(direct) << direct.error().message;
        EXPECT_TRUE(sameHeads(*direct, map));
        EXPECT_EQ(direct->oneWindow(), (StreamingWindow{4, 16}));
    }
}

/// Every kind of score file → map → DuoAttention folder → map, and → head map → map.
TEST(Exports, EveryImportSurvivesTheRoundTrip)
{
    const test::TempFolder scratch;
    fs::create_directory(scratch / "Folder");
    const std::string tsv = "0.1\t1.5\t0.7\n-0.2\t0.3\t0.9\n";
    std::ofstream(scratch / "Folder/full_attention_heads.tsv") << tsv;
    std::ofstream(scratch / "Folder/config.json") << R"({"sink_size": 8, "recent_size": 32})";
    std::ofstream(scratch / "bare") << tsv;
    std::ofstream(scratch / "heads") << R"({"0-0": [0.1], "0-1": [0.2, 0.9], "1-0": [0.7], "1-1": [0.4]})";
    std::ofstream(scratch / "own") << R"({"format": "zigzag-head-scores", "version": 1, "model": {"name": "m", "layers": 2,
        "kv_heads": 2}, "method": "gates", "unit": "kv_head", "scores": [[0.5, 1], [0, 0.25]]})";
    for (const char *name : {"Folder", "bare", "heads", "own"}) {
        SCOPED_TRACE(name);
        const auto scores = readHeadScores(scratch / name);
        ASSERT_TRUE(scores) << scores.error().message;
        for (const Criterion &criterion : criteria()) {
            const auto assigned = assignHeads(*scores, criterion.name, 0.5, 8, 32);
            ASSERT_TRUE(assigned);
            ASSERT_TRUE(exportMap(format("duo-attention"), assigned->map, nullptr, scratch / "out"));
            const auto folder = readHeadMap(scratch / "out");
            ASSERT_TRUE(folder) << folder.error().message;
            EXPECT_TRUE(sameHeads(*folder, assigned->map)) << criterion.name;
            ASSERT_TRUE(exportMap(format("head-map"), assigned->map, nullptr, scratch / "map.json"));
            EXPECT_EQ(*readHeadMap(scratch / "map.json"), assigned->map) << criterion.name;
        }
    }
}

TEST(Exports, AFolderOfGatesIsNoMapYet)
{
    const test::TempFolder scratch;
    fs::create_directory(scratch / "gates");
    std::ofstream(scratch / "gates/full_attention_heads.tsv") << "0.5\t1\n";
    std::ofstream(scratch / "gates/config.json") << R"({"sink_size": 8, "recent_size": 32})";
    const auto gates = readHeadMap(scratch / "gates");
    ASSERT_FALSE(gates);
    EXPECT_NE(gates.error().message.find("zigzag assign"), std::string::npos) << gates.error().message;
    std::ofstream(scratch / "gates/full_attention_heads.tsv") << "0\t1\n";
    EXPECT_TRUE(readHeadMap(scratch / "gates"));
    fs::remove(scratch / "gates/config.json");
    EXPECT_FALSE(readHeadMap(scratch / "gates"));
}

TEST(Exports, VerdictsSayWhatIsLost)
{
    const HeadMap mixed = mapOf({"RRRR", "SSSS", "RSSS"}, 4, 16), exclusive = mapOf({"RRRR", "SSSS"}, 0, 16);
    for (const char *name : {"vllm", "sglang", "mlx-lm", "transformers"}) {
        const ExportVerdict lossy = format(name).verdict(mixed, nullptr), whole = format(name).verdict(exclusive, nullptr);
        EXPECT_FALSE(lossy.sinksKept) << name;
        EXPECT_FALSE(lossy.perHeadKept) << name;
        EXPECT_EQ(lossy.headsLost, 3) << name;
        EXPECT_TRUE(whole.sinksKept && whole.perHeadKept) << name;
        const HeadMap run = format(name).asRun(mixed);
        EXPECT_TRUE(sameHeads(run, mapOf({"RRRR", "SSSS", "RRRR"}, 0, 16))) << name;
        EXPECT_EQ(run.oneWindow(), (StreamingWindow{0, 16}));
    }
    EXPECT_EQ(format("kvpress").verdict(mixed, nullptr).kvFreed, KvFreed::No);
    EXPECT_EQ(format("sglang").verdict(mixed, nullptr).kvFreed, KvFreed::OptIn);
    EXPECT_EQ(format("duo-attention").asRun(mixed).oneWindow()->recent, 17); // one key more
    EXPECT_EQ(format("vllm").verdict(mixed, nullptr).minimumVersion, "vLLM 0.10.1");
    for (const ExportFormat &each : exportFormats()) {
        const ExportVerdict verdict = each.verdict(mixed, nullptr);
        EXPECT_TRUE(!verdict.note.empty() || !verdict.refusal.empty()) << each.name;
    }
}

TEST(Exports, AWindowPerLayerIsRefusedWhereATargetHasOne)
{
    const auto llama = loadExportModel((fixtures / "goldens/llama-llama3").string());
    ASSERT_TRUE(llama);
    HeadMap map = mapOf({"RR", "SS", "RS", "SS"}, 4, 16);
    map.setLayerWindow(3, 4, 32);
    const test::TempFolder scratch;
    for (const char *name :
         {"duo-attention", "kvpress", "vllm", "sglang", "mlx-lm", "transformers", "transformers-cwm", "loza"}) {
        const std::string refusal = format(name).verdict(map, &*llama).refusal;
        EXPECT_NE(refusal.find("one window for all layers"), std::string::npos) << name << ": " << refusal;
        EXPECT_NE(refusal.find("recent 16 in layer 1"), std::string::npos) << name << ": " << refusal;
        EXPECT_NE(refusal.find("recent 32 in layer 3"), std::string::npos) << name << ": " << refusal;
        EXPECT_FALSE(exportMap(format(name), map, &*llama, scratch / "out")) << name;
        EXPECT_FALSE(fs::exists(scratch / "out")) << name;
    }
    ASSERT_TRUE(exportMap(format("head-map"), map, nullptr, scratch / "map.json"));
    EXPECT_EQ(readHeadMap(scratch / "map.json"), map);
    // Windows count where a head of theirs streams in the target.
    map.setLayerWindow(3, 4, 16);
    map.setLayerWindow(0, 1, 2);
    EXPECT_EQ(format("duo-attention").verdict(map, &*llama).refusal, "");
    map.setLayerWindow(2, 4, 1000); // mixed: a full layer where layers are all that is known
    map.setLayerWindow(1, 0, 16); // no sinks there either
    for (const char *name : {"vllm", "sglang", "mlx-lm", "transformers", "transformers-cwm"}) {
        EXPECT_EQ(format(name).verdict(map, &*llama).refusal, "") << name;
        EXPECT_EQ(format(name).asRun(map).oneStreamingWindow(), (StreamingWindow{0, 16})) << name;
        ASSERT_TRUE(exportMap(format(name), map, &*llama, scratch / name)) << name;
    }
    EXPECT_NE(readText(scratch / "vllm").find("\"sliding_window\":16"), std::string::npos);
    EXPECT_NE(format("kvpress").verdict(map, nullptr).refusal, "");
    EXPECT_NE(format("loza").verdict(map, nullptr).refusal, "") << "sinks that differ";
    map.setLayerWindow(1, 4, 16);
    ASSERT_TRUE(exportMap(format("loza"), map, nullptr, scratch / "loza.json"));
}

/// Three layers of which the model's own file makes the middle one local.
HeadMap mapWithLocalLayer(std::int64_t window, int recent)
{
    HeadMap map({"own", 3, 4, 2, 8, {}, {0, window, 0}}, HeadKind::Retrieval, 0, recent);
    map.setLayer(2, HeadKind::Streaming);
    return map;
}

TEST(Exports, LocalLayersKeepTheirWindowOrAreRefused)
{
    const HeadMap alike = mapWithLocalLayer(16, 16), wider = mapWithLocalLayer(32, 16),
                  unknown = mapWithLocalLayer(unknownWindow, 16);
    const test::TempFolder scratch;
    for (const char *name : {"vllm", "sglang"}) {
        const ExportVerdict verdict = format(name).verdict(alike, nullptr);
        EXPECT_EQ(verdict.refusal, "") << name;
        EXPECT_EQ(verdict.localLayers, 1) << name;
        EXPECT_EQ(verdict.headsLost, 0) << name;
        EXPECT_TRUE(verdict.perHeadKept) << name;
        ASSERT_TRUE(exportMap(format(name), alike, nullptr, scratch / name)) << name;
        EXPECT_NE(readText(scratch / name).find(R"("layer_types":["full_attention","sliding_attention","sliding_attention"])"),
                  std::string::npos)
            << readText(scratch / name);
        EXPECT_EQ(format(name).verdict(wider, nullptr).refusal,
                  "it has one window for all layers, and this map has recent 32 in layer 1 (the model's own) and recent 16 in "
                  "layer 2: give all layers of the map one window")
            << name;
        EXPECT_NE(format(name).verdict(unknown, nullptr).refusal.find("name the model"), std::string::npos) << name;
    }
    EXPECT_NE(readText(scratch / "vllm").find("\"sliding_window\":16"), std::string::npos);
    EXPECT_NE(readText(scratch / "sglang").find("\"hybrid_layer_pattern\":[0,1,1]"), std::string::npos);
    // With no streaming layer of ours the window is the model's.
    const HeadMap full = wider.withEvery(HeadKind::Retrieval);
    ASSERT_TRUE(exportMap(format("vllm"), full, nullptr, scratch / "full"));
    EXPECT_NE(readText(scratch / "full").find("\"sliding_window\":32"), std::string::npos);
    for (const char *name : {"duo-attention", "kvpress", "loza"}) {
        EXPECT_NE(format(name).verdict(alike, nullptr).refusal.find("1 of 3 layers here have a window of the model's own"),
                  std::string::npos)
            << name;
        EXPECT_FALSE(exportMap(format(name), alike, nullptr, scratch / "none")) << name;
    }
    ASSERT_TRUE(exportMap(format("head-map"), alike, nullptr, scratch / "map.json"));
    EXPECT_EQ(readHeadMap(scratch / "map.json"), alike);
}

TEST(Exports, WhatATargetCannotRunIsRefusedAndNothingIsWritten)
{
    const HeadMap map = mapOf({"RR", "SS"}, 4, 16), streaming = mapOf({"SS", "SS"}, 4, 16);
    const auto llama = loadExportModel((fixtures / "goldens/llama-llama3").string()),
               biased = loadExportModel((fixtures / "goldens/llama-biases").string()),
               qwen = loadExportModel((fixtures / "goldens/qwen3-default").string());
    ASSERT_TRUE(llama && biased && qwen);
    const test::TempFolder scratch;
    const auto refused = [&](const char *name, const HeadMap &of, const ExportModel *model, std::string_view reason) {
        const auto result = exportMap(format(name), of, model, scratch / "out");
        EXPECT_FALSE(result) << name;
        if (result)
            return;
        EXPECT_EQ(result.error().kind, ErrorKind::BadInput);
        EXPECT_NE(result.error().message.find(reason), std::string::npos) << result.error().message;
        EXPECT_FALSE(fs::exists(scratch / "out"));
    };
    refused("tensorrt-llm", map, &*llama, "attention kernel");
    refused("llama.cpp", map, &*llama, "reads no window");
    refused("transformers", map, nullptr, "--model");
    refused("transformers", map, &*biased, "biases");
    refused("transformers-cwm", map, &*qwen, "format transformers");
    refused("mlx-lm", map, &*qwen, "Llama and Mistral");
    refused("mlx-lm", streaming, &*llama, "one retrieval layer");
    refused("sglang", mapOf({"RR", "SS"}, 0, 1), &*llama, "raise recent");
    // A folder that claims to be a Ministral would be another network, and what reads no kinds of layers would keep everything.
    const auto experts = loadExportModel((fixtures / "goldens/qwen3-moe").string()),
               granite = loadExportModel((fixtures / "goldens/granite").string());
    ASSERT_TRUE(experts && granite);
    for (const char *name : {"vllm", "sglang", "transformers", "transformers-cwm"}) {
        refused(name, map, &*experts, "no kinds of their own");
        refused(name, map, &*granite, "use granite-swa");
    }
    for (const char *name : {"vllm", "sglang", "transformers", "transformers-cwm"})
        refused(name, map, &*experts, "use mellum");
    refused("mellum", map, &*qwen, "another network");
    refused("mellum", map, nullptr, "--model");
    // A model's own folder is not written over.
    fs::create_directory(scratch / "model");
    std::ofstream(scratch / "model/config.json") << "{}";
    EXPECT_FALSE(exportMap(format("transformers"), map, &*llama, scratch / "model"));
    EXPECT_EQ(readText(scratch / "model/config.json"), "{}");
    ASSERT_TRUE(exportMap(format("transformers"), map, &*llama, scratch / "ours"));
    EXPECT_TRUE(exportMap(format("mlx-lm"), map, &*llama, scratch / "ours")); // what we wrote ourselves, we may replace
}

TEST(Exports, CommandLinesNameLayersAndWindow)
{
    const HeadMap map = mapOf({"RR", "SS"}, 4, 16);
    const auto qwen = loadExportModel((fixtures / "goldens/qwen2-default").string());
    ASSERT_TRUE(qwen);
    const test::TempFolder scratch;
    ASSERT_TRUE(exportMap(format("vllm"), map, nullptr, scratch / "vllm"));
    EXPECT_EQ(readText(scratch / "vllm"),
              "vllm serve MODEL \\\n    --hf-overrides '{\"layer_types\":[\"full_attention\",\""
              "sliding_attention\"],\"sliding_window\":16}'\n");
    ExportModel quoted = *qwen;
    quoted.name = "it's";
    ASSERT_TRUE(exportMap(format("vllm"), map, &quoted, scratch / "vllm"));
    EXPECT_EQ(readText(scratch / "vllm").rfind("vllm serve 'it'\\''s' --model-impl transformers", 0), 0u);
    // A name that only this program knows cannot be served: the bundled model has a folder, a preset has no weights.
    quoted.name = "bundled:zigzag-tiny";
    ASSERT_TRUE(exportMap(format("vllm"), map, &quoted, scratch / "vllm"));
    EXPECT_EQ(readText(scratch / "vllm").find("bundled:"), std::string::npos);
    EXPECT_NE(readText(scratch / "vllm").find("models/zigzag-tiny'"), std::string::npos);
    EXPECT_EQ(readText(scratch / "vllm").rfind("vllm serve '/", 0), 0u) << "a server is started in another folder";
    // A folder that is named from here is written as what it is from everywhere, or as the user calls it there.
    const fs::path before = fs::current_path();
    fs::create_directory(scratch / "here");
    fs::current_path(scratch.path());
    quoted.name = "./here/";
    const auto relative = exportMap(format("vllm"), map, &quoted, scratch / "vllm");
    const std::string absolute = (fs::current_path() / "here").string();
    fs::current_path(before);
    ASSERT_TRUE(relative);
    EXPECT_EQ(readText(scratch / "vllm").rfind("vllm serve '" + absolute + "' ", 0), 0u) << readText(scratch / "vllm");
    quoted.servedAs = "Qwen/Qwen2-7B";
    for (const char *each : {"vllm", "sglang"}) {
        ASSERT_TRUE(exportMap(format(each), map, &quoted, scratch / each));
        EXPECT_NE(readText(scratch / each).find(" 'Qwen/Qwen2-7B' "), std::string::npos) << each;
    }
    quoted.servedAs.clear();
    quoted.name = "preset:qwen2-7b";
    ASSERT_TRUE(exportMap(format("vllm"), map, &quoted, scratch / "vllm"));
    EXPECT_EQ(readText(scratch / "vllm").rfind("vllm serve MODEL ", 0), 0u);
    ASSERT_TRUE(exportMap(format("sglang"), map, nullptr, scratch / "sglang"));
    EXPECT_NE(readText(scratch / "sglang").find("\"sliding_window\":15,\"is_hybrid_swa\":true,\"hybrid_layer_pattern\":[0,1]"),
              std::string::npos);
    ASSERT_TRUE(exportMap(format("loza"), map, nullptr, scratch / "loza"));
    const json loza = readJson(scratch / "loza");
    EXPECT_EQ(loza["full_attention_layers"], json::array({0}));
    EXPECT_EQ(loza["streaming_sparse_attention_layers"], json({1}));
    EXPECT_EQ(loza["sink_blocks"], 1);
    ASSERT_TRUE(exportMap(format("kvpress"), map, nullptr, scratch / "press.py"));
    EXPECT_NE(readText(scratch / "press.py").find("    \"RR\",\n    \"SS\",\n]\nSINK, RECENT = 4, 16\n"), std::string::npos);
}

} // namespace
} // namespace zigzag
