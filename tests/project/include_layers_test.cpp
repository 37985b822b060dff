// SPDX-License-Identifier: GPL-3.0-or-later
// The folder tells the layer: fails on an include that points the wrong way, on Qt below the views, or on folders that include
// each other in a circle.
#include "tests/paths.h"
#include "tests/project/included.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

using zigzag::test::included;

/// What a folder may include of the project, by the beginning of the path. The longest matching folder decides.
struct Layer {
    std::string folder;
    std::vector<std::string> mayInclude;
    bool qt = false;
};

const std::vector<Layer> layers = {
    {"engine", {"engine/"}},
    {"engine/base", {"engine/base/"}},
    {"engine/map", {"engine/base/", "engine/map/"}},
    {"engine/model", {"engine/base/", "engine/map/", "engine/model/"}},
    {"engine/run", {"engine/base/", "engine/map/", "engine/model/", "engine/run/"}},
    {"engine/cpu", {"engine/base/", "engine/map/", "engine/model/", "engine/run/", "engine/cpu/"}},
    {"engine/cuda/gpu", {"engine/cuda/gpu/"}},
    {"engine/cuda/kernels", {"engine/base/", "engine/map/", "engine/run/", "engine/cuda/gpu/", "engine/cuda/kernels/"}},
    {"engine/cuda", {"engine/base/", "engine/map/", "engine/model/", "engine/run/", "engine/cuda/"}},
    {"profiler/base", {"engine/base/", "engine/map/", "engine/run/", "profiler/base/"}},
    {"profiler/machine", {"engine/base/", "engine/model/", "engine/run/", "profiler/base/", "profiler/machine/"}},
    {"profiler/timing", {"engine/base/", "engine/run/", "profiler/base/", "profiler/timing/"}},
    {"profiler/cost",
     {"engine/base/", "engine/map/", "engine/model/", "engine/run/", "profiler/base/", "profiler/machine/", "profiler/cost/"}},
    {"profiler/cupti", {"profiler/cupti/"}},
    {"profiler/trace",
     {"engine/base/", "engine/map/", "engine/model/", "engine/run/", "profiler/base/", "profiler/machine/", "profiler/timing/",
      "profiler/cost/", "profiler/cupti/", "profiler/trace/"}},
    {"profiler/measure",
     {"engine/base/", "engine/map/", "engine/model/", "engine/run/", "profiler/base/", "profiler/machine/", "profiler/timing/",
      "profiler/cost/", "profiler/trace/", "profiler/measure/"}},
    {"profiler/compare", {"engine/base/", "profiler/base/", "profiler/cost/", "profiler/trace/", "profiler/compare/"}},
    {"profiler/questions", {"engine/base/", "engine/model/", "profiler/questions/"}},
    {"profiler/evaluate",
     {"engine/base/", "engine/map/", "engine/model/", "engine/run/", "profiler/base/", "profiler/machine/", "profiler/questions/",
      "profiler/evaluate/"}},
    {"profiler/search",
     {"engine/base/", "engine/map/", "engine/model/", "engine/run/", "profiler/questions/", "profiler/evaluate/",
      "profiler/search/"}},
    {"profiler/session",
     {"engine/base/", "engine/map/", "profiler/base/", "profiler/machine/", "profiler/cost/", "profiler/trace/",
      "profiler/measure/", "profiler/evaluate/", "profiler/search/", "profiler/session/"}},
    {"profiler/jobs",
     {"engine/base/", "engine/map/", "engine/run/", "profiler/base/", "profiler/machine/", "profiler/cost/", "profiler/trace/",
      "profiler/measure/", "profiler/compare/", "profiler/questions/", "profiler/evaluate/", "profiler/search/",
      "profiler/session/", "profiler/carry/", "profiler/check/", "profiler/serve/", "profiler/jobs/"}},
    {"profiler/serve", {"engine/base/", "engine/map/", "engine/model/", "engine/run/", "profiler/serve/"}},
    {"profiler/check", {"engine/base/", "engine/map/", "engine/model/", "engine/run/", "profiler/evaluate/", "profiler/check/"}},
    {"profiler/exports", {"engine/base/", "engine/map/", "engine/model/", "profiler/exports/"}},
    {"profiler/carry", {"engine/base/", "engine/map/", "engine/model/", "engine/run/", "profiler/exports/", "profiler/carry/"}},
    {"views/models", {"engine/base/", "engine/map/", "engine/model/model_config.h", "profiler/", "views/models/"}, true},
    {"views", {"engine/base/", "engine/map/", "engine/model/model_config.h", "profiler/", "views/"}, true},
    {"app/about", {"engine/", "app/about/"}},
    {"app/cli", {"engine/", "profiler/", "app/about/", "app/cli/"}},
    {"app/studio/state",
     {"engine/base/", "engine/map/", "engine/model/", "engine/run/", "profiler/", "views/", "app/studio/state/"},
     true},
    {"app/studio/pages",
     {"engine/base/", "engine/map/", "engine/model/", "engine/run/", "profiler/", "views/", "app/studio/state/",
      "app/studio/pages/"},
     true},
    {"app/studio",
     {"engine/base/", "engine/map/", "engine/model/", "engine/run/", "profiler/", "views/", "app/about/", "app/studio/"},
     true},
};

