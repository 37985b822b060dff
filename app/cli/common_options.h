// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/number_checks.h"
#include "engine/base/dtype.h"
#include "engine/run/dealing.h"
#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace zigzag {

// Options that several commands share, so that they read and check alike everywhere.

/// `-o table|json` (and `csv` where asked).
void addOutputOption(CLI::App &command, std::string &format, bool withCsv = false);
/// `--sink` and `--recent`; `whose` says in the help what keeps these tokens.
void addWindowOptions(CLI::App &command, int &sink, int &recent, const std::string &whose = "`streaming` keeps");
void addBackendOption(CLI::App &command, std::string &backend);
/// On how many GPUs a model runs, and how its heads get to them.
struct GpuOptions {
    int gpus = 1;
    DealBy deal = DealBy::Order;
};
/// `--gpus` and `--deal`.
void addGpuOptions(CLI::App &command, GpuOptions &options);
/// `--kv-type`, of whatever runs a model or says what it costs; none where nobody asks.
void addKvTypeOption(CLI::App &command, std::optional<DType> &type);
void addContextsOption(CLI::App &command, std::vector<std::int64_t> &contexts);
/// `--phase prefill,decode`.
void addPhasesOption(CLI::App &command, std::vector<std::string> &phases);
/// `--patience`: seconds of waiting until the machine is left alone.
inline constexpr double usualPatience = 20; ///< seconds
void addPatienceOption(CLI::App &command, double &seconds);
/// `--trials`: needle questions for each context and depth.
void addTrialsOption(CLI::App &command, int &trials);
/// `--contexts`, `--depths`, `--trials` and `--seed` of needle questions.
template <class Plan> void addQuestionOptions(CLI::App &command, Plan &plan)
{
    addContextsOption(command, plan.contexts);
    command.add_option("--depths", plan.depths, "places of the needle, 0 (beginning) to 1 (end)")
        ->delimiter(',')
        ->check(numberIn(0.0, 1.0))
        ->capture_default_str();
    addTrialsOption(command, plan.trials);
    command.add_option("--seed", plan.seed, "of the questions")->capture_default_str();
}

} // namespace zigzag
