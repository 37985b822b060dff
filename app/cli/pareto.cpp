// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/map_tables.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_output.h"
#include "app/cli/run_support.h"
#include "app/cli/search_options.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/kv_layout.h"
#include "engine/map/map_io.h"
#include "profiler/jobs/calibration_job.h"
#include "profiler/jobs/sweep_job.h"

#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <optional>

namespace zigzag {
namespace {

struct ParetoOptions {
    std::string model, scores, criterion = "zigzag", maps, resume, backend = "auto", format = "table";
    bool restart = false;
    std::vector<std::string> tasks = {"passkey", "passkeys"};
    std::vector<int> sinks = {defaultSink}, recents = {defaultRecent};
    bool around = false;
    std::int64_t at = 0;
    TaskPlan plan;
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
};

struct Row {
    SweepPoint point;
    jobs::PricedPoint price;
    std::string file; ///< written map, where asked
};

std::vector<StreamingWindow> windowsOf(const ParetoOptions &options)
{
    if (options.around)
        return windowsAround({options.sinks.front(), options.recents.front()});
    std::vector<StreamingWindow> windows;
    for (const int sink : options.sinks)
        for (const int recent : options.recents)
            windows.push_back({sink, recent});
    return windows;
}

/// `prompts`: of the whole sweep; the rows are of fewer where it was stopped (MapQuality::prompts). `note`: what is to be known
/// of the predicted times.
Result<std::vector<Row>> sweep(const ParetoOptions &options, const Loaded &loaded, int &prompts, std::string &note)
{
    ZIGZAG_TRY(scores, readHeadScores(options.scores, loaded.model->shape()));
    noteScores(scores, options.scores);
    ZIGZAG_TRY(maps, sweepMaps(scores, options.criterion, windowsOf(options)));
    JobLines lines("pareto");
    const JobContext context = loaded.job(lines);
    CostModel cost;
    jobs::SweepJob job{.maps = std::move(maps),
                       .tasks = options.plan,
                       .progressFile = options.resume,
                       .begin = options.restart ? Begin::Anew : Begin::GoOn};
    job.opened = [&]() -> Result<void> { // times first: a sweep that is stopped then still has them
        ZIGZAG_TRY(fitted, jobs::calibrate(context, shortCalibration(options.at)));
        cost = std::move(fitted);
        lines.end();
        note = whyUnreliable(cost);
        if (!note.empty())
            fmt::print(stderr, "note: {}\n", note);
        return {};
    };
    job.begun = [&](int all, int done, double seconds) {
        lines.end();
        if (done > 0)
            fmt::print(stderr, "pareto: going on behind prompt {} of {} (--restart begins anew)\n", done, all);
        fmt::print(stderr, "pareto: {} maps on {} prompts, about {:.0f} s\n", job.maps.size(), all, seconds);
    };
    ZIGZAG_TRY(swept, jobs::sweep(context, job));
    prompts = swept.prompts;
    const std::vector<jobs::PricedPoint> prices = jobs::priced(swept.points, cost, options.at);
    std::vector<Row> rows;
    for (std::size_t i = 0; i < prices.size(); ++i)
        rows.push_back({std::move(swept.points[i]), prices[i], {}});
    return rows;
}

/// A sweep assigns every map with one.
StreamingWindow windowOf(const HeadMap &map)
{
    return map.oneWindow().value();
}

/// Each map of the Pareto set as a file.
Result<void> writeMaps(std::vector<Row> &rows, const std::string &folder)
{
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
        return badInput(fmt::format("{}: the folder cannot be made ({}): choose another", folder, error.message()));
    for (Row &row : rows) {
        if (!row.price.inSet)
            continue;
        const HeadMap &map = row.point.map;
        const StreamingWindow window = windowOf(map);
        row.file = (std::filesystem::path(folder)
                    / fmt::format("heads-{}-sink-{}-recent-{}.json", map.streamingHeads(), window.sink, window.recent))
                       .string();
        ZIGZAG_CHECK(writeHeadMap(map, row.file));
    }
    return {};
}

nlohmann::ordered_json rowJson(const Row &row)
{
    const HeadMap &map = row.point.map;
    const MapQuality &quality = row.point.quality;
    return {{"streaming_heads", map.streamingHeads()},
            {"sparsity", map.sparsity()},
            {"sink", windowOf(map).sink},
            {"recent", windowOf(map).recent},
            {"loss", quality.loss.mean},
            {"loss_low", boundJson(quality.loss, quality.loss.low)},
            {"loss_high", boundJson(quality.loss, quality.loss.high)},
            {"kl", quality.kl.mean},
            {"accuracy", quality.right.mean},
            {"predicted_ms", row.price.ms},
            {"kv_bytes", row.price.kvBytes},
            {"pareto", row.price.inSet},
            {"map", row.file}};
}

Result<void> stoppedOr(int done, int prompts)
{
    if (done < prompts)
        return cancelled(fmt::format("stopped after {} of {} prompts: what is printed is of those", done, prompts));
    return {};
}

Result<void> pareto(ParetoOptions options)
{
    if (options.around && (options.sinks.size() > 1 || options.recents.size() > 1))
        return badInput("--around is of one window: give one --sink and one --recent");
    ZIGZAG_TRY(kinds, parseTasks(options.tasks));
    options.plan.kinds = std::move(kinds);
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend, options.kvType));
    if (options.plan.contexts.empty())
        options.plan.contexts = {std::max<std::int64_t>(16, loaded.model->config.maxContext / 2)};
    options.at = options.plan.contexts.back();
    int prompts = 0;
    std::string note;
    ZIGZAG_TRY(rows, sweep(options, loaded, prompts, note));
    const int done = rows.front().point.quality.prompts;
    if (!options.maps.empty())
        ZIGZAG_CHECK(writeMaps(rows, options.maps));
    if (options.format == "json") {
        nlohmann::ordered_json json
            = {{"context", options.at}, {"criterion", options.criterion}, {"note", note}, {"points", nlohmann::json::array()}};
        for (const Row &row : rows)
            json["points"].push_back(rowJson(row));
        json["prompts"] = done;
        json["all_prompts"] = prompts;
        fmt::print("{}\n", json.dump(1, ' ', false, anyBytes));
        return stoppedOr(done, prompts);
    }
    fmt::print("{:>9}  {:>5}  {:>6}  {:>10}  {:>10}  {:>8}  {:>14}  {:>12}  {}\n", "streaming", "sink", "recent", "loss",
               "± error", "right", "predicted TPOT", "KV bytes", "Pareto");
    for (const Row &row : rows)
        fmt::print("{:>7.0f} %  {:>5}  {:>6}  {:>10.6f}  {:>10.6f}  {:>6.1f} %  {:>11.3f} ms  {:>12}  {}\n",
                   100.0 * row.point.map.sparsity(), windowOf(row.point.map).sink, windowOf(row.point.map).recent,
                   row.point.quality.loss.mean, row.point.quality.loss.error, 100.0 * row.point.quality.right.mean, row.price.ms,
                   row.price.kvBytes, row.price.inSet ? "yes" : "");
    fmt::print("± standard error of {} prompts\n", done);
    return stoppedOr(done, prompts);
}

} // namespace