const Layer *layerOf(const std::string &path)
{
    const Layer *found = nullptr;
    for (const Layer &layer : layers)
        if (path.rfind(layer.folder + "/", 0) == 0 && (!found || layer.folder.size() > found->folder.size()))
            found = &layer;
    return found;
}

/// QWidget, QtCore/QObject, qcustomplot.h: what a folder without Qt must not name.
bool isQtHeader(const std::string &target)
{
    const bool isClass = target.size() > 1 && target[0] == 'Q' && std::isupper(static_cast<unsigned char>(target[1]));
    return isClass || target.rfind("Qt", 0) == 0 || target == "qcustomplot.h";
}

/// What is wrong with the includes of one file; empty when nothing is.
std::vector<std::string> violations(const std::string &path, std::istream &text)
{
    const Layer *layer = layerOf(path);
    if (!layer)
        return {path + ": no layer has this folder"};
    std::vector<std::string> wrong;
    std::string line;
    for (int number = 1; std::getline(text, line); ++number) {
        const std::string quoted = included(line);
        if (quoted.empty())
            continue;
        const std::string target = quoted.substr(1);
        bool allowed = true;
        if (quoted[0] == '"') {
            allowed = std::any_of(layer->mayInclude.begin(), layer->mayInclude.end(),
                                  [&](const std::string &start) { return target.rfind(start, 0) == 0; });
            // A generated header beside its source (moc) names no folder of the project.
            allowed = allowed || target.find('/') == std::string::npos;
        }
        if (isQtHeader(target))
            allowed = layer->qt;
        if (!allowed)
            wrong.push_back(path + ":" + std::to_string(number) + ": " + layer->folder + " must not include " + target);
    }
    return wrong;
}

std::vector<std::string> violations(const std::string &path, const std::string &text)
{
    std::istringstream stream(text);
    return violations(path, stream);
}

std::string folderOf(const std::string &path)
{
    return path.substr(0, std::min(path.rfind('/'), path.size()));
}

/// What each folder includes of others.
using FolderGraph = std::map<std::string, std::set<std::string>>;

void addIncludes(FolderGraph &graph, const std::string &path, std::istream &text)
{
    const std::string folder = folderOf(path);
    for (std::string line; std::getline(text, line);) {
        const std::string quoted = included(line);
        if (quoted.empty() || quoted[0] != '"' || quoted.find('/') == std::string::npos)
            continue;
        if (const std::string other = folderOf(quoted.substr(1)); other != folder)
            graph[folder].insert(other);
    }
}

bool reaches(const FolderGraph &graph, const std::string &from, const std::string &to, std::set<std::string> &seen)
{
    const auto found = graph.find(from);
    if (found == graph.end())
        return false;
    return std::any_of(found->second.begin(), found->second.end(), [&](const std::string &next) {
        return next == to || (seen.insert(next).second && reaches(graph, next, to, seen));
    });
}

