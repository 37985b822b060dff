// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/run_output.h"
#include "app/cli/run_support.h"
#include "engine/map/map_io.h"
#include "profiler/quality/needle.h"

#include <fmt/format.h>
#include <functional>
#include <memory>

namespace zigzag {
namespace {

struct EvalOptions {
    std::string model, map, task, backend = "auto", format = "table";
    int sink = defaultSink, recent = defaultRecent;
    NeedlePlan plan;
};

Result<void> evaluate(EvalOptions options)
{
    NeedlePlan &plan = options.plan;
    const std::atomic<bool> &cancel = interruptFlag();
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend));
    if (plan.contexts.empty())
        plan.contexts = defaultContexts(loaded.model->config);
    ZIGZAG_TRY(map, resolveHeadMap(options.map, loaded.model->shape(), options.sink, options.recent));
    NeedleResult result;
    {
        Progress progress("needle");
        ZIGZAG_TRY(answered, evaluateNeedle(loaded.device, *loaded.model, map, plan, &cancel, std::ref(progress)));
        result = std::move(answered);
    }
    if (options.format == "json")
        fmt::print("{}\n", needleJson(result).dump(1));
    else
        fmt::print("{}{:.1f} % found; measured by greedy answers to {} questions a cell, right when every digit is; seed {}\n",
                   needleTable(result), 100.0 * result.accuracy, plan.trials, plan.seed);
    return {};
}

} // namespace

void addEval(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<EvalOptions>();
    options->plan.depths = {0, 0.25, 0.5, 0.75, 1};
    CLI::App *command = app.add_subcommand("eval", "ask what a map costs in quality");
    command->add_option("MODEL", options->model, "Hugging Face folder with tokenizer.json, or bundled:NAME")->required();
    command->add_option("--map", options->map, "head-map file, full or streaming")->required();
    command->add_option("--task", options->task, "needle: find a passkey by depth and length")
        ->required()
        ->check(CLI::IsMember({"needle"}));
    addQuestionOptions(*command, options->plan);
    addWindowOptions(*command, options->sink, options->recent);
    addBackendOption(*command, options->backend);
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return evaluate(*options); }; });
}

} // namespace zigzag
