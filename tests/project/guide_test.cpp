// SPDX-License-Identifier: GPL-3.0-or-later
// What a reader of README and the guide relies on: short enough to be read, links that lead somewhere, every command in its
// place, every page in the index, and numbers that say where, when and how they were measured.
#include "engine/base/files.h"
#include "tests/cli/run_program.h"
#include "tests/paths.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <gtest/gtest.h>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace zigzag {
namespace {

const fs::path root = test::sourceDir();
const fs::path guide = root / "resources/guide";

std::string textOf(const fs::path &file)
{
    const auto text = readTextFile(file);
    EXPECT_TRUE(text) << file;
    return text.value_or("");
}

std::vector<std::string> linesOf(const std::string &text)
{
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

/// Without what stands between fences or back quotes: no link is one there.
std::string withoutCode(const std::string &text)
{
    std::string kept;
    bool code = false;
    for (const std::string &line : linesOf(text)) {
        if (line.rfind("```", 0) == 0)
            code = !code;
        else if (!code)
            kept += line + "\n";
    }
    return std::regex_replace(kept, std::regex("`[^`]*`"), "");
}

struct Link {
    std::string path, heading;
};

std::vector<Link> relativeLinks(const std::string &markdown)
{
    std::vector<Link> links;
    const std::string text = withoutCode(markdown);
    static const std::regex link(R"(\]\(([^)#\s]*)(#([^)\s]*))?\))");
    for (std::sregex_iterator it(text.begin(), text.end(), link), end; it != end; ++it)
        if ((*it)[1].str().find("://") == std::string::npos)
            links.push_back({(*it)[1].str(), (*it)[3].str()});
    return links;
}

/// As GitHub names headings, for letters of ASCII, which are all that ours have.
std::set<std::string> anchorsOf(const std::string &markdown)
{
    std::set<std::string> anchors;
    bool code = false;
    for (const std::string &line : linesOf(markdown)) {
        if (line.rfind("```", 0) == 0)
            code = !code;
        const std::size_t text = line.find_first_not_of('#');
        if (code || text == 0 || text == std::string::npos || line[text] != ' ')
            continue;
        std::string anchor;
        for (const char c : line.substr(text + 1))
            if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == ' ')
                anchor += c == ' ' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        anchors.insert(anchor);
    }
    return anchors;
}

std::vector<fs::path> pages()
{
    std::vector<fs::path> found;
    for (const auto &entry : fs::directory_iterator(guide))
        if (entry.path().extension() == ".md")
            found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

/// What is wrong with the links of a file: "README.md: no such file: x.md".
std::vector<std::string> brokenLinks(const fs::path &file, const std::string &text)
{
    std::vector<std::string> broken;
    for (const Link &link : relativeLinks(text)) {
        const fs::path target = link.path.empty() ? file : file.parent_path() / link.path;
        if (!fs::exists(target))
            broken.push_back(file.filename().string() + ": no such file: " + link.path);
        else if (!link.heading.empty() && !anchorsOf(link.path.empty() ? text : textOf(target)).contains(link.heading))
            broken.push_back(file.filename().string() + ": no such heading: " + link.path + "#" + link.heading);
    }
    return broken;
}

TEST(Guide, EveryRelativeLinkLeadsSomewhere)
{
    std::vector<fs::path> files = pages();
    EXPECT_GT(files.size(), 10u);
    files.push_back(root / "README.md");
    files.push_back(root / "DEVELOPING.md");
    int links = 0;
    for (const fs::path &file : files) {
        const std::string text = textOf(file);
        for (const std::string &broken : brokenLinks(file, text))
            ADD_FAILURE() << broken;
        links += static_cast<int>(relativeLinks(text).size());
    }
    EXPECT_GT(links, 60);
}

TEST(Guide, ABrokenLinkIsSeen)
{
    const fs::path file = guide / "index.md";
    EXPECT_EQ(brokenLinks(file, "[a](nowhere.md)"), std::vector<std::string>{"index.md: no such file: nowhere.md"});
    EXPECT_EQ(brokenLinks(file, "[a](maps.md#no-such-thing) [b](https://example.org/x.md)").size(), 1u);
    EXPECT_EQ(brokenLinks(file, "[a](#here)\n## Here\n![p](pictures/none.png)").size(), 1u);
    EXPECT_TRUE(brokenLinks(file, "`[a](nowhere.md)`\n```\n[b](nowhere.md)\n```\n").empty());
}

TEST(Guide, ReadmeIsReadInOneGo)
{
    const std::string readme = textOf(root / "README.md");
    EXPECT_LE(linesOf(readme).size(), 150u) << "what is longer belongs into resources/guide";
    for (const char *command : {"./dev run", "./dev test"})
        EXPECT_NE(readme.find(command), std::string::npos) << command;
    EXPECT_NE(readme.find("(resources/guide/index.md)"), std::string::npos);
    EXPECT_NE(readme.find("(resources/guide/numbers.md)"), std::string::npos);
}

TEST(Guide, EveryPageIsInTheIndex)
{
    std::set<std::string> named;
    for (const Link &link : relativeLinks(textOf(guide / "index.md")))
        named.insert(link.path);
    named.insert("index.md");
    for (const fs::path &page : pages())
        EXPECT_TRUE(named.contains(page.filename().string())) << page.filename() << " is not in index.md";
}

TEST(Guide, EveryPageBeginsWithItsTitleAndEveryPictureIsShown)
{
    std::set<std::string> shown;
    for (const fs::path &page : pages()) {
        const std::string text = textOf(page);
        EXPECT_EQ(text.rfind("# ", 0), 0u) << page;
        for (const Link &link : relativeLinks(text))
            shown.insert(fs::path(link.path).filename().string());
    }
    for (const auto &picture : fs::directory_iterator(guide / "pictures"))
        EXPECT_TRUE(shown.contains(picture.path().filename().string())) << picture.path() << " is on no page";
}

/// Names in the list of `zigzag --help` behind "Subcommands:" (CLI11 2.3 and 2.4 write it differently).
std::vector<std::string> subcommands()
{
    const auto help = test::runZigzag({"--help"});
    EXPECT_EQ(help.code, 0);
    std::vector<std::string> names;
    bool listed = false;
    for (const std::string &line : linesOf(help.output)) {
        std::string upper;
        for (const char c : line)
            upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        if (upper.rfind("SUBCOMMANDS:", 0) == 0)
            listed = true;
        else if (listed && line.size() > 2 && line[0] == ' ' && line[1] == ' ' && line[2] != ' ')
            names.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
    return names;
}

TEST(Guide, EveryCommandHasItsPlaceAndAnExample)
{
    const std::vector<std::string> names = subcommands();
    EXPECT_GT(names.size(), 15u);
    EXPECT_NE(std::find(names.begin(), names.end(), "score"), names.end());
    const std::string page = textOf(guide / "commands.md");
    for (const std::string &name : names) {
        EXPECT_NE(page.find("| `" + name + "` |"), std::string::npos) << name << " is not in the table of commands.md";
        EXPECT_TRUE(std::regex_search(page, std::regex("\nzigzag " + name + " "))) << name << " has no example in commands.md";
    }
}

TEST(Guide, ExamplesAreOptionsThatTheCommandsHave)
{
    int options = 0;
    for (const fs::path &file : pages())
        for (const std::string &line : linesOf(textOf(file))) {
            static const std::regex command(R"(^zigzag +([a-z]+) )");
            std::smatch found;
            if (!std::regex_search(line, found, command))
                continue;
            const std::string help = test::runZigzag({found[1].str(), "--help"}).output;
            static const std::regex option(R"( (--[a-z-]+))");
            for (std::sregex_iterator it(line.begin(), line.end(), option), end; it != end; ++it, ++options)
                EXPECT_NE(help.find((*it)[1].str()), std::string::npos) << file.filename() << ": " << line;
        }
    EXPECT_GT(options, 60);
}

/// The tables can be taken again: the commands that made them are ones that the program still reads.
TEST(Guide, CommandsBehindNumbersAreOptionsThatTheCommandsHave)
{
    const std::string text = textOf(guide / "numbers.md");
    static const std::regex command("`zigzag ([a-z]+) ([^`]*)`");
    static const std::regex option("(^| )(--[a-z-]+)");
    int options = 0;
    for (std::sregex_iterator it(text.begin(), text.end(), command), end; it != end; ++it) {
        const std::string name = (*it)[1].str(), words = (*it)[2].str();
        const std::string help = test::runZigzag({name, "--help"}).output;
        EXPECT_NE(help.find("--help"), std::string::npos) << name;
        for (std::sregex_iterator each(words.begin(), words.end(), option), last; each != last; ++each, ++options)
            EXPECT_NE(help.find((*each)[2].str()), std::string::npos) << name << ' ' << words;
    }
    EXPECT_GT(options, 30);
}

TEST(Guide, NumbersSayWhereWhenAndHow)
{
    const std::vector<std::string> lines = linesOf(textOf(guide / "numbers.md"));
    static const std::regex source(R"(\*Machines?: .*Date: 20\d\d-\d\d-\d\d.*Command: )");
    int tables = 0, pending = 0;
    std::string section;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string &line = lines[i];
        const bool inTable = line.find_first_not_of(' ') != std::string::npos && line[line.find_first_not_of(' ')] == '|';
        const bool ends = inTable && (i + 1 == lines.size() || lines[i + 1].find('|') == std::string::npos);
        tables += ends;
        pending += ends;
        if (std::regex_search(line, source))
            pending = 0;
        if (line.rfind("## ", 0) == 0) {
            EXPECT_EQ(pending, 0) << "a table of " << section << " does not say on which machine, when and how it was measured";
            pending = 0;
            section = line;
        }
    }
    EXPECT_EQ(pending, 0) << section;
    EXPECT_GE(tables, 8);
}

} // namespace
} // namespace zigzag
