// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/map_tables.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_output.h"
#include "app/cli/run_support.h"
#include "app/cli/search_options.h"
#include "app/cli/text_input.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/kv_layout.h"
#include "engine/map/map_io.h"
#include "profiler/evaluate/answered_questions.h"
#include "profiler/evaluate/task_frame.h"
#include "profiler/jobs/calibration_job.h"
#include "profiler/jobs/quality_axis.h"
#include "profiler/jobs/sweep_job.h"
#include "profiler/questions/ruler.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

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
    std::string quality, as = "auto", record; ///< quality: empty: what else is given says it
    std::vector<std::string> prompts, ruler, texts;
    jobs::QualityAxis axis = jobs::QualityAxis::Loss;
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
};

struct Row {
    HeadMap map;
    MapQuality tasks; ///< of axes that a sweep over tasks measures
    Interval quality; ///< on the axis
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

/// The axis that is asked for: by its name, or by what is given for it.
Result<jobs::QualityAxis> axisOf(const ParetoOptions &options)
{
    using jobs::QualityAxis;
    const std::array given
        = {std::pair{QualityAxis::Questions, !options.prompts.empty()}, std::pair{QualityAxis::Ruler, !options.ruler.empty()},
           std::pair{QualityAxis::Perplexity, !options.texts.empty()}};
    std::optional<QualityAxis> axis = jobs::parseQualityAxis(options.quality);
    for (const auto &[of, isGiven] : given) {
        if (isGiven && axis && *axis != of)
            return badInput(fmt::format("quality is {} or {}, and one axis shows one of them: leave the other's options out",
                                        jobs::nameOf(*axis), jobs::nameOf(of)));
        if (isGiven)
            axis = of;
    }
    if (axis == QualityAxis::Questions && options.prompts.empty())
        return badInput("--quality questions needs them: give --prompts FILE");
    if (axis == QualityAxis::Perplexity && options.texts.empty())
        return badInput("--quality perplexity needs a text: give --text FILE");
    if (!options.record.empty() && axis != QualityAxis::Questions && axis != QualityAxis::Ruler)
        return badInput("--record keeps answers to questions: leave it out, or give --prompts or --ruler");
    return axis.value_or(QualityAxis::Loss);
}

/// What every map is asked.
Result<jobs::AxisQuestions> questionsOf(const ParetoOptions &options, const Loaded &loaded)
{
    jobs::AxisQuestions asked;
    ZIGZAG_TRY(as, parseAskAs(options.as));
    asked.plan.as = as;
    if (options.axis == jobs::QualityAxis::Ruler) {
        RulerPlan plan;
        if (options.ruler != std::vector<std::string>{"all"})
            plan.tasks = options.ruler;
        plan.contexts = options.plan.contexts;
        plan.trials = options.plan.trials;
        plan.seed = asked.seed = options.plan.seed;
        asked.asked = "ruler";
        ZIGZAG_TRY(made, rulerQuestions(*loaded.model, plan, as));
        asked.questions = std::move(made);
        return asked;
    }
    const std::vector<std::filesystem::path> files(options.prompts.begin(), options.prompts.end());
    std::vector<std::string> notes;
    ZIGZAG_TRY(read, readAllQuestions(files, notes));
    for (const std::string &note : notes)
        fmt::print(stderr, "note: {}\n", note);
    for (const std::string &name : options.prompts)
        asked.asked += (asked.asked.empty() ? "" : ", ") + name;
    asked.questions = std::move(read);
    if (asked.questions.empty())
        return badInput(fmt::format("{}: no question that can be asked here", asked.asked));
    return asked;
}

/// What maps are judged by, each by itself: questions, with the answers that --record has, or a text.
struct Judging {
    jobs::AxisQuestions asked;
    AnswersRecord record;
    std::vector<int> text;
};

/// What is wrong with it is said before anything runs.
Result<Judging> judgingOf(const ParetoOptions &options, const Loaded &loaded, const JobContext &context)
{
    Judging judging;
    if (options.axis == jobs::QualityAxis::Perplexity) {
        ZIGZAG_TRY(tokenizer, tokenizerOf(*loaded.model));
        ZIGZAG_TRY(text, readTextInputs(options.texts));
        judging.text = tokenizer->encode(text, true);
        return judging;
    }
    ZIGZAG_TRY(asked, questionsOf(options, loaded));
    ZIGZAG_TRY(record, jobs::recordFor(context, options.model, asked, options.record));
    if (!record.maps.empty())
        fmt::print(stderr, "pareto: {} has answers of {} maps, which are not asked again\n", options.record, record.maps.size());
    judging.asked = std::move(asked);
    judging.record = std::move(record);
    return judging;
}

Result<std::vector<Interval>> judgeEach(const ParetoOptions &options, Judging &judging, const JobContext &context,
                                        const std::vector<HeadMap> &maps)
{
    if (options.axis == jobs::QualityAxis::Perplexity)
        return jobs::perplexityQuality(context, maps, judging.text, options.at);
    return jobs::askedQuality(context, maps, judging.asked, judging.record, nullptr,
                              [&](const AnswersRecord &now) -> Result<void> {
                                  return options.record.empty() ? Result<void>() : writeAnswersFile(options.record, now);
                              });
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
    const auto calibrate = [&]() -> Result<void> { // times first: a sweep that is stopped then still has them
        ZIGZAG_TRY(fitted, jobs::calibrate(context, shortCalibration(options.at)));
        cost = std::move(fitted);
        lines.end();
        note = whyUnreliable(cost);
        if (!note.empty())
            fmt::print(stderr, "note: {}\n", note);
        return {};
    };
    std::vector<Row> rows;
    if (jobs::isOfTasks(options.axis)) {
        jobs::SweepJob job{.maps = std::move(maps),
                           .tasks = options.plan,
                           .progressFile = options.resume,
                           .begin = options.restart ? Begin::Anew : Begin::GoOn};
        job.opened = calibrate;
        job.begun = [&](int all, int done, double seconds) {
            lines.end();
            if (done > 0)
                fmt::print(stderr, "pareto: going on behind prompt {} of {} (--restart begins anew)\n", done, all);
            fmt::print(stderr, "pareto: {} maps on {} prompts, about {:.0f} s\n", job.maps.size(), all, seconds);
        };
        ZIGZAG_TRY(swept, jobs::sweep(context, job));
        prompts = swept.prompts;
        for (SweepPoint &point : swept.points)
            rows.push_back({point.map, point.quality, jobs::qualityOf(point.quality, options.axis), {}, {}});
    } else {
        ZIGZAG_TRY(judging, judgingOf(options, loaded, context));
        ZIGZAG_CHECK(calibrate());
        ZIGZAG_TRY(qualities, judgeEach(options, judging, context, maps));
        lines.end();
        for (std::size_t i = 0; i < maps.size(); ++i)
            rows.push_back({maps[i], {}, qualities[i], {}, {}});
        prompts = rows.front().quality.count;
    }
    std::vector<HeadMap> swept;
    std::vector<double> losses;
    for (const Row &row : rows) {
        swept.push_back(row.map);
        losses.push_back(jobs::costOf(row.quality, options.axis));
    }
    const std::vector<jobs::PricedPoint> prices = jobs::priced(swept, losses, cost, options.at);
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i].price = prices[i];
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
        const HeadMap &map = row.map;
        const StreamingWindow window = windowOf(map);
        row.file = (std::filesystem::path(folder)
                    / fmt::format("heads-{}-sink-{}-recent-{}.json", map.streamingHeads(), window.sink, window.recent))
                       .string();
        ZIGZAG_CHECK(writeHeadMap(map, row.file));
    }
    return {};
}

