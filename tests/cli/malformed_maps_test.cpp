// SPDX-License-Identifier: GPL-3.0-or-later
// Hostile scores, maps and paths: exit code 2, one line, nothing written.
#include "tests/cli/run_program.h"
#include "tests/tiny_model.h"

#include <fstream>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

struct Case {
    std::string name;
    std::string content;
    std::string says = {}; ///< a part of the error line: refused for this reason, and not for whatever comes first
};

std::string replaced(std::string text, const std::string &from, const std::string &to)
{
    const std::size_t place = text.find(from);
    EXPECT_NE(place, std::string::npos) << from;
    return text.replace(place, from.size(), to);
}

std::string garbage()
{
    std::string bytes;
    for (int i = 0; i < 4096; ++i)
        bytes += static_cast<char>(i * 151 % 256);
    return bytes;
}

const std::string map = R"({"format": "zigzag-head-map", "version": 1,
 "model": {"name": "m", "layers": 2, "query_heads": 4, "kv_heads": 2, "head_dim": 8, "fingerprint": ""},
 "sink": 4, "recent": 16, "heads": ["RS", "SS"],
 "provenance": {"criterion": "duo", "scores": "gates", "sparsity": 0.75, "tool": "by hand"}})";
const std::string scores = R"({"format": "zigzag-head-scores", "version": 1,
 "model": {"name": "m", "layers": 2, "query_heads": 4, "kv_heads": 2, "head_dim": 8},
 "method": "gates", "unit": "kv_head", "scores": [[0.5, 1], [0, 0.25]], "spread": [[0, 0], [0, 0]]})";

