// SPDX-License-Identifier: GPL-3.0-or-later
// What the query heads of one KV head look at in a prompt.
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_support.h"
#include "app/cli/text_input.h"
#include "profiler/jobs/attention_picture_job.h"

#include <fmt/format.h>
#include <memory>

namespace zigzag {
namespace {

struct AttentionOptions {
    std::string model, file, backend = "auto", format = "table";
    std::optional<std::string> text;
    std::optional<DType> kvType;
    int sink = defaultSink, recent = defaultRecent;
    std::optional<std::int64_t> query;
    jobs::AttentionPictureJob job;
};

/// The queries that are told: the one asked for, those that generate a needle's answer, or the last of a text.
std::vector<std::int64_t> toldQueries(const jobs::PicturedPrompt &prompt, const std::optional<std::int64_t> &asked)
{
    if (asked)
        return {*asked};
    if (!prompt.isNeedle())
        return {prompt.firstAsked()};
    std::vector<std::int64_t> queries;
    for (std::int64_t query = prompt.answerBegin; query < prompt.answerEnd; ++query)
        queries.push_back(query);
    return queries;
}

nlohmann::ordered_json sharesJson(const AttentionShares &shares)
{
    return {{"sink", shares.sink}, {"window", shares.window}, {"beyond", shares.beyond}};
}

void printJson(const jobs::AttentionPictures &pictures, const std::vector<std::int64_t> &queries)
{
    using Json = nlohmann::ordered_json;
    const jobs::PicturedPrompt &prompt = pictures.prompt;
    Json heads = Json::array();
    for (const AttentionPicture &head : pictures.heads) {
        Json told = Json::array();
        for (const std::int64_t query : queries) {
            Json keys = Json::array();
            for (const StrongKey &key : head.strongestOf(query))
                if (key.position >= 0)
                    keys.push_back({{"position", key.position},
                                    {"piece", prompt.pieces[static_cast<std::size_t>(key.position)]},
                                    {"weight", key.weight}});
            told.push_back({{"query", query},
                            {"piece", prompt.pieces[static_cast<std::size_t>(query)]},
                            {"shares", sharesJson(head.shares[static_cast<std::size_t>(query)])},
                            {"strongest", std::move(keys)}});
        }
        Json one{{"query_head", head.queryHead}, {"mean_shares", sharesJson(head.meanShares())}};
        if (!pictures.spoken.empty()) {
            const jobs::SpokenLogit &spoken = pictures.spoken[heads.size()];
            one["answer_logit"] = {{"given", spoken.given}, {"beyond", spoken.beyond}};
        }
        one["queries"] = std::move(told);
        one["bins"] = head.bins;
        one["mean"] = head.mean;
        one["largest"] = head.largest;
        heads.push_back(std::move(one));
    }
    Json json{{"layer", pictures.heads.front().layer}, {"tokens", prompt.tokens.size()}};
    if (prompt.isNeedle())
        json["needle"] = {prompt.needleBegin, prompt.needleEnd};
    if (!pictures.spoken.empty())
        json["answer_logit"] = pictures.answerLogit;
    json["heads"] = std::move(heads);
    fmt::print("{}\n", json.dump(1, ' ', false, anyBytes));
}

void printCsv(const jobs::AttentionPictures &pictures)
{
    fmt::print("query_head,first_query,last_query,first_key,last_key,mean,largest\n");
    for (const AttentionPicture &head : pictures.heads)
        for (int row = 0; row < head.bins; ++row)
            for (int column = 0; column <= row; ++column) {
                const auto at
                    = static_cast<std::size_t>(row) * static_cast<std::size_t>(head.bins) + static_cast<std::size_t>(column);
                fmt::print("{},{},{},{},{},{},{}\n", head.queryHead, head.binBegin(row), head.binBegin(row + 1) - 1,
                           head.binBegin(column), head.binBegin(column + 1) - 1, head.mean[at], head.largest[at]);
            }
}

void printTable(const jobs::AttentionPictures &pictures, const std::vector<std::int64_t> &queries)
{
    const jobs::PicturedPrompt &prompt = pictures.prompt;
    // A piece as JSON writes it: what is invisible is seen.
    const auto piece = [&](std::int64_t position) {
        return nlohmann::json(prompt.pieces[static_cast<std::size_t>(position)]).dump(-1, ' ', false, anyBytes);
    };
    for (std::size_t index = 0; index < pictures.heads.size(); ++index) {
        const AttentionPicture &head = pictures.heads[index];
        const AttentionShares mean = head.meanShares();
        fmt::print("query head {} of layer {}, {} tokens: {:.1f} % on sinks, {:.1f} % in the window, {:.1f} % beyond both\n",
                   head.queryHead, head.layer, head.tokens, 100 * mean.sink, 100 * mean.window, 100 * mean.beyond);
        if (!pictures.spoken.empty())
            fmt::print("  adds {:+.3f} to the right answer's logit of {:.3f}; {:+.3f} of it from keys beyond both\n",
                       pictures.spoken[index].given, pictures.answerLogit, pictures.spoken[index].beyond);
        for (const std::int64_t query : queries) {
            const AttentionShares &shares = head.shares[static_cast<std::size_t>(query)];
            fmt::print("  query {} {}: {:.1f} % beyond;", query, piece(query), 100 * shares.beyond);
            for (const StrongKey &key : head.strongestOf(query))
                if (key.position >= 0 && key.weight >= 0.01f)
                    fmt::print(" {:.1f} % {} at {}{}", 100 * key.weight, piece(key.position), key.position,
                               key.position >= prompt.needleBegin && key.position < prompt.needleEnd ? " (needle)" : "");
            fmt::print("\n");
        }
    }
}

Result<void> attention(AttentionOptions options)
{
    if (!options.file.empty()) {
        ZIGZAG_TRY(text, readTextInput(options.file));
        options.text = std::move(text);
    }
    options.job.text = options.text;
    options.job.window = {options.sink, options.recent};
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend, options.kvType));
    JobLines lines("attention");
    ZIGZAG_TRY(pictures, jobs::attentionPictures(loaded.job(lines), options.job));
    lines.end();
    const std::int64_t last = std::ssize(pictures.prompt.tokens) - 1;
    if (options.query && *options.query > last)
        return badInput(fmt::format("--query {}: the prompt has queries 0 to {}", *options.query, last));
    const std::vector<std::int64_t> queries = toldQueries(pictures.prompt, options.query);
    if (options.format == "json")
        printJson(pictures, queries);
    else if (options.format == "csv")
        printCsv(pictures);
    else
        printTable(pictures, queries);
    return {};
}

} // namespace

