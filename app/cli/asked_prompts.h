// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/run_support.h"
#include "profiler/evaluate/task_prompts.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace zigzag {

/// A person's questions in the place of tasks, for what measures the prediction of an answer's tokens.
struct AskedPromptOptions {
    std::vector<std::string> files; ///< with questions; empty: tasks
    std::string as = "auto", answers = "own"; ///< how they are asked, and whose answers stand behind them
};
/// `--prompts`, `--as` and `--answers`; behind addTaskOptions and addQuestionOptions, whose options `--prompts` excludes.
/// `besides`: what its help has to add.
void addAskedPromptOptions(CLI::App &command, AskedPromptOptions &options, const std::string &besides = {});

/// The questions, cut to one context (none: the model's), with what was left out of them on stderr. Asks full attention first
/// where its own answers are what counts; refuses questions of which none is left.
Result<std::shared_ptr<const std::vector<TaskPrompt>>>
askedPrompts(const AskedPromptOptions &options, const std::vector<std::int64_t> &contexts, const Loaded &loaded);

} // namespace zigzag