/// The includes that close a circle, as "folder -> folder".
std::vector<std::string> circles(const FolderGraph &graph)
{
    std::vector<std::string> found;
    for (const auto &[folder, others] : graph) {
        for (const std::string &other : others) {
            std::set<std::string> seen;
            if (reaches(graph, other, folder, seen))
                found.push_back(folder + " -> " + other);
        }
    }
    return found;
}

/// Calls each(path, text) for every source of the project.
template <typename F> void eachSource(const F &each)
{
    const fs::path root = zigzag::test::sourceDir();
    for (const char *top : {"engine", "profiler", "views", "app"}) {
        for (const auto &entry : fs::recursive_directory_iterator(root / top)) {
            const std::string extension = entry.path().extension();
            if (extension != ".h" && extension != ".cpp" && extension != ".cu" && extension != ".cuh")
                continue;
            std::ifstream stream(entry.path());
            each(fs::relative(entry.path(), root).generic_string(), stream);
        }
    }
}

TEST(IncludeLayers, EveryIncludePointsDown)
{
    std::vector<std::string> wrong;
    int files = 0;
    eachSource([&](const std::string &path, std::istream &text) {
        const auto found = violations(path, text);
        wrong.insert(wrong.end(), found.begin(), found.end());
        ++files;
    });
    std::string all;
    for (const std::string &line : wrong)
        all += line + "\n";
    EXPECT_TRUE(wrong.empty()) << all;
    EXPECT_GT(files, 50);
}

TEST(IncludeLayers, NoCircleOfFolders)
{
    FolderGraph graph;
    eachSource([&](const std::string &path, std::istream &text) { addIncludes(graph, path, text); });
    EXPECT_EQ(circles(graph), std::vector<std::string>());
    EXPECT_GT(graph.size(), 15u);
}

TEST(IncludeLayers, ACircleIsSeen)
{
    FolderGraph graph;
    std::istringstream up("#include \"b/y.h\"\n#include \"a/z.h\"\n"), down("#include \"c/z.h\"\n"),
        round("#include \"a/x.h\"\n");
    addIncludes(graph, "a/x.cpp", up);
    addIncludes(graph, "b/y.cpp", down);
    EXPECT_TRUE(circles(graph).empty());
    addIncludes(graph, "c/z.cpp", round);
    EXPECT_EQ(circles(graph), (std::vector<std::string>{"a -> b", "b -> c", "c -> a"}));
}

TEST(IncludeLayers, AWrongIncludeIsSeen)
{
    EXPECT_EQ(violations("engine/map/x.cpp", "#include \"profiler/measure/bench.h\"\n").size(), 1u);
    EXPECT_EQ(violations("engine/run/x.cpp", "#include \"engine/cpu/gemm.h\"\n").size(), 1u);
    EXPECT_EQ(violations("profiler/cost/x.h", "#include <QWidget>\n").size(), 1u);
    EXPECT_EQ(violations("profiler/cost/x.h", "  #  include <QtCore/QObject>\n").size(), 1u);
    EXPECT_EQ(violations("profiler/cost/x.cpp", "#include \"profiler/trace/trace.h\"\n").size(), 1u);
    EXPECT_EQ(violations("profiler/x.cpp", "").size(), 1u);
    EXPECT_EQ(violations("profiler/measure/x.cpp", "#include \"engine/cpu/cpu_backend.h\"\n").size(), 1u);
    EXPECT_EQ(violations("views/models/x.h", "#include \"views/widgets/head_map_view.h\"\n").size(), 1u);
    EXPECT_EQ(violations("views/widgets/x.h", "#include \"app/studio/state/document.h\"\n").size(), 1u);
    EXPECT_EQ(violations("app/cli/x.cpp", "#include <qcustomplot.h>\n").size(), 1u);
    EXPECT_EQ(violations("somewhere/x.cpp", "").size(), 1u);
    EXPECT_TRUE(violations("views/widgets/x.cpp", "#include <QWidget>\n#include \"profiler/measure/bench.h\"\n").empty());
    EXPECT_TRUE(violations("engine/run/x.cpp", "#include <vector>\n#include \"engine/map/head_map.h\"\n").empty());
}

} // namespace
