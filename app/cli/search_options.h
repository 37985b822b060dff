// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/asked_prompts.h"
#include "profiler/search/search.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// `--tasks` and `--needles` of prompts with answers (contexts, depths, trials and seed are addQuestionOptions').
void addTaskOptions(CLI::App &command, std::vector<std::string> &tasks, int &needles);
void addNeedlesOption(CLI::App &command, int &needles);
Result<std::vector<TaskKind>> parseTasks(const std::vector<std::string> &names);

/// What `score` asks of a search beside the questions.
struct SearchOptions {
    std::string unit = "layer", maps;
    std::string loss; ///< empty: what the method says
    std::vector<std::string> tasks = {"passkey", "passkeys"};
    bool restart = false, plain = false;
    AskedPromptOptions prompts;
    SearchPlan plan;
};
void addSearchOptions(CLI::App &command, SearchOptions &options);

/// `--loss` of what chooses maps, and of what ranks them.
void addLossOption(CLI::App &command, std::string &loss, const std::string &what);
/// What a method counts: "prompts", "steps".
std::string_view countedBy(SearchMethod method);
nlohmann::ordered_json searchJson(const SearchPlan &plan, const SearchResult &result, const std::string &out);
std::string searchTable(const SearchPlan &plan, const SearchResult &result);
/// One head map for each count of the search's path, "streaming-K.json" in `folder`. Made where it is not there.
Result<void> writePathMaps(const SearchPlan &plan, const SearchResult &result, const std::string &folder);

} // namespace zigzag
