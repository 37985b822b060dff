// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <CLI/CLI.hpp>
#include <functional>

namespace zigzag {

/// The command that the arguments chose; main runs it and turns its error into one line and an exit code.
struct Chosen {
    std::function<Result<void>()> run;
};

// Each adds one subcommand, whose callback sets `chosen.run`. Data goes to stdout, progress to stderr.
void addInfo(CLI::App &app, Chosen &chosen);
void addLogits(CLI::App &app, Chosen &chosen);
void addGenerate(CLI::App &app, Chosen &chosen);
void addServe(CLI::App &app, Chosen &chosen);
void addCheck(CLI::App &app, Chosen &chosen);
void addAttention(CLI::App &app, Chosen &chosen);
void addTokenize(CLI::App &app, Chosen &chosen);
void addScore(CLI::App &app, Chosen &chosen);
void addAssign(CLI::App &app, Chosen &chosen);
void addCompare(CLI::App &app, Chosen &chosen);
void addCriteria(CLI::App &app, Chosen &chosen);
void addBench(CLI::App &app, Chosen &chosen);
void addEval(CLI::App &app, Chosen &chosen);
void addExport(CLI::App &app, Chosen &chosen);
void addPareto(CLI::App &app, Chosen &chosen);
void addRank(CLI::App &app, Chosen &chosen);
void addPlan(CLI::App &app, Chosen &chosen);
void addRecommend(CLI::App &app, Chosen &chosen);
void addReport(CLI::App &app, Chosen &chosen);
void addTrace(CLI::App &app, Chosen &chosen);
void addCalibrate(CLI::App &app, Chosen &chosen);
void addPredict(CLI::App &app, Chosen &chosen);
/// A command that no help names, for those who install or package the program. It tells of the commands that `app` has when it
/// runs.
void addDescribe(CLI::App &app, Chosen &chosen);

} // namespace zigzag
