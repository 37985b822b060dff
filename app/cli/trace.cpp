// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/op_table_text.h"
#include "app/cli/run_support.h"
#include "profiler/machine_json.h"
#include "profiler/machine_profile.h"
#include "profiler/trace/trace_file.h"
#include "profiler/trace/trace_run.h"

#include <fmt/format.h>
#include <memory>

namespace zigzag {
namespace {

struct TraceOptions {
    std::string model, map, out, backend = "auto", format = "table", phase = "decode", mixed = "fused", by = "op",
                                 form = "chrome";
    int sink = defaultSink, recent = defaultRecent;
    TracePlan plan;
};

Result<void> trace(TraceOptions options)
{
    TracePlan &plan = options.plan;
    ZIGZAG_TRY(mixed, parseMixedMode(options.mixed));
    plan.mixed = mixed;
    plan.phase = options.phase == nameOf(Phase::Prefill) ? Phase::Prefill : Phase::Decode;
    plan.model = options.model;
    const std::atomic<bool> &cancel = interruptFlag();
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend));
    const ModelConfig &config = loaded.model->config;
    ZIGZAG_TRY(maps, resolveMaps({options.map}, loaded.model->shape(), options.sink, options.recent));
    plan.map = maps.front();
    const MachineProfile machine = measureMachine(*loaded.backend, config, &cancel);
    ZIGZAG_TRY(recorded, recordTrace(loaded.device, config, machine, plan, &cancel));
    ZIGZAG_CHECK(options.form == "chrome" ? writeChromeTrace(recorded, options.out) : writeTrace(recorded, options.out));
    const std::vector<OpRow> rows = opTable(recorded, groupNamed(options.by));
    if (options.format == "json")
        fmt::print("{}\n",
                   nlohmann::ordered_json{{"out", options.out},
                                          {"spans", recorded.spans.size()},
                                          {"kernels", recorded.kernels.size()},
                                          {"dropped", recorded.dropped},
                                          {"machine", machineJson(machine)},
                                          {"rows", opTableJson(rows)}}
                       .dump(1));
    else
        fmt::print("{}{} spans, {} kernels, {} dropped; written to {}\n", opTableText(rows), recorded.spans.size(),
                   recorded.kernels.size(), recorded.dropped, options.out);
    if (!recorded.info.note.empty())
        fmt::print(stderr, "note: {}\n", recorded.info.note);
    return {};
}

} // namespace

void addTrace(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<TraceOptions>();
    CLI::App *command = app.add_subcommand("trace", "record what every op of every layer does when; opens in Perfetto");
    command->add_option("MODEL", options->model, "Hugging Face folder, bundled:NAME or preset:NAME")->required();
    command->add_option("--map", options->map, "head-map file, full or streaming")->required();
    command->add_option("--context", options->plan.context, "tokens of the prefill, or in the cache after decode")
        ->required()
        ->check(CLI::PositiveNumber);
    command->add_option("--out", options->out, "the file to write")->required();
    command->add_option("--format", options->form, "chrome: opens in Perfetto; zigzag: compact")
        ->check(CLI::IsMember({"chrome", "zigzag"}))
        ->capture_default_str();
    command->add_option("--phase", options->phase, "prefill or decode")
        ->check(CLI::IsMember({"prefill", "decode"}))
        ->capture_default_str();
    command->add_option("--steps", options->plan.steps, "decode steps")->check(CLI::Range(1, 1 << 20))->capture_default_str();
    command->add_option("--batch", options->plan.batch, "sequences at once")->check(CLI::Range(1, 64))->capture_default_str();
    command->add_option("--mixed", options->mixed, "how mixed layers run: fused, two-launch or reference")->capture_default_str();
    command->add_option("--by", options->by, "rows of the table: op, layer, type, op-layer or op-type")
        ->check(CLI::IsMember(groupNames()))
        ->capture_default_str();
    command->add_option("--seed", options->plan.seed, "of the random tokens, keys and values")->capture_default_str();
    addWindowOptions(*command, options->sink, options->recent);
    addBackendOption(*command, options->backend);
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return trace(*options); }; });
}

} // namespace zigzag
