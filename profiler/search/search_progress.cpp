// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/search/search_progress.h"

#include "engine/base/files.h"
#include "engine/base/json_input.h"

#include <fmt/format.h>

namespace zigzag {
namespace {

constexpr std::string_view formatName = "zigzag-search-progress";
constexpr int formatVersion = 1;
constexpr std::uint64_t largestFile = 1ull << 30;

} // namespace

Result<void> saveProgress(const std::filesystem::path &file, std::string_view method, const std::string &planJson,
                          const std::string &stateJson)
{
    return writeFileAtomically(
        file,
        fmt::format("{{\"format\": \"{}\", \"version\": {}, \"method\": \"{}\",\n \"plan\": {},\n \"state\": {}}}\n", formatName,
                    formatVersion, method, planJson, stateJson));
}

Result<std::optional<std::string>> loadProgress(const std::filesystem::path &file, std::string_view method,
                                                const std::string &planJson)
{
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored))
        return std::nullopt;
    const std::string where = file.string();
    ZIGZAG_TRY(text, readTextFile(file, largestFile));
    ZIGZAG_TRY(root, json::parse(text, where));
    ZIGZAG_CHECK(json::checkFormat(root, formatName, formatVersion, where));
    ZIGZAG_TRY(savedMethod, json::stringIn(root, "method", where));
    ZIGZAG_TRY(savedPlan, json::objectIn(root, "plan", where));
    ZIGZAG_TRY(state, json::objectIn(root, "state", where));
    ZIGZAG_TRY(plan, json::parse(planJson, "the plan"));
    if (savedMethod != method || *savedPlan != plan)
        return badInput(
            fmt::format("{} holds the progress of another search ({}): finish that one, or begin anew (--restart, or another "
                        "--out)",
                        where, json::printable(savedMethod)));
    return state->dump();
}

} // namespace zigzag