void addPareto(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<ParetoOptions>();
    CLI::App *command = app.add_subcommand("pareto", "quality against predicted time per token, over layer counts and windows");
    command->add_option("MODEL", options->model, "Hugging Face folder, GGUF file, bundled:NAME or preset:NAME")->required();
    command->add_option("--scores", options->scores, "score file that the maps are made from")->required();
    command->add_option("--criterion", options->criterion, "how")->capture_default_str();
    command->add_option("--sink", options->sinks, "first tokens that a streaming head keeps, one or more")
        ->delimiter(',')
        ->check(integerFrom(0))
        ->capture_default_str();
    command->add_option("--recent", options->recents, "last tokens that a streaming head keeps, one or more")
        ->delimiter(',')
        ->check(integerFrom(1))
        ->capture_default_str();
    command->add_flag(
        "--around", options->around,
        "the windows around --sink and --recent, as the window sweeps them: half, once and twice the recent tokens, "
        "and half the sinks");
    command->add_option("--maps", options->maps, "folder for the maps of the Pareto set");
    command->add_option("--resume", options->resume,
                        "file in which a sweep that is stopped waits, and from which the same one goes on");
    command->add_flag("--restart", options->restart, "begin anew, whatever waits in --resume");
    addTaskOptions(*command, options->tasks, options->plan.needles);
    addQuestionOptions(*command, options->plan);
    addBackendOption(*command, options->backend);
    addKvTypeOption(*command, options->kvType);
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return pareto(*options); }; });
}

} // namespace zigzag