nlohmann::ordered_json rowJson(const Row &row, jobs::QualityAxis axis)
{
    const HeadMap &map = row.map;
    nlohmann::ordered_json json = {{"streaming_heads", map.streamingHeads()},
                                   {"sparsity", map.sparsity()},
                                   {"sink", windowOf(map).sink},
                                   {"recent", windowOf(map).recent}};
    if (jobs::isOfTasks(axis)) {
        const MapQuality &quality = row.tasks;
        json.update({{"loss", quality.loss.mean},
                     {"loss_low", boundJson(quality.loss, quality.loss.low)},
                     {"loss_high", boundJson(quality.loss, quality.loss.high)},
                     {"kl", quality.kl.mean},
                     {"accuracy", quality.right.mean}});
    }
    json.update({{"quality", row.quality.mean},
                 {"quality_low", boundJson(row.quality, row.quality.low)},
                 {"quality_high", boundJson(row.quality, row.quality.high)},
                 {"predicted_ms", row.price.ms},
                 {"kv_bytes", row.price.kvBytes},
                 {"pareto", row.price.inSet},
                 {"map", row.file}});
    return json;
}

/// The rows by the axis that is asked for, with the interval of each.
std::string axisTable(const std::vector<Row> &rows, jobs::QualityAxis axis)
{
    const bool share = jobs::isShare(axis);
    const auto number = [&](double value) { return share ? fmt::format("{:.1f} %", 100 * value) : fmt::format("{:.6g}", value); };
    std::string text = fmt::format("{:>9}  {:>5}  {:>6}  {:>10}  {:>22}  {:>14}  {:>12}  {}\n", "streaming", "sink", "recent",
                                   jobs::nameOf(axis), "95 % interval", "predicted TPOT", "KV bytes", "Pareto");
    for (const Row &row : rows)
        text += fmt::format("{:>7.0f} %  {:>5}  {:>6}  {:>10}  {:>22}  {:>11.3f} ms  {:>12}  {}\n", 100.0 * row.map.sparsity(),
                            windowOf(row.map).sink, windowOf(row.map).recent, number(row.quality.mean),
                            row.quality.count < 2 ? std::string("–")
                                                  : fmt::format("{} to {}", number(row.quality.low), number(row.quality.high)),
                            row.price.ms, row.price.kvBytes, row.price.inSet ? "yes" : "");
    return text
        + (axis == jobs::QualityAxis::Perplexity
               ? fmt::format("perplexity of a text; intervals from {} blocks\n", rows.front().quality.count)
               : fmt::format("intervals of {} {}\n", rows.front().quality.count,
                             jobs::isOfTasks(axis) ? "prompts" : "questions"));
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
    ZIGZAG_TRY(axis, axisOf(options));
    options.axis = axis;
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend, options.kvType));
    if (jobs::isOfTasks(axis)) {
        ZIGZAG_TRY(as, parseAskAs(options.as));
        ZIGZAG_TRY(askedBy, askedAs(*loaded.model, as));
        options.plan.as = askedBy;
    }
    if (options.plan.contexts.empty())
        options.plan.contexts = {std::max<std::int64_t>(16, loaded.model->config.maxContext / 2)};
    options.at = options.plan.contexts.back();
    int prompts = 0;
    std::string note;
    ZIGZAG_TRY(rows, sweep(options, loaded, prompts, note));
    const int done = jobs::isOfTasks(axis) ? rows.front().tasks.prompts : prompts;
    if (!options.maps.empty())
        ZIGZAG_CHECK(writeMaps(rows, options.maps));
    if (options.format == "json") {
        nlohmann::ordered_json json = {{"context", options.at},
                                       {"criterion", options.criterion},
                                       {"quality", jobs::nameOf(axis)},
                                       {"note", note},
                                       {"points", nlohmann::json::array()}};
        for (const Row &row : rows)
            json["points"].push_back(rowJson(row, axis));
        json["prompts"] = done;
        json["all_prompts"] = prompts;
        fmt::print("{}\n", json.dump(1, ' ', false, anyBytes));
        return stoppedOr(done, prompts);
    }
    if (axis != jobs::QualityAxis::Loss) {
        fmt::print("{}", axisTable(rows, axis));
        return stoppedOr(done, prompts);
    }
    fmt::print("{:>9}  {:>5}  {:>6}  {:>10}  {:>10}  {:>8}  {:>14}  {:>12}  {}\n", "streaming", "sink", "recent", "loss",
               "± error", "right", "predicted TPOT", "KV bytes", "Pareto");
    for (const Row &row : rows)
        fmt::print("{:>7.0f} %  {:>5}  {:>6}  {:>10.6f}  {:>10.6f}  {:>6.1f} %  {:>11.3f} ms  {:>12}  {}\n",
                   100.0 * row.map.sparsity(), windowOf(row.map).sink, windowOf(row.map).recent, row.tasks.loss.mean,
                   row.tasks.loss.error, 100.0 * row.tasks.right.mean, row.price.ms, row.price.kvBytes,
                   row.price.inSet ? "yes" : "");
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
    command
        ->add_option("--quality", options->quality,
                     "what the quality axis shows: loss (distillation), kl or needles (answers right), all three of the tasks; "
                     "questions (--prompts), ruler (--ruler) or perplexity (--text)")
        ->check(CLI::IsMember({"loss", "kl", "needles", "questions", "ruler", "perplexity"}));
    command->add_option("--prompts", options->prompts, "quality is what maps answer to these files of questions; repeat it")
        ->allow_extra_args(false);
    command
        ->add_option("--ruler", options->ruler,
                     "quality is what maps answer to these RULER tasks (or all), of --contexts tokens, --trials of each")
        ->delimiter(',');
    command
        ->add_option("--text", options->texts,
                     "quality is the perplexity of this text, in windows of the last context; may be given again")
        ->allow_extra_args(false);
    command->add_option("--record", options->record,
                        "of --prompts and --ruler: file that keeps every answer; maps that are in it are not asked again");
    command->add_option("--as", options->as, "how a chat model is asked")
        ->check(CLI::IsMember({"auto", "chat", "text"}))
        ->capture_default_str();
    addBackendOption(*command, options->backend);
    addKvTypeOption(*command, options->kvType);
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return pareto(*options); }; });
}

} // namespace zigzag
