// SPDX-License-Identifier: GPL-3.0-or-later
// What is installed is enough: a public header (engine/public_headers.cmake) includes public headers, the standard library and
// tl::expected, whose package every user of the library needs, and nothing else.
#include "tests/paths.h"
#include "tests/project/included.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <string>

namespace fs = std::filesystem;

namespace {

std::set<std::string> publicHeaders()
{
    std::set<std::string> headers;
    std::ifstream list(fs::path(zigzag::test::sourceDir()) / "engine/public_headers.cmake");
    for (std::string line; std::getline(list, line);)
        if (const std::size_t at = line.find_first_not_of(' '); at == 4 && line.ends_with(".h"))
            headers.insert(line.substr(at));
    return headers;
}

bool isStandard(const std::string &header)
{
    return header.find_first_of("/.") == std::string::npos;
}

TEST(PublicHeaders, IncludePublicHeadersAlone)
{
    const std::set<std::string> headers = publicHeaders();
    EXPECT_GT(headers.size(), 10u);
    EXPECT_TRUE(headers.contains("engine/run/session.h"));
    for (const std::string &header : headers) {
        std::ifstream file(fs::path(zigzag::test::sourceDir()) / header);
        EXPECT_TRUE(file) << header << " is not there";
        for (std::string line; std::getline(file, line);) {
            const std::string target = zigzag::test::included(line);
            if (target.empty())
                continue;
            const std::string name = target.substr(1);
            const bool isPublic = target[0] == '"' ? headers.contains(name) : isStandard(name) || name == "tl/expected.hpp";
            EXPECT_TRUE(isPublic)
                << header << " includes " << name
                << ", which is not installed: include it in a source, or name it in engine/public_headers.cmake";
        }
    }
}

} // namespace
