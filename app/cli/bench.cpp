// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/bench.h"
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/run_output.h"
#include "app/cli/run_support.h"
#include "profiler/machine_profile.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>

namespace zigzag {
namespace {

struct BenchOptions {
    std::string model, backend = "auto", format = "table";
    std::vector<std::string> maps;
    std::vector<std::int64_t> contexts;
    std::vector<std::string> phases = {"prefill", "decode"}, mixed = {"fused"};
    int sink = defaultSink, recent = defaultRecent;
    BenchPlan plan;
};

Result<void> bench(BenchOptions options)
{
    BenchPlan &plan = options.plan;
    for (const std::string &name : options.mixed) {
        ZIGZAG_TRY(mixed, parseMixedMode(name));
        if (std::find(plan.mixed.begin(), plan.mixed.end(), mixed) == plan.mixed.end())
            plan.mixed.push_back(mixed);
    }
    for (const Phase phase : {Phase::Prefill, Phase::Decode})
        if (std::find(options.phases.begin(), options.phases.end(), nameOf(phase)) != options.phases.end())
            plan.phases.push_back(phase);
    const std::atomic<bool> &cancel = interruptFlag();
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend));
    const ModelConfig &config = loaded.model->config;
    ZIGZAG_TRY(maps, resolveMaps(options.maps, loaded.model->shape(), options.sink, options.recent));
    plan.maps = std::move(maps);
    plan.contexts = options.contexts.empty() ? defaultContexts(config) : options.contexts;

    MachineProfile machine = measureMachine(*loaded.backend, config, &cancel);
    std::vector<BenchRecord> records;
    {
        Progress progress("bench");
        ZIGZAG_TRY(measured,
                   runBench(loaded.device, config, machine, plan, &cancel,
                            [&](int done, int all, const std::vector<BenchRecord> &) { progress(done, all); }));
        records = std::move(measured);
    }
    if (!cancel) {
        raiseCeilings(machine, measureMachine(*loaded.backend, config, &cancel));
        updateFloors(records, plan, config, machine);
    }
    if (options.format == "json")
        fmt::print("{}\n", benchJson(machine, plan, records).dump(1));
    else if (options.format == "csv")
        fmt::print("{}", benchCsv(machine, records));
    else
        fmt::print("{}{}\nMedian and interquartile range of {} interleaved repeats; floor = least time that the ceiling allows / "
                   "median; KV in "
                   "bytes.\n",
                   benchTable(records), machineText(machine), plan.repeats);
    if (cancel)
        return failed("bench: interrupted: what had been measured until then was printed; run it again for the rest");
    const auto measured = [](const BenchRecord &record) { return record.failure.empty(); };
    if (!records.empty() && std::none_of(records.begin(), records.end(), measured))
        return failed(records.front().failure);
    return {};
}

} // namespace

void addBench(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<BenchOptions>();
    options->plan.mixed.clear();
    CLI::App *command = app.add_subcommand("bench", "measure prefill and decode under several maps, interleaved");
    command->add_option("MODEL", options->model, "Hugging Face folder, bundled:NAME or preset:NAME")->required();
    command->add_option("--map", options->maps, "head-map file, full or streaming; repeat it to compare")->required();
    addContextsOption(*command, options->contexts);
    command->add_option("--phase", options->phases, "prefill, decode or both")
        ->delimiter(',')
        ->check(CLI::IsMember({"prefill", "decode"}))
        ->capture_default_str();
    command->add_option("--mixed", options->mixed, "how mixed layers run: fused, two-launch, reference")
        ->delimiter(',')
        ->capture_default_str();
    command->add_option("--repeats", options->plan.repeats, "samples of each point")
        ->check(CLI::Range(1, 10000))
        ->capture_default_str();
    command->add_option("--warmup", options->plan.warmup, "samples before them that do not count")
        ->check(CLI::Range(0, 1000))
        ->capture_default_str();
    command->add_option("--seed", options->plan.seed, "of the random tokens, keys and values")->capture_default_str();
    addWindowOptions(*command, options->sink, options->recent);
    addBackendOption(*command, options->backend);
    addOutputOption(*command, options->format, true);
    command->callback([options, &chosen] { chosen.run = [options] { return bench(*options); }; });
}

} // namespace zigzag
