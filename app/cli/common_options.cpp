// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/common_options.h"
#include "app/cli/number_checks.h"
#include "engine/map/kv_layout.h"

namespace zigzag {

void addOutputOption(CLI::App &command, std::string &format, bool withCsv)
{
    std::vector<std::string> formats = {"table", "json"};
    if (withCsv)
        formats.emplace_back("csv");
    command.add_option("-o,--output", format, "form of the result")->check(CLI::IsMember(formats))->capture_default_str();
}

void addPatienceOption(CLI::App &command, double &seconds)
{
    command
        .add_option("--patience", seconds,
                    "seconds of waiting, over all samples, while other programs slow the machine (0: nobody looks)")
        ->check(numberIn(0.0, 1e6))
        ->capture_default_str();
}

void addWindowOptions(CLI::App &command, int &sink, int &recent, const std::string &whose)
{
    command.add_option("--sink", sink, "first tokens that " + whose)->check(integerFrom(0))->capture_default_str();
    command.add_option("--recent", recent, "last tokens that " + whose)->check(integerFrom(1))->capture_default_str();
}

void addBackendOption(CLI::App &command, std::string &backend)
{
    command.add_option("--backend", backend, "auto, cpu or cuda")->capture_default_str();
}

void addGpuOptions(CLI::App &command, GpuOptions &options)
{
    command
        .add_option(
            "--gpus", options.gpus,
            "GPUs of this machine that run the model together, tensor parallel; with --backend cpu: shares of the processor")
        ->check(integerIn(1, mostRanks))
        ->capture_default_str();
    command
        .add_option_function<std::string>(
            "--deal", [&options](const std::string &name) { options.deal = *parseDealBy(name); },
            "how KV heads get to the GPUs: in order, as serving engines do, or by balance: as many retrieval heads of each layer "
            "to each, "
            "by the first map that mixes kinds in a layer")
        ->check(CLI::IsMember({"order", "balance"}))
        ->default_str("order");
}

void addKvTypeOption(CLI::App &command, std::optional<DType> &type)
{
    std::vector<std::string> names;
    names.reserve(std::size(kvTypes));
    for (const DType known : kvTypes)
        names.emplace_back(nameOf(known));
    command
        .add_option_function<std::string>(
            "--kv-type", [&type](const std::string &name) { type = findKvType(name); },
            "what keys and values are stored in: f32, f16, bf16 or fp8 (E4M3) (default: the weights' type)")
        ->check(CLI::IsMember(names));
}

void addContextsOption(CLI::App &command, std::vector<std::int64_t> &contexts)
{
    command.add_option("--contexts", contexts, "tokens, separated by commas (default: a quarter, half and all of the model's)")
        ->delimiter(',')
        ->check(longIntegerFrom(1));
}

void addPhasesOption(CLI::App &command, std::vector<std::string> &phases)
{
    command.add_option("--phase", phases, "prefill, decode or both")
        ->delimiter(',')
        ->check(CLI::IsMember({"prefill", "decode"}))
        ->capture_default_str();
}

void addTrialsOption(CLI::App &command, int &trials)
{
    command.add_option("--trials", trials, "needle questions for each context and depth")
        ->check(integerIn(1, 100000))
        ->capture_default_str();
}

} // namespace zigzag
