// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/as_engine.h"
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_output.h"
#include "app/cli/run_support.h"
#include "engine/map/run_alike.h"
#include "profiler/jobs/bench_job.h"
#include "profiler/machine/machine_profile.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <optional>

namespace zigzag {
namespace {

struct BenchOptions {
    std::string model, backend = "auto", format = "table", sweep;
    std::vector<std::string> maps;
    std::vector<std::int64_t> contexts;
    std::vector<std::string> phases = {"prefill", "decode"}, mixed = {"fused"};
    int sink = defaultSink, recent = defaultRecent;
    BenchPlan plan;
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
    GpuOptions gpus;
    EngineOptions engine;
};

/// The records that have all of their repeats, or say why they have none.
std::vector<BenchRecord> wholePoints(const std::vector<BenchRecord> &records, const BenchPlan &plan)
{
    std::vector<BenchRecord> whole;
    std::copy_if(records.begin(), records.end(), std::back_inserter(whole), [&](const BenchRecord &record) {
        return !record.failure.empty() || std::ssize(record.samplesMs) >= plan.repeats;
    });
    return whole;
}

/// Each map as --as-engine runs it, and the model with it.
Result<void> runAsEngine(const BenchOptions &options, Loaded &loaded, std::vector<NamedMap> &maps)
{
    if (options.engine.engine.empty() && options.engine.standIns.empty())
        return {};
    if (options.engine.engine == carriedFormat && (maps.size() > 1 || !options.sweep.empty()))
        return badInput(
            fmt::format("--as-engine {} is a model of its own for each map: give one --map, and no --sweep, whose file "
                        "is of the model itself",
                        carriedFormat));
    for (NamedMap &each : maps) {
        ZIGZAG_TRY(run, asEngine(loaded, options.model, each.map, options.engine, false));
        each.map = std::move(run.map);
        each.name += " as " + options.engine.engine;
        if (run.isCarried)
            loaded = std::move(run.loaded);
    }
    return {};
}

/// How heads were dealt: by balance, by the first map that mixes kinds in a layer (loadForRun).
std::string dealText(const GpuOptions &gpus, const std::vector<NamedMap> &maps)
{
    const auto mixed = std::find_if(maps.begin(), maps.end(), [](const NamedMap &named) { return named.map.mixedLayers() > 0; });
    if (gpus.gpus < 2 || gpus.deal == DealBy::Order || mixed == maps.end())
        return std::string(nameOf(DealBy::Order));
    return fmt::format("{} of {}", nameOf(gpus.deal), fingerprintOf(mixed->map));
}

Result<void> bench(BenchOptions options)
{
    BenchPlan &plan = options.plan;
    plan.gpus = options.gpus.gpus;
    for (const std::string &name : options.mixed) {
        ZIGZAG_TRY(mixed, parseMixedMode(name));
        if (std::find(plan.mixed.begin(), plan.mixed.end(), mixed) == plan.mixed.end())
            plan.mixed.push_back(mixed);
    }
    plan.phases = phasesNamed(options.phases);
    const std::atomic<bool> &cancel = interruptFlag();
    ZIGZAG_TRY(
        loaded,
        loadForRun(options.model, options.backend, options.kvType, options.gpus, {options.maps, options.sink, options.recent}));
    ZIGZAG_TRY(maps, resolveMaps(options.maps, loaded.model->shape(), options.sink, options.recent));
    plan.deal = dealText(options.gpus, maps);
    ZIGZAG_CHECK(runAsEngine(options, loaded, maps));
    plan.maps = std::move(maps);
    const ModelConfig &config = loaded.model->config;
    plan.contexts = options.contexts.empty() ? defaultContexts(config) : options.contexts;
    noteContexts(config, plan.contexts);

    if (!options.sweep.empty()) { // before anything is measured: it may be of another machine
        ZIGZAG_TRY(known, resumeFrom(options.sweep, options.model, machineOf(*loaded.backend), config, plan));
        plan.known = std::move(known);
    }
    JobLines lines("bench");
    const JobContext context = loaded.job(lines);
    Result<void> kept;
    std::size_t points = 0;
    const auto keep = [&](const std::vector<BenchRecord> &so) {
        // A point that has begun may be cut short: what is kept is whole.
        if (!options.sweep.empty() && so.size() > points && kept)
            kept = writeBenchFile(options.sweep, options.model, context.machine(), plan, wholePoints(so, plan));
        points = so.size();
    };
    ZIGZAG_TRY(records, jobs::bench(context, plan, keep));
    ZIGZAG_CHECK(kept);
    lines.end();
    const MachineProfile &machine = context.machine();
    if (!options.sweep.empty())
        ZIGZAG_CHECK(writeBenchFile(options.sweep, options.model, machine, plan, wholePoints(records, plan)));
    if (options.format == "json")
        fmt::print("{}\n", benchJson(options.model, machine, plan, records).dump(1, ' ', false, anyBytes));
    else if (options.format == "csv")
        fmt::print("{}", benchCsv(machine, records));
    else
        fmt::print(
            "{}{}\nMedian and interquartile range of {} interleaved repeats{}; floor = least time that the ceiling allows / "
            "median; KV in "
            "bytes.\n",
            benchTable(records, plan.repeats), machineText(machine), plan.repeats,
            plan.spreadBound > 0 ? fmt::format(" and more, until the range is below {:g} % of the median", 100 * plan.spreadBound)
                                 : std::string());
    if (cancel)
        return cancelled("bench: interrupted: what had been measured until then was printed; run it again for the rest");
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
    options->plan.patienceSeconds = usualPatience;
    CLI::App *command = app.add_subcommand("bench", "measure prefill and decode under several maps, interleaved");
    command->add_option("MODEL", options->model, "Hugging Face folder, GGUF file, bundled:NAME or preset:NAME")->required();
    command->add_option("--map", options->maps, "head-map file, full or streaming; repeat it to compare")->required();
    addContextsOption(*command, options->contexts);
    addPhasesOption(*command, options->phases);
    command->add_option("--mixed", options->mixed, "how mixed layers run: fused, two-launch, reference")
        ->delimiter(',')
        ->capture_default_str();
    command->add_option("--repeats", options->plan.repeats, "samples of each point")
        ->check(integerIn(1, 10000))
        ->capture_default_str();
    command->add_option("--batch", options->plan.batches, "sequences at once, separated by commas")
        ->delimiter(',')
        ->check(integerIn(1, 64))
        ->capture_default_str();
    command
        ->add_option("--spread", options->plan.spreadBound,
                     "repeat on until the interquartile range is at most this part of the median (0: no more than --repeats)")
        ->check(numberIn(0.0, 1.0))
        ->capture_default_str();
    command
        ->add_option("--budget", options->plan.budgetSeconds,
                     "seconds after which nothing is repeated for its spread (0: no limit)")
        ->check(numberFrom(0))
        ->capture_default_str();
    addPatienceOption(*command, options->plan.patienceSeconds);
    command->add_option("--sweep", options->sweep, "keep the records in this file, and go on where it ends");
    command->add_option("--warmup", options->plan.warmup, "samples before them that do not count")
        ->check(integerIn(0, 1000))
        ->capture_default_str();
    command->add_option("--seed", options->plan.seed, "of the random tokens, keys and values")->capture_default_str();
    addWindowOptions(*command, options->sink, options->recent);
    addEngineOptions(*command, options->engine);
    addBackendOption(*command, options->backend);
    addGpuOptions(*command, options->gpus);
    addKvTypeOption(*command, options->kvType);
    addOutputOption(*command, options->format, true);
    command->callback([options, &chosen] { chosen.run = [options] { return bench(*options); }; });
}

} // namespace zigzag
