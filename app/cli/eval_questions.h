// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/as_engine.h"
#include "profiler/questions/ruler.h"

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace zigzag {

/// What `eval --task ruler` and `--task questions` ask beside the model and its maps.
struct QuestionOptions {
    std::vector<std::string> files; ///< of questions
    RulerPlan ruler;
    std::string as = "auto", out, resume;
    bool restart = false;
    int batch = 0; ///< AskPlan::batch
    int limit = 0; ///< questions of each task; 0: all
    int broken = 0; ///< questions that broke to be printed, of each map
};
void addAskOptions(CLI::App &command, QuestionOptions &options);

/// Asks full attention and each map the same questions, and prints what the maps cost. `format`: table, csv or json.
Result<void> evaluateQuestions(const QuestionOptions &options, const Loaded &loaded, const std::string &model,
                               const std::vector<NamedMap> &maps, const EngineOptions &engine, const std::string &format);

} // namespace zigzag