void addAttention(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<AttentionOptions>();
    jobs::AttentionPictureJob &job = options->job;
    CLI::App *command
        = app.add_subcommand("attention", "what a head looks at in a prompt: a needle question, or a text of yours");
    command->add_option("MODEL", options->model, "Hugging Face folder, GGUF file or bundled:NAME")->required();
    command->add_option("--layer", job.layer, "the layer")->required()->check(integerIn(0, 1 << 20));
    command->add_option("--head", job.kvHead, "the KV head; all its query heads are told")
        ->required()
        ->check(integerIn(0, 1 << 20));
    auto *text = command->add_option("--prompt", options->text, "the text");
    auto *file = command->add_option("--prompt-file", options->file, "a file with it; - for standard input");
    text->excludes(file);
    command->add_option("--context", job.context, "tokens of the needle question, the answer among them")
        ->check(longIntegerFrom(1))
        ->excludes(text)
        ->excludes(file)
        ->capture_default_str();
    command->add_option("--depth", job.depth, "place of the needle, 0 (beginning) to 1 (end)")
        ->check(numberIn(0.0, 1.0))
        ->excludes(text)
        ->excludes(file)
        ->capture_default_str();
    command->add_option("--seed", job.seed, "of the question")->capture_default_str();
    command
        ->add_option("--query", options->query, "the position whose strongest keys are told (default: the answer's, or the last)")
        ->check(longIntegerFrom(0));
    addWindowOptions(*command, options->sink, options->recent, "a streaming head would keep");
    addBackendOption(*command, options->backend);
    addKvTypeOption(*command, options->kvType);
    addOutputOption(*command, options->format, true);
    command->callback([options, &chosen] { chosen.run = [options] { return attention(*options); }; });
}

} // namespace zigzag
