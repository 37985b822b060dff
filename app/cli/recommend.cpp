// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_support.h"
#include "engine/base/files.h"
#include "profiler/evaluate/answered_questions.h"
#include "profiler/evaluate/answers_file.h"
#include "profiler/jobs/recommend_files.h"
#include "profiler/jobs/recommend_record.h"

#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <optional>

namespace zigzag {
namespace {

struct RecommendOptions {
    std::string model, out, session, as = "auto", backend = "auto", format = "table";
    std::vector<std::string> prompts;
    double quality = 90; ///< percent
    bool restart = false;
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
    jobs::RecommendRequest request;
};

Result<jobs::RecommendRequest> requestOf(const RecommendOptions &options, const ModelConfig &config)
{
    jobs::RecommendRequest request = options.request;
    if (!std::isfinite(request.seconds) || request.seconds < 1)
        return badInput("--time is at least one second: 90s, 20min, 2h");
    if (request.tpotMs && !(std::isfinite(*request.tpotMs) && *request.tpotMs > 0))
        return badInput("--tpot is a time above 0: 8ms");
    request.kept = options.quality / 100;
    request.progressFolder = options.out;
    request.begin = options.restart ? Begin::Anew : Begin::GoOn;
    if (request.context == 0)
        request.context = config.maxContext;
    noteContexts(config, {request.context});
    ZIGZAG_TRY(as, parseAskAs(options.as));
    request.as = as;
    if (!options.prompts.empty()) {
        std::vector<std::string> notes;
        const std::vector<std::filesystem::path> files(options.prompts.begin(), options.prompts.end());
        ZIGZAG_TRY(questions, readAllQuestions(files, notes));
        for (const std::string &note : notes)
            fmt::print(stderr, "note: {}\n", note);
        request.questions = std::make_shared<const std::vector<Question>>(std::move(questions));
    }
    ZIGZAG_CHECK(jobs::checkRequest(request, config));
    return request;
}

/// What an engine cannot do is said before the weights are read.
Result<void> checkEngine(const jobs::RecommendRequest &request, const ExportModel &model)
{
    const std::int64_t longest = std::min(request.context, model.config.maxContext);
    ZIGZAG_CHECK(jobs::servingWays(request.engine, model, jobs::windowsFor(request, model.config, longest).back()));
    return {};
}

/// A session may be opened from another folder.
std::string wholeName(const std::string &model)
{
    std::error_code none;
    if (!std::filesystem::exists(model, none))
        return model; // bundled:NAME
    const std::filesystem::path whole = std::filesystem::absolute(model, none);
    return none ? model : whole.string();
}

Result<void> recommend(const RecommendOptions &options)
{
    interruptFlag();
    ZIGZAG_TRY(exported, loadExportModel(options.model));
    ZIGZAG_TRY(request, requestOf(options, exported.config));
    ZIGZAG_CHECK(checkEngine(request, exported));
    std::error_code none;
    if (const auto folder = std::filesystem::path(options.session).parent_path();
        !folder.empty() && !std::filesystem::is_directory(folder, none))
        return badInput(fmt::format("{}: is no folder, so that no session can be written into it (--session)", folder.string()));
    ZIGZAG_CHECK(makeFolder(options.out));
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend, options.kvType));
    JobLines lines("recommend");
    const JobContext context = loaded.job(lines);
    jobs::RecommendJob job{.request = request, .model = &exported};
    job.planned = [&](const jobs::RecommendPlan &plan, const std::vector<jobs::ServingWay> &ways) {
        lines.end();
        for (const std::string &line : jobs::planText(request, plan, ways))
            fmt::print(stderr, "{}\n", line);
    };
    auto result = jobs::recommend(context, job);
    lines.end();
    if (!result && isCancelled(result.error()))
        return cancelled(fmt::format("stopped: what was done lies in {}, and the same command goes on", options.out));
    if (!result)
        return tl::unexpected(result.error());
    jobs::Recommendation &found = *result;
    jobs::RecommendPlaces places{options.model, options.out, {}, {}};
    const auto written = jobs::writeRecommended(context, found, &exported, places);
    lines.end();
    fmt::print("{}", options.format == "json" ? jobs::recordText(found, places) : jobs::pageOf(found, places));
    ZIGZAG_CHECK(written);
    if (!options.session.empty()) {
        places.model = wholeName(options.model);
        ZIGZAG_TRY(session, jobs::recommendSession(found, places));
        ZIGZAG_CHECK(writeSession(session, options.session));
    }
    if (!found.chosen)
        return failed(fmt::format("{}; {} has what was tried", jobs::saysOf(found), (places.folder / "page.md").string()));
    return {};
}

} // namespace

