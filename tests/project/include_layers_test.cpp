// SPDX-License-Identifier: GPL-3.0-or-later
// The folder tells the layer: fails on an include that points the wrong way, or on Qt below the views.
#include "tests/paths.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace fs = std::filesystem;

namespace {

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
    {"engine/cuda", {"engine/base/", "engine/map/", "engine/model/", "engine/run/", "engine/cuda/"}},
    {"profiler", {"engine/base/", "engine/map/", "engine/model/", "engine/run/", "profiler/"}},
    {"views/models", {"engine/base/", "engine/map/", "engine/model/model_config.h", "profiler/", "views/models/"}, true},
    {"views", {"engine/base/", "engine/map/", "engine/model/model_config.h", "profiler/", "views/"}, true},
    {"app/cli", {"engine/", "profiler/", "app/cli/"}},
    {"app/studio", {"engine/base/", "engine/map/", "engine/model/", "engine/run/", "profiler/", "views/", "app/studio/"}, true},
};

const Layer *layerOf(const std::string &path)
{
    const Layer *found = nullptr;
    for (const Layer &layer : layers)
        if (path.rfind(layer.folder + "/", 0) == 0 && (!found || layer.folder.size() > found->folder.size()))
            found = &layer;
    return found;
}

/// What a line includes, with the opening quote or bracket in front; empty when it includes nothing.
std::string included(const std::string &line)
{
    const auto skipBlanks = [&](std::size_t at) { return std::min(line.find_first_not_of(" \t", at), line.size()); };
    std::size_t at = skipBlanks(0);
    if (at == line.size() || line[at] != '#')
        return {};
    at = skipBlanks(at + 1);
    constexpr std::string_view word = "include";
    if (line.compare(at, word.size(), word) != 0)
        return {};
    at = skipBlanks(at + word.size());
    const std::size_t end = line.find_first_of("\">", std::min(at + 1, line.size()));
    return end == line.npos ? std::string() : line.substr(at, end - at);
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

TEST(IncludeLayers, EveryIncludePointsDown)
{
    const fs::path root = zigzag::test::sourceDir();
    std::vector<std::string> wrong;
    int files = 0;
    for (const char *top : {"engine", "profiler", "views", "app"}) {
        for (const auto &entry : fs::recursive_directory_iterator(root / top)) {
            const std::string extension = entry.path().extension();
            if (extension != ".h" && extension != ".cpp" && extension != ".cu" && extension != ".cuh")
                continue;
            std::ifstream stream(entry.path());
            const auto found = violations(fs::relative(entry.path(), root).generic_string(), stream);
            wrong.insert(wrong.end(), found.begin(), found.end());
            ++files;
        }
    }
    std::string all;
    for (const std::string &line : wrong)
        all += line + "\n";
    EXPECT_TRUE(wrong.empty()) << all;
    EXPECT_GT(files, 50);
}

TEST(IncludeLayers, AWrongIncludeIsSeen)
{
    EXPECT_EQ(violations("engine/map/x.cpp", "#include \"profiler/bench.h\"\n").size(), 1u);
    EXPECT_EQ(violations("engine/run/x.cpp", "#include \"engine/cpu/gemm.h\"\n").size(), 1u);
    EXPECT_EQ(violations("profiler/x.h", "#include <QWidget>\n").size(), 1u);
    EXPECT_EQ(violations("profiler/x.h", "  #  include <QtCore/QObject>\n").size(), 1u);
    EXPECT_EQ(violations("profiler/x.cpp", "#include \"engine/cpu/cpu_backend.h\"\n").size(), 1u);
    EXPECT_EQ(violations("views/models/x.h", "#include \"views/widgets/head_map_view.h\"\n").size(), 1u);
    EXPECT_EQ(violations("views/widgets/x.h", "#include \"app/studio/document.h\"\n").size(), 1u);
    EXPECT_EQ(violations("app/cli/x.cpp", "#include <qcustomplot.h>\n").size(), 1u);
    EXPECT_EQ(violations("somewhere/x.cpp", "").size(), 1u);
    EXPECT_TRUE(violations("views/widgets/x.cpp", "#include <QWidget>\n#include \"profiler/bench.h\"\n").empty());
    EXPECT_TRUE(violations("engine/run/x.cpp", "#include <vector>\n#include \"engine/map/head_map.h\"\n").empty());
}

} // namespace
