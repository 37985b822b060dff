// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_output.h"
#include "app/cli/run_support.h"
#include "engine/run/device_model.h"
#include "engine/run/rank_group.h"
#include "profiler/compare/predicted_trace.h"
#include "profiler/cost/profile_file.h"
#include "profiler/cost/tensor_parallel.h"
#include "profiler/jobs/calibration_job.h"
#include "profiler/jobs/predict_job.h"
#include "profiler/measure/bench_file.h"
#include "profiler/measure/link_meter.h"
#include "profiler/timing/first_layers.h"
#include "profiler/timing/pace_meter.h"
#include "profiler/trace/trace_file.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <optional>

namespace zigzag {
namespace {

struct PredictOptions {
    std::string model, profile, trace, backend = "auto", format = "table";
    std::vector<std::string> maps, phases = {"prefill", "decode"};
    std::vector<std::int64_t> contexts;
    std::vector<int> batches = {1};
    int gpus = 1, sink = defaultSink, recent = defaultRecent, repeats = 5;
    double seconds = 20, patience = 60, linkGigabytes = 0, linkMicroseconds = -1;
    bool measure = false;
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
};

using Point = jobs::Prediction;

Result<CostModel> costModel(const PredictOptions &options, const ModelConfig &config, std::optional<Loaded> &loaded)
{
    if (!options.profile.empty()) {
        ZIGZAG_TRY(calibration, readProfile(options.profile));
        return CostModel(calibration, config);
    }
    JobLines lines("predict");
    const std::int64_t longest = *std::max_element(options.contexts.begin(), options.contexts.end());
    return jobs::calibrate(loaded->job(lines), longCalibration(longest, options.seconds));
}

/// A cost model is of a machine, which the points are then measured on.
Result<void> measureAll(std::vector<Point> &points, const CostModel &cost, const PredictOptions &options,
                        const jobs::PredictPlan &plan, const Loaded &loaded)
{
    JobLines lines("measure");
    loaded.machine->take(cost.machine());
    return jobs::measure(loaded.job(lines), points, cost, plan, options.repeats, options.patience);
}

std::string table(const std::vector<Point> &points, bool withMeasured)
{
    std::size_t width = 3;
    for (const Point &point : points)
        width = std::max(width, point.predicted.map.size());
    std::string text = fmt::format("{:<{}}  {:<7}  {:>8}  {:>5}  {:>12}  {:>10}  {:>14}  {:>7}", "map", width, "phase", "context",
                                   "batch", "predicted ms", "tokens/s", "KV bytes", "floor");
    text += withMeasured ? fmt::format("  {:>11}  {:>8}  {:>8}\n", "measured ms", "± IQR", "error") : "\n";
    for (const Point &point : points) {
        const BenchRecord &record = point.predicted;
        text += fmt::format("{:<{}}  {:<7}  {:>8}  {:>5}  {:>12}  {:>10.1f}  {:>14}  {:>7}", record.map, width,
                            nameOf(record.phase), record.context, record.batch, fmt::format("~{:.3f}", record.medianMs),
                            tokensPerSecond(record), record.kvBytes, floorText(record));
        if (withMeasured && point.measured)
            text += fmt::format("  {:>11.3f}  {:>8.3f}  {:>+6.1f} %{}", point.measured->medianMs, point.measured->spreadMs,
                                100 * point.held().error(), point.measured->isDisturbed() ? "  disturbed" : "");
        text += '\n';
    }
    if (std::any_of(points.begin(), points.end(), [](const Point &point) { return point.predicted.ceilingMoved(); }))
        text += "Points without a floor are predicted faster than the profile's ceilings allow: the machine changed while it was "
                "calibrated.\n";
    return text;
}

/// Median and worst error of each phase, a line each.
std::string errorLines(const std::vector<Point> &points)
{
    std::string text;
    bool kvExact = true;
    for (const Phase phase : {Phase::Prefill, Phase::Decode}) {
        const std::string_view what = phase == Phase::Prefill ? "TTFT" : "TPOT";
        std::vector<PredictedPoint> held;
        for (const Point &point : points)
            if (point.measured && point.predicted.phase == phase) {
                kvExact = kvExact && point.predicted.kvBytes == point.measured->kvBytesAllocated;
                held.push_back(point.held());
            }
        const PredictionError error = predictionError(held);
        if (error.count > 0)
            text += fmt::format("{}: error of {} predictions, median {:.1f} %, worst {:.1f} %\n", what, error.count,
                                100 * error.median, 100 * error.worst);
        if (error.disturbed > 0)
            text += fmt::format("{}: {} points are not counted: other programs slowed the machine during most of their samples, "
                                "or nobody looked, as --patience was used up\n",
                                what, error.disturbed);
    }
    return text + (kvExact ? "KV bytes exact\n" : "KV bytes differ from those allocated\n");
}

/// Where the machine was seen faster than calibration knew it, which explains errors above.
std::string paceLine(const CostModel &cost, const Loaded &loaded)
{
    const double before = jobs::paceOf(cost, *loaded.backend),
                 now = fullPaceMs(firstLayers(loaded.device, cost.machine())->config());
    if (now <= 0 || !isFasterPace(now, before))
        return {};
    return fmt::format("the machine was {:.0f} % slower when it was calibrated than while this was measured: calibrate anew\n",
                       100 * (before / now - 1));
}

/// Where so many ranks are at hand. Elsewhere the link stays assumed, which the prediction says.
void measureLinkHere(const PredictOptions &options, Link &link)
{
    if (options.linkGigabytes > 0 || options.linkMicroseconds >= 0)
        return;
    if (auto group = createRankGroup(options.backend, options.gpus))
        if (auto samples = measureLink(**group, &interruptFlag()))
            link.measured = {std::move(*samples)};
}

Result<void> predict(PredictOptions options)
{
    ZIGZAG_TRY(config, loadShape(options.model, options.kvType));
    ZIGZAG_CHECK(checkDealing(config, options.gpus));
    if (options.contexts.empty())
        options.contexts = defaultContexts(config);
    noteContexts(config, options.contexts);
    std::optional<Loaded> loaded;
    if (options.profile.empty() || options.measure) {
        ZIGZAG_TRY(ready, loadForRun(options.model, options.backend, options.kvType));
        loaded = std::move(ready);
    }
    ZIGZAG_TRY(maps, resolveMaps(options.maps, loaded ? loaded->model->shape() : config.shape(), options.sink, options.recent));
    ZIGZAG_TRY(cost, costModel(options, config, loaded));
    if (!cost.isFitted())
        return badInput(fmt::format("{}: has no samples to predict from; calibrate anew", options.profile));
    if (options.gpus > 1 && options.profile.empty())
        measureLinkHere(options, cost.link);
    cost.link.isGiven = options.linkGigabytes > 0 || options.linkMicroseconds >= 0;
    if (options.linkGigabytes > 0)
        cost.link.bytesPerSecond = 1e9 * options.linkGigabytes;
    if (options.linkMicroseconds >= 0)
        cost.link.latencyUs = options.linkMicroseconds;
    if (const std::string why = whyUnreliable(cost); !why.empty())
        fmt::print(stderr, "note: {}{}\n", options.profile.empty() ? std::string() : options.profile + ": ", why);
    const jobs::PredictPlan plan{maps, options.contexts, phasesNamed(options.phases), options.batches, options.gpus};
    std::vector<Point> points = jobs::predict(cost, plan);
    if (options.measure && options.gpus > 1) {
        loaded.reset(); // the same weights once more
        ZIGZAG_TRY(dealt,
                   loadForRun(options.model, options.backend, options.kvType, {options.gpus, DealBy::Order},
                              {options.maps, options.sink, options.recent}));
        loaded = std::move(dealt);
        if (loaded->backend->capabilities().onProcessor)
            fmt::print(stderr,
                       "note: ranks of the cpu backend are shares of one processor, and what is predicted has a whole one "
                       "each: errors say nothing of GPUs\n");
    }
    if (options.measure)
        ZIGZAG_CHECK(measureAll(points, cost, options, plan, *loaded));
    if (!options.trace.empty()) {
        const BenchRecord &first = points.front().predicted;
        ZIGZAG_CHECK(writeTrace(predictedTrace(cost, maps.front(), {first.phase, first.context, first.batch}), options.trace));
    }
    if (options.format == "json") {
        BenchFile file{options.model, cost.machine(), {}, true};
        for (const Point &point : points)
            file.records.push_back(point.predicted);
        nlohmann::ordered_json json = predictionJson(file);
        json["gpus"] = options.gpus;
        if (options.gpus > 1)
            json["link"] = cost.link.source(options.gpus);
        json["model_was_measured"] = cost.isOwn();
        json["fit_error"] = cost.medianFitError();
        json["reliable"] = cost.isReliable();
        for (std::size_t i = 0; i < points.size(); ++i) {
            if (options.gpus > 1) {
                json["records"][i]["kv_bytes_of_rank"] = points[i].estimate.kvBytesOfRank;
                json["records"][i]["all_reduce_ms"] = points[i].estimate.allReduceMs;
            }
            if (points[i].measured) {
                json["records"][i]["median_ms"] = points[i].measured->medianMs;
                json["records"][i]["spread_ms"] = points[i].measured->spreadMs;
                json["records"][i]["error"] = points[i].held().error();
                json["records"][i]["disturbed"] = points[i].measured->disturbed;
                json["records"][i]["samples"] = points[i].measured->samplesMs.size();
            }
        }
        fmt::print("{}\n", json.dump(1, ' ', false, anyBytes));
        return {};
    }
    fmt::print("{}", table(points, options.measure));
    fmt::print("~ predicted for {}{}; {}{}\n", cost.machine().device,
               options.gpus > 1 ? fmt::format(", {} GPUs, {}", options.gpus, cost.link.told(options.gpus)) : std::string(),
               cost.isOwn() ? "this model was calibrated"
                            : "this model was not measured: from the other models' bytes and operations",
               cost.isReliable() ? "" : "; other programs disturbed the calibration: see the note");
    if (options.measure)
        fmt::print("{}{}", errorLines(points), paceLine(cost, *loaded));
    return {};
}

} // namespace

void addPredict(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<PredictOptions>();
    CLI::App *command = app.add_subcommand("predict",
                                           "predict prefill, decode and KV memory; without a profile this machine is "
                                           "calibrated first");
    command->add_option("MODEL", options->model, "Hugging Face folder, GGUF file, bundled:NAME or preset:NAME")->required();
    command->add_option("--map", options->maps, "head-map file, full or streaming; repeat it to compare")->required();
    addContextsOption(*command, options->contexts);
    addPhasesOption(*command, options->phases);
    command->add_option("--batch", options->batches, "sequences at once, separated by commas")
        ->delimiter(',')
        ->check(integerIn(1, 1024))
        ->capture_default_str();
    command->add_option("--gpus", options->gpus, "GPUs of one host, tensor parallel")
        ->check(integerIn(1, 8))
        ->capture_default_str();
    command->add_option("--link-gbps", options->linkGigabytes, "gigabytes a second of an all-reduce between GPUs")
        ->check(numberAbove(0));
    command->add_option("--link-us", options->linkMicroseconds, "microseconds that an all-reduce takes at least")
        ->check(numberFrom(0));
    command->add_option("--profile", options->profile, "machine profile of `zigzag calibrate`");
    command->add_option("--seconds", options->seconds, "spent on calibrating, where there is no profile")
        ->check(numberIn(0.1, 3600.0))
        ->capture_default_str();
    command->add_option("--trace", options->trace, "write the first point op by op, to be compared with a recorded trace");
    command->add_flag("--measure", options->measure, "measure the same points afterwards and show the errors");
    addPatienceOption(*command, options->patience);
    command->add_option("--repeats", options->repeats, "of each measured point")
        ->check(integerIn(1, 10000))
        ->capture_default_str();
    addWindowOptions(*command, options->sink, options->recent);
    addBackendOption(*command, options->backend);
    addKvTypeOption(*command, options->kvType);
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return predict(*options); }; });
}

} // namespace zigzag
