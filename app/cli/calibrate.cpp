// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_support.h"
#include "profiler/cost/profile_file.h"
#include "profiler/jobs/calibration_job.h"
#include "profiler/machine/machine_profile.h"
#include "profiler/measure/link_meter.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <optional>

namespace zigzag {
namespace {

struct CalibrateOptions {
    std::vector<std::string> models;
    std::string out, backend = "auto";
    std::int64_t context = 0;
    double seconds = 20;
    int gpus = 1;
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
};

Result<void> calibrateModels(const CalibrateOptions &options)
{
    interruptFlag();
    Calibration calibration;
    calibration.measured = today();
    std::string report;
    for (const std::string &name : options.models) {
        ZIGZAG_TRY(loaded, loadForRun(name, options.backend, options.kvType));
        const ModelConfig &config = loaded.model->config;
        noteContexts(config, {options.context});
        // The rate of the matrix library depends on the shapes: the best of all models is the machine's.
        JobLines lines("calibrate");
        const JobContext context = loaded.job(lines);
        const MachineProfile &machine = context.machine();
        if (calibration.models.empty())
            calibration.machine = machine;
        else
            raiseCeilings(calibration.machine, machine);
        constexpr std::int64_t usualContext = 4096; // long enough for attention to be seen, short enough for every machine
        const std::int64_t longest = options.context > 0 ? options.context : std::min(config.maxContext, usualContext);
        ZIGZAG_TRY(samples, jobs::sampleModel(context, longCalibration(longest, options.seconds), name));
        calibration.models.push_back(std::move(samples));
    }
    if (options.gpus > 1) {
        Progress progress("links");
        constexpr int whole = 100;
        const auto told = [&](double fraction) { progress(static_cast<int>(whole * fraction), whole); };
        ZIGZAG_TRY(links, measureLinks(options.backend, options.gpus, &interruptFlag(), told));
        calibration.links = std::move(links);
    }
    ZIGZAG_CHECK(writeProfile(calibration, options.out));
    for (const ModelSamples &samples : calibration.models) {
        const CostModel cost(calibration, samples.config);
        fmt::print("{}: {} samples of ops, {} of passes; the fit is {:.1f} % from its own passes (median){}\n",
                   samples.config.name, samples.ops.size(), samples.passes.size(), 100 * cost.medianFitError(),
                   samples.disturbed == 0 ? std::string()
                                          : fmt::format("; other programs slowed {} of {} samples that it is made of",
                                                        samples.disturbed, samples.samples));
        if (const std::string why = whyUnreliable(cost); !why.empty())
            fmt::print(stderr, "note: {}: {}\n", samples.config.name, why);
    }
    Link link;
    link.measured = calibration.links;
    for (const LinkSamples &each : calibration.links)
        fmt::print("{}\n", link.told(each.gpus));
    fmt::print("written to {}\n", options.out);
    return {};
}

} // namespace

void addCalibrate(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<CalibrateOptions>();
    CLI::App *command = app.add_subcommand("calibrate", "measure this machine shortly, so that predict knows it");
    command
        ->add_option("MODEL", options->models,
                     "Hugging Face folders, GGUF files, bundled:NAME or preset:NAME; with several, models that were never run "
                     "are predicted "
                     "better")
        ->required();
    command->add_option("--out", options->out, "the machine profile to write")->required();
    command->add_option("--context", options->context, "longest context that is measured (default: the model's, at most 4096)")
        ->check(longIntegerFrom(1));
    command->add_option("--seconds", options->seconds, "spent on each model, about; one round is always run to its end")
        ->check(numberIn(0.1, 3600.0))
        ->capture_default_str();
    command
        ->add_option("--gpus", options->gpus,
                     "measure as well what all-reduces between 2, 4 … up to so many GPUs of this machine take; with --backend "
                     "cpu: shares of the processor")
        ->check(integerIn(1, mostRanks))
        ->capture_default_str();
    addBackendOption(*command, options->backend);
    addKvTypeOption(*command, options->kvType);
    command->callback([options, &chosen] { chosen.run = [options] { return calibrateModels(*options); }; });
}

} // namespace zigzag
