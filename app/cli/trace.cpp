// SPDX-License-Identifier: GPL-3.0-or-later
// One run recorded into a file, or several compared op by op.
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/number_checks.h"
#include "app/cli/op_matrix_text.h"
#include "app/cli/op_table_text.h"
#include "app/cli/run_support.h"
#include "profiler/compare/op_matrix.h"
#include "profiler/jobs/trace_job.h"
#include "profiler/machine/machine_json.h"
#include "profiler/trace/chrome_writer.h"
#include "profiler/trace/trace_file.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <optional>

namespace zigzag {
namespace {

struct TraceOptions {
    std::string model, out, against, backend = "auto", format = "table", phase = "decode", by = "op", form = "chrome",
                                     launches = "replayed";
    std::vector<std::string> maps, mixed = {"fused"};
    int sink = defaultSink, recent = defaultRecent;
    int repeats = 1;
    TracePlan plan;
    GpuOptions gpus;
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
};

Result<void> write(const Trace &trace, const std::string &form, const std::filesystem::path &file)
{
    return form == "chrome" ? writeChromeTrace(trace, file) : writeTrace(trace, file);
}

/// What recording does to decode on a GPU; "" where it was not measured.
std::string watchingText(const TraceInfo &info)
{
    if (info.stepMs <= 0 || info.watchedStepMs <= 0)
        return {};
    return fmt::format("a decode step takes {:.4f} ms, and {:.4f} ms while kernels are recorded ({:+.1f} %): latencies come from "
                       "`bench`, which records nothing\n",
                       info.stepMs, info.watchedStepMs, 100 * (info.watchedStepMs / info.stepMs - 1));
}

/// A line for each rank: what it takes, and how much of that it waits for others; "" of one.
std::string ranksText(const Trace &trace)
{
    if (trace.info.gpus < 2)
        return {};
    std::string text;
    std::vector<OpRow> ranks = opTable(trace, GroupBy::Rank);
    std::sort(ranks.begin(), ranks.end(), [](const OpRow &a, const OpRow &b) { return *a.rank < *b.rank; });
    for (const OpRow &row : ranks) {
        const auto ms = [](std::int64_t ns) { return static_cast<double>(ns) / 1e6; };
        text += fmt::format("{}: {:.3f} ms, of them {:.3f} ms waiting for other ranks and {:.3f} ms exchanging with them\n",
                            row.label(), ms(row.totalNs), ms(row.waitNs), ms(row.exchangeNs));
    }
    return text;
}

/// Every time of a recording that others disturbed is longer than the machine's own.
void sayDisturbed(int disturbed, int recordings)
{
    if (disturbed > 0)
        fmt::print(stderr,
                   "note: other programs took the processors during {} of {} recordings: their times are longer than when the "
                   "machine is left alone\n",
                   disturbed, recordings);
}

Result<void> traceOne(const TraceOptions &options, const Loaded &loaded, const MachineProfile &machine, const TracePlan &plan)
{
    JobLines lines("trace");
    ZIGZAG_TRY(recorded, jobs::trace(loaded.job(lines), plan));
    lines.end();
    ZIGZAG_CHECK(write(recorded, options.form, options.out));
    const std::vector<OpRow> rows = opTable(recorded, groupNamed(options.by));
    if (options.format == "json")
        fmt::print("{}\n",
                   nlohmann::ordered_json{{"out", options.out},
                                          {"gpus", recorded.info.gpus},
                                          {"spans", recorded.spans.size()},
                                          {"collectives", recorded.collectives.size()},
                                          {"kernels", recorded.kernels.size()},
                                          {"dropped", recorded.dropped},
                                          {"device_time", recorded.info.inDeviceTime},
                                          {"disturbed", recorded.info.disturbed},
                                          {"step_ms", recorded.info.stepMs},
                                          {"watched_step_ms", recorded.info.watchedStepMs},
                                          {"machine", machineJson(machine)},
                                          {"rows", opTableJson(rows)}}
                       .dump(1, ' ', false, anyBytes));
    else
        fmt::print("{}{}{}{} spans{}, {}{} kernels, {} dropped; written to {}\n", opTableText(rows), ranksText(recorded),
                   watchingText(recorded.info), recorded.spans.size(),
                   recorded.info.inDeviceTime ? " in the time of their kernels" : "",
                   recorded.collectives.empty() ? std::string() : fmt::format("{} collectives, ", recorded.collectives.size()),
                   recorded.kernels.size(), recorded.dropped, options.out);
    if (!recorded.info.note.empty())
        fmt::print(stderr, "note: {}\n", recorded.info.note);
    sayDisturbed(recorded.info.disturbed ? 1 : 0, 1);
    return {};
}

/// The file of one of several runs: its name with letters, digits and dashes alone.
std::filesystem::path fileOf(const std::string &folder, std::size_t index, const std::string &run)
{
    std::string name = std::filesystem::path(run).filename().string();
    for (char &c : name)
        if (!std::isalnum(static_cast<unsigned char>(c)))
            c = '-';
    return std::filesystem::path(folder) / fmt::format("{}-{}.json", index, name);
}

/// The column that others are held against: the last one, or the first of the map that was asked for.
Result<std::size_t> referenceColumn(const std::vector<ComparedRun> &runs, const std::string &against)
{
    if (against.empty())
        return runs.size() - 1;
    const auto found
        = std::find_if(runs.begin(), runs.end(), [&](const ComparedRun &run) { return run.plan.map.name == against; });
    if (found == runs.end())
        return badInput(fmt::format("--against {}: none of the maps; give one as it stands behind --map", against));
    return static_cast<std::size_t>(found - runs.begin());
}

Result<void> traceSeveral(const TraceOptions &options, const Loaded &loaded, const MachineProfile &machine,
                          const std::vector<ComparedRun> &runs)
{
    ZIGZAG_TRY(against, referenceColumn(runs, options.against));
    std::vector<std::vector<Trace>> traces;
    {
        Progress progress("trace");
        ZIGZAG_TRY(recorded,
                   recordRuns(loaded.device, loaded.model->config, machine, runs, options.repeats, &interruptFlag(),
                              [&](int done, int all) { progress(done, all); }));
        traces = std::move(recorded);
    }
    std::vector<std::string> names;
    std::int64_t dropped = 0;
    int disturbed = 0;
    std::string note;
    for (std::size_t run = 0; run < runs.size(); ++run) {
        names.push_back(runs[run].name);
        for (const Trace &trace : traces[run]) {
            dropped += trace.dropped;
            disturbed += trace.info.disturbed;
            note = trace.info.note.empty() ? note : trace.info.note;
        }
    }
    if (!options.out.empty()) {
        std::error_code failure;
        std::filesystem::create_directories(options.out, failure);
        if (failure)
            return failed(fmt::format("{}: {}: choose a folder that can be written", options.out, failure.message()));
        for (std::size_t run = 0; run < runs.size(); ++run)
            ZIGZAG_CHECK(write(traces[run].front(), options.form, fileOf(options.out, run, names[run])));
    }
    const OpMatrix matrix = opMatrix(names, traces);
    const Trace &first = traces.front().front();
    if (options.format == "json") {
        nlohmann::ordered_json json = opMatrixJson(matrix, against);
        json.update({{"phase", nameOf(first.info.phase)},
                     {"context", first.info.context},
                     {"batch", first.info.batch},
                     {"dropped", dropped},
                     {"disturbed", disturbed},
                     {"device_time", first.info.inDeviceTime},
                     {"step_ms", first.info.stepMs},
                     {"watched_step_ms", first.info.watchedStepMs},
                     {"machine", machineJson(machine)}});
        fmt::print("{}\n", json.dump(1, ' ', false, anyBytes));
    } else {
        fmt::print("{}, {} at {} tokens on {}: {}; differences to {}\n{}{}", options.model, nameOf(first.info.phase),
                   first.info.context, machine.device,
                   first.info.inDeviceTime ? "in the time of their kernels" : "by the host's clock", names[against],
                   opMatrixText(matrix, against), watchingText(first.info));
    }
    if (dropped > 0)
        fmt::print(stderr, "note: {} spans or kernels did not fit and were dropped: ask for fewer steps\n", dropped);
    if (!note.empty())
        fmt::print(stderr, "note: {}\n", note);
    sayDisturbed(disturbed, options.repeats * static_cast<int>(runs.size()));
    return {};
}

Result<void> trace(TraceOptions options)
{
    TracePlan &plan = options.plan;
    std::vector<MixedMode> mixed;
    for (const std::string &name : options.mixed) {
        ZIGZAG_TRY(mode, parseMixedMode(name));
        if (std::find(mixed.begin(), mixed.end(), mode) == mixed.end())
            mixed.push_back(mode);
    }
    plan.phase = *findPhase(options.phase); // checked as it was read
    plan.model = options.model;
    plan.replays = options.launches == "replayed";
    const bool compares = options.maps.size() > 1 || mixed.size() > 1;
    if (!compares && options.out.empty())
        return badInput("--out is missing: give the file to write");
    if (compares && options.gpus.gpus > 1)
        return badInput("several runs are compared op by op on one GPU: give one --map and one --mixed, or leave --gpus out");
    ZIGZAG_TRY(
        loaded,
        loadForRun(options.model, options.backend, options.kvType, options.gpus, {options.maps, options.sink, options.recent}));
    ZIGZAG_TRY(maps, resolveMaps(options.maps, loaded.model->shape(), options.sink, options.recent));
    noteContexts(loaded.model->config, {plan.context});
    const std::vector<ComparedRun> runs = comparedRuns(plan, maps, mixed);
    ZIGZAG_CHECK(referenceColumn(runs, options.against));
    MachineProfile machine;
    {
        JobLines lines("trace");
        machine = loaded.job(lines).machine();
    }
    return compares ? traceSeveral(options, loaded, machine, runs) : traceOne(options, loaded, machine, runs.front().plan);
}

} // namespace

void addTrace(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<TraceOptions>();
    CLI::App *command = app.add_subcommand(
        "trace", "record what every op of every layer does when; opens in Perfetto. Several maps: compared op by op");
    command->add_option("MODEL", options->model, "Hugging Face folder, GGUF file, bundled:NAME or preset:NAME")->required();
    command->add_option("--map", options->maps, "head-map file, full or streaming; several are compared op by op")->required();
    command->add_option("--context", options->plan.context, "tokens of the prefill, or in the cache after decode")
        ->required()
        ->check(longIntegerFrom(1));
    command->add_option("--out", options->out, "the file to write; of several runs a folder for them, if they are wanted");
    command->add_option("--format", options->form, "chrome: opens in Perfetto; zigzag: compact")
        ->check(CLI::IsMember({"chrome", "zigzag"}))
        ->capture_default_str();
    command->add_option("--phase", options->phase, "prefill or decode")
        ->check(CLI::IsMember({"prefill", "decode"}))
        ->capture_default_str();
    command->add_option("--steps", options->plan.steps, "decode steps")->check(integerIn(1, 1 << 20))->capture_default_str();
    command->add_option("--batch", options->plan.batch, "sequences at once")->check(integerIn(1, 64))->capture_default_str();
    command->add_option("--mixed", options->mixed, "how mixed layers run: fused, two-launch, reference; several are compared")
        ->delimiter(',')
        ->capture_default_str();
    command->add_option("--repeats", options->repeats, "several runs: recorded so often, in turns")
        ->check(integerIn(1, 1000))
        ->capture_default_str();
    command->add_option("--against", options->against,
                        "several runs: the map that the others are held against (default: the last)");
    command->add_option("--launches", options->launches, "decode on a GPU: replayed as it really runs, or single: op by op")
        ->check(CLI::IsMember({"replayed", "single"}))
        ->capture_default_str();
    command->add_option("--by", options->by, "rows of the table: op, layer, type, op-layer, op-type, rank or op-rank")
        ->check(CLI::IsMember(groupNames()))
        ->capture_default_str();
    command->add_option("--seed", options->plan.seed, "of the random tokens, keys and values")->capture_default_str();
    addWindowOptions(*command, options->sink, options->recent);
    addBackendOption(*command, options->backend);
    addGpuOptions(*command, options->gpus);
    addKvTypeOption(*command, options->kvType);
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return trace(*options); }; });
}

} // namespace zigzag