void addRecommend(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<RecommendOptions>();
    CLI::App *command = app.add_subcommand(
        "recommend", "from a model to the map that one engine should serve: searched, judged and exported, on one page");
    command->add_option("MODEL", options->model, "Hugging Face folder with tokenizer.json, GGUF file, or bundled:NAME")
        ->required();
    std::string names;
    for (const std::string_view name : jobs::recommendedEngines())
        names += (names.empty() ? "" : ", ") + std::string(name);
    jobs::RecommendRequest &request = options->request;
    command->add_option("--engine", request.engine, "that will serve the map: " + names)->capture_default_str();
    command
        ->add_option("--context", request.context,
                     "tokens at which a budget holds and savings are told (default: the model's); prompts are as long where the "
                     "time allows it")
        ->check(longIntegerFrom(64));
    command
        ->add_option("--memory", request.memory,
                     "of keys and values that one sequence may take in that engine: 40GiB, 512MiB, or bytes")
        ->transform(CLI::AsSizeValue(true));
    command->add_option("--tpot", request.tpotMs, "time that a token may take, as predicted for our engine on this machine: 8ms")
        ->transform(CLI::AsNumberWithUnit(std::map<std::string, double>{{"us", 0.001}, {"ms", 1}, {"s", 1000}},
                                          CLI::AsNumberWithUnit::DEFAULT, "TIME"));
    command->add_option("--time", request.seconds, "that all of it may take: 90s, 20min, 2h (default: 20min)")
        ->transform(CLI::AsNumberWithUnit(std::map<std::string, double>{{"s", 1}, {"min", 60}, {"h", 3600}},
                                          CLI::AsNumberWithUnit::DEFAULT, "TIME"));
    command
        ->add_option("--quality", options->quality,
                     "percent of full attention's score that must be kept, by the lower end of the 95 % interval")
        ->check(numberIn(50, 99))
        ->capture_default_str();
    command
        ->add_option("--prompts", options->prompts,
                     "questions of your own: half of them choose, half of them judge (default: needle tasks); repeat it")
        ->allow_extra_args(false);
    command->add_option("--as", options->as, "how a chat model is asked them")
        ->check(CLI::IsMember({"auto", "chat", "text"}))
        ->capture_default_str();
    command
        ->add_option("--recent", request.recents,
                     "windows to try, separated by commas (default: an eighth and a quarter of the prompts)")
        ->delimiter(',')
        ->check(integerIn(1, 1 << 20));
    command->add_option("--sink", request.sink, "first tokens that streaming layers keep (default: by the prompts' length)")
        ->check(integerIn(0, 1 << 16));
    command->add_option("--seed", request.seed, "of the needle tasks")->capture_default_str();
    command->add_flag("--restart", options->restart, "begin anew, whatever waits in --out");
    addBackendOption(*command, options->backend);
    addKvTypeOption(*command, options->kvType);
    command->add_option("--out", options->out, "folder for map.json, scores.json, page.md, recommend.json and the export")
        ->required();
    command->add_option("--session", options->session,
                        "write all of it as a session, NAME.zigzag, which the window opens and goes on with");
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return recommend(*options); }; });
}

} // namespace zigzag