/// Files that are neither a map nor scores, and what the reader of maps says of each.
std::vector<Case> foreignFiles()
{
    return {{"empty", "", "this is an empty file, not a head map"},
            {"blank", " \n\n", "this is an empty file, not a head map"},
            {"binary", garbage(), "this is binary data, not a head map"},
            {"zeros", std::string(100, '\0'), "this is binary data, not a head map"},
            {"deep", std::string(100'000, '['), "nest deeper than 64 levels"},
            {"deep object",
             [] {
                 std::string text;
                 for (int i = 0; i < 50'000; ++i)
                     text += "{\"a\":";
                 return text;
             }(),
             "nest deeper than 64 levels"},
            {"no object", "[1, 2]", "this JSON is not an object"},
            {"invalid UTF-8", "{\"format\": \"\xff\xfe\"}", "not valid JSON at byte 13 of 16"},
            {"foreign format", R"({"format": "something", "version": 1})", "the format is \"something\""},
            {"format is a number", R"({"format": 1, "version": 1})", "\"format\" must be a string"},
            {"trailing text", map + "x", "not valid JSON at byte 291 of 291"}};
}

std::vector<Case> malformedMaps()
{
    std::vector<Case> cases = foreignFiles();
    const auto change = [&](const std::string &name, const std::string &from, const std::string &to, const std::string &says) {
        cases.push_back({name, replaced(map, from, to), says});
    };
    cases.push_back({"truncated", map.substr(0, map.size() / 2), "it is cut off after 145 bytes"});
    cases.push_back({"scores", scores, "this is head scores, not a head map"});
    change("unknown version", "\"version\": 1", "\"version\": 3",
           "version 3 of zigzag-head-map is not known to this program, which reads versions 1 to 2");
    change("version is text", "\"version\": 1", "\"version\": \"1\"",
           "version \"1\" of zigzag-head-map is not known to this program, which reads versions 1 to 2");
    change("version without its layers", "\"version\": 1", "\"version\": 2", "\"layers\" is missing");
    change("no version", "\"version\": 1,", "", "\"version\" is missing");
    change("string too short", "\"RS\"", "\"R\"", "layer 0 of \"heads\" has 1 letters for 2 KV heads");
    change("string too long", "\"RS\"", "\"RSR\"", "layer 0 of \"heads\" has 3 letters for 2 KV heads");
    change("foreign letter", "\"RS\"", "\"RX\"", "layer 0 of \"heads\" is \"RX\"");
    change("lower case", "\"RS\"", "\"rs\"", "layer 0 of \"heads\" is \"rs\"");
    change("layer is a number", "\"RS\"", "12", "layer 0 of \"heads\" must be a string, not number");
    change("layer too few", "\"RS\", ", "", "\"heads\" has 1 lines for 2 layers");
    change("layer too many", "\"RS\"", "\"RS\", \"RS\"", "\"heads\" has 3 lines for 2 layers");
    change("heads is text", "[\"RS\", \"SS\"]", "\"RSSS\"", "\"heads\" must be an array, not string");
    change("no heads", "\"heads\"", "\"tails\"", "\"heads\" is missing");
    change("huge layer count", "\"layers\": 2", "\"layers\": 1152921504606846976", "\"layers\" is 1152921504606846976");
    change("layer count beyond 64 bits", "\"layers\": 2", "\"layers\": 99999999999999999999999",
           "\"layers\" must be an integer, not number");
    change("many layers", "\"layers\": 2", "\"layers\": 4096", "\"heads\" has 2 lines for 4096 layers");
    change("no layers", "\"layers\": 2", "\"layers\": 0", "\"layers\" is 0");
    change("negative KV heads", "\"kv_heads\": 2", "\"kv_heads\": -2", "\"kv_heads\" is -2");
    change("group with a remainder", "\"query_heads\": 4", "\"query_heads\": 3",
           "3 query heads do not divide into groups over 2 KV heads");
    change("fractional head size", "\"head_dim\": 8", "\"head_dim\": 8.5", "\"head_dim\" must be an integer, not number");
    change("negative sink", "\"sink\": 4", "\"sink\": -1", "\"sink\" is -1");
    change("huge sink", "\"sink\": 4", "\"sink\": 9223372036854775807", "\"sink\" is 9223372036854775807");
    change("recent of none", "\"recent\": 16", "\"recent\": 0", "\"recent\" is 0");
    change("recent is text", "\"recent\": 16", "\"recent\": \"16\"", "\"recent\" must be an integer, not string");
    change("no model", "\"model\"", "\"muddle\"", "\"model\" is missing");
    change("name is a list", "\"name\": \"m\"", "\"name\": []", "\"name\" must be a string, not array");
    change("sparsity above one", "0.75", "1e300", "\"sparsity\" is 1e+300");
    change("sparsity overflows", "0.75", "1e999", "not valid JSON, a number is out of range");
    change("provenance is text", "\"provenance\": {", "\"provenance\": \"\", \"x\": {",
           "\"provenance\" must be an object, not string");
    return cases;
}

const std::string windows = R"({"format": "zigzag-head-map", "version": 2,
 "model": {"name": "m", "layers": 2, "query_heads": 4, "kv_heads": 2, "head_dim": 8, "fingerprint": ""},
 "layers": [{"heads": "RS", "sink": 4, "recent": 16}, {"heads": "SS", "sink": 0, "recent": 8}],
 "provenance": {"criterion": "duo", "scores": "gates", "sparsity": 0.75, "tool": "by hand"}})";

std::vector<Case> malformedWindows()
{
    std::vector<Case> cases;
    const auto change = [&](const std::string &name, const std::string &from, const std::string &to, const std::string &says) {
        cases.push_back({name, replaced(windows, from, to), says});
    };
    const std::string second = R"({"heads": "SS", "sink": 0, "recent": 8})";
    cases.push_back({"truncated", windows.substr(0, windows.size() / 2), "it is cut off"});
    change("version of the other form", "\"version\": 2", "\"version\": 1", "\"sink\" is missing");
    change("layer too few", ", " + second, "", "\"layers\" has 1 lines for 2 layers");
    change("layer too many", second, second + ", " + second, "\"layers\" has 3 lines for 2 layers");
    change("layer is text", second, "\"SS\"", "layer 1 of \"layers\" must be an object, not string");
    change("layer is a list", second, "[\"SS\", 0, 8]", "layer 1 of \"layers\" must be an object, not array");
    change("layer is null", second, "null", "layer 1 of \"layers\" must be an object, not null");
    change("layers is text", "[{", "\"\", \"x\": [{", "\"layers\" must be an array, not string");
    change("no heads", "\"heads\": \"SS\", ", "", "layer 1 of \"layers\": \"heads\" is missing");
    change("heads is a list", "\"SS\"", "[\"S\", \"S\"]", "layer 1 of \"layers\": \"heads\" must be a string, not array");
    change("heads too short", "\"SS\"", "\"S\"", "layer 1 of \"layers\" has 1 letters for 2 KV heads");
    change("heads too long", "\"SS\"", "\"SSS\"", "layer 1 of \"layers\" has 3 letters for 2 KV heads");
    change("foreign letter", "\"SS\"", "\"SL\"", "layer 1 of \"layers\" is \"SL\"");
    change("no sink", "\"sink\": 0, ", "", "layer 1 of \"layers\": \"sink\" is missing");
    change("no recent", ", \"recent\": 8", "", "layer 1 of \"layers\": \"recent\" is missing");
    change("negative sink", "\"sink\": 0", "\"sink\": -1", "layer 1 of \"layers\": \"sink\" is -1");
    change("huge sink", "\"sink\": 0", "\"sink\": 9223372036854775807", "layer 1 of \"layers\": \"sink\" is 9223372036854775807");
    change("recent of none", "\"recent\": 8", "\"recent\": 0", "layer 1 of \"layers\": \"recent\" is 0");
    change("huge recent", "\"recent\": 8", "\"recent\": 1073741825", "layer 1 of \"layers\": \"recent\" is 1073741825");
    change("fractional recent", "\"recent\": 8", "\"recent\": 8.5",
           "layer 1 of \"layers\": \"recent\" must be an integer, not number");
    change("many layers", "\"layers\": 2", "\"layers\": 4096", "\"layers\" has 2 lines for 4096 layers");
    return cases;
}

std::vector<Case> malformedScores()
{
    std::vector<Case> cases = foreignFiles();
    const auto change = [&](const std::string &name, const std::string &from, const std::string &to) {
        cases.push_back({name, replaced(scores, from, to)});
    };
    cases.push_back({"truncated", scores.substr(0, scores.size() / 2)});
    cases.push_back({"a map", map});
    cases.push_back({"ragged TSV", "1\t0\n1\n"});
    cases.push_back({"TSV with a word", "1\t0\n1\tone\n"});
    cases.push_back({"TSV with NaN", "1\t0\n1\tnan\n"});
    cases.push_back({"TSV with infinity", "1\t0\n-inf\t0\n"});
    cases.push_back({"TSV number out of range", "1\t0\n1e999\t0\n"});
    cases.push_back({"TSV with spaces", "1 0\n0 1\n"});
    cases.push_back({"TSV of endless columns", std::string(100'000, '\t')});
    cases.push_back({"query head missing", R"({"0-0": [1], "1-1": [1]})"});
    cases.push_back({"query head without scores", R"({"0-0": [], "0-1": [1]})"});
    cases.push_back({"query head far away", R"({"0-0": [1], "4095-4095": [1]})"});
    cases.push_back({"key that is no head", R"({"0-0": [1], "zero-one": [1]})"});
    change("unknown version", "\"version\": 1", "\"version\": 2");
    change("NaN gate", "0.25", "NaN");
    change("null gate", "0.25", "null");
    change("gate above one", "0.25", "1.25");
    change("negative gate", "0.25", "-0.25");
    change("gate overflows", "0.25", "1e999");
    change("gate is text", "0.25", "\"0.25\"");
    change("row too short", "[0, 0.25]", "[0]");
    change("row is a number", "[0, 0.25]", "0");
    change("row too many", "[0, 0.25]", "[0, 0.25], [0, 0]");
    change("spread ragged", "\"spread\": [[0, 0]", "\"spread\": [[0]");
    change("unknown unit", "kv_head\"", "query_head\"");
    change("huge layer count", "\"layers\": 2", "\"layers\": 1152921504606846976");
    return cases;
}

class MalformedMaps : public testing::Test
{
protected:
    MalformedMaps() { std::filesystem::create_directory(m_folder / "out"); }

    std::string write(const std::string &name, const std::string &content)
    {
        std::ofstream(m_folder / name, std::ios::binary) << content;
        return (m_folder / name).string();
    }
    std::string out(const std::string &name = "map") const { return (m_folder / "out" / name).string(); }

    /// Runs the program; it must refuse, and leave nothing in the folder that it should write to.
    void expectRefusal(const std::string &name, const std::vector<std::string> &arguments,
                       const test::ProgramOptions &options = {}, const std::string &says = {})
    {
        const test::ProgramResult result = test::runZigzag(arguments, options);
        EXPECT_EQ(test::refusalFault(result, 2), "") << name;
        EXPECT_NE(result.errors.find(says), std::string::npos) << name << ": " << says << ", and not: " << result.errors;
        EXPECT_TRUE(std::filesystem::is_empty(m_folder / "out")) << name;
    }

    test::TempFolder m_folder;
};

TEST_F(MalformedMaps, AssignRefusesHostileScores)
{
    for (const Case &one : malformedScores())
        expectRefusal(one.name, {"assign", write("in", one.content), "--criterion", "duo", "--sparsity", "0.5", "--out", out()});
}

TEST_F(MalformedMaps, ExportRefusesHostileMaps)
{
    for (const Case &one : malformedMaps())
        expectRefusal(one.name, {"export", write("in", one.content), "--format", "duo-attention", "--out", out()}, {}, one.says);
    for (const Case &one : malformedWindows())
        expectRefusal("a window per layer, " + one.name,
                      {"export", write("in", one.content), "--format", "head-map", "--out", out()}, {}, one.says);
    expectRefusal("unknown format", {"export", write("in", map), "--format", "fortran", "--out", out()}, {}, "fortran");
    expectRefusal("full without a model", {"export", "full", "--format", "head-map", "--out", out()}, {}, "--model");
    // The map that all of these were made from is accepted: what is refused is what was changed.
    const auto sound = test::runZigzag({"export", write("in", map), "--format", "duo-attention", "--out", out()});
    EXPECT_EQ(sound.code, 0) << sound.errors;
    const auto soundWindows = test::runZigzag({"export", write("in", windows), "--format", "head-map", "--out", out("windows")});
    EXPECT_EQ(soundWindows.code, 0) << soundWindows.errors;
}

TEST_F(MalformedMaps, AssignRefusesBadDecisions)
{
    const std::string in = write("in", scores);
    const auto refused = [&](const std::string &criterion, const std::string &sparsity, const std::string &window) {
        expectRefusal(criterion + " " + sparsity + " " + window,
                      {"assign", in, "--criterion", criterion, "--sparsity", sparsity, window, "--out", out()});
    };
    refused("best", "0.5", "--sink=4");
    refused("duo", "1.5", "--sink=4");
    refused("duo", "-0.5", "--sink=4");
    refused("duo", "nan", "--sink=4");
    refused("duo", "half", "--sink=4");
    refused("duo", "0.5", "--sink=-1");
    refused("duo", "0.5", "--sink=99999999999");
    refused("duo", "0.5", "--recent=0");
    refused("duo", "0.5", "--recent=2000000000");
    refused("duo", "0.5", "--fold=median");
}

TEST_F(MalformedMaps, FilesForAnotherModelAreRefused)
{
    const std::string model = test::writeTinyModel(m_folder / "model").string(); // 2 layers, 4 query heads, 2 KV heads
    const auto assigns = [&](const std::string &content) {
        expectRefusal(
            content,
            {"assign", write("in", content), "--model", model, "--criterion", "duo", "--sparsity", "0.5", "--out", out()});
    };
    assigns("1\t0\n0\t1\n1\t1\n");
    assigns("1\t0\t1\n0\t1\t1\n");
    assigns(replaced(scores, "\"head_dim\": 8", "\"head_dim\": 16"));
    assigns(R"({"0-0": [1], "0-1": [0], "1-0": [1], "1-1": [0]})");
    for (const auto &[from, to] : {std::pair{"\"kv_heads\": 2", "\"kv_heads\": 1"},
                                   {"\"query_heads\": 4", "\"query_heads\": 8"},
                                   {"\"head_dim\": 8", "\"head_dim\": 64"},
                                   {"\"layers\": 2", "\"layers\": 3"}})
        expectRefusal(to,
                      {"export", write("in", replaced(map, from, to)), "--model", model, "--format", "head-map", "--out", out()});
    expectRefusal("no model",
                  {"export", write("in", map), "--model", (m_folder / "none").string(), "--format", "head-map", "--out", out()});
}

TEST_F(MalformedMaps, PathsThatCannotBeAreRefused)
{
    const std::string in = write("in", scores), mapFile = write("map", map), folder = m_folder.path().string();
    const auto assigns = [&](const std::string &from, const std::string &to, const test::ProgramOptions &options = {}) {
        expectRefusal(from + " to " + to, {"assign", from, "--criterion", "zigzag", "--sparsity", "0.5", "--out", to}, options);
    };
    assigns(m_folder / "none", out());
    assigns(folder, out()); // a folder that is no DuoAttention folder
    assigns(in, out("missing/map"));
    assigns(in, folder);
    assigns(in, in + "/map"); // a file where a folder should be
    assigns(in, "/dev/full");
    assigns(in, out(std::string(300, 'x')));
    using std::filesystem::perms;
    const perms readable = perms::all & ~(perms::group_write | perms::others_write);
    std::filesystem::permissions(m_folder.path(), readable);
    std::filesystem::permissions(m_folder / "out", readable & ~perms::owner_write);
    const test::ProgramOptions withoutRights{.asNobody = true, .outputFile = {}, .environment = {}};
    assigns(in, out(), withoutRights); // may read, not write
    std::filesystem::permissions(in, perms::none);
    assigns(in, "/dev/null", withoutRights);
    std::filesystem::permissions(in, readable);
    std::filesystem::permissions(m_folder / "out", readable);

    const auto exports = [&](const std::string &from, const std::string &format, const std::string &to) {
        expectRefusal(from + " to " + to, {"export", from, "--format", format, "--out", to});
    };
    exports(m_folder / "none", "head-map", out());
    exports(folder, "head-map", out());
    for (const char *format : {"head-map", "duo-attention"}) {
        exports(mapFile, format, out("missing/map"));
        exports(mapFile, format, in + "/map");
        exports(mapFile, format, "/dev/full");
    }
    exports(mapFile, "head-map", folder);
    exports(mapFile, "duo-attention", in); // a file where the folder should be
}

} // namespace
} // namespace zigzag
