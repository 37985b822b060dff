// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/run_output.h"
#include "app/cli/run_support.h"
#include "profiler/quality/attention_score.h"

#include <fmt/format.h>
#include <functional>
#include <memory>

namespace zigzag {
namespace {

struct ScoreOptions {
    std::string model, method, out, fold = "max", backend = "auto", format = "table";
    AttentionScorePlan plan;
};

void printTable(const HeadScores &scores)
{
    fmt::print("{:>5}  mean ± standard deviation over trials, by KV head\n", "layer");
    for (int layer = 0; layer < scores.model.layers; ++layer) {
        fmt::print("{:>5}", layer);
        for (int head = 0; head < scores.model.kvHeads; ++head)
            fmt::print("  {:.2f} ± {:.2f}", scores.at(layer, head), scores.spreadAt(layer, head));
        fmt::print("\n");
    }
}

Result<void> score(ScoreOptions options)
{
    AttentionScorePlan &plan = options.plan;
    plan.fold = options.fold == "mean" ? Fold::Mean : Fold::Max;
    const std::atomic<bool> &cancel = interruptFlag();
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend));
    if (plan.contexts.empty())
        plan.contexts = defaultContexts(loaded.model->config);
    HeadScores scores;
    {
        Progress progress("score");
        ZIGZAG_TRY(measured, scoreByAttention(loaded.device, *loaded.model, plan, &cancel, std::ref(progress)));
        scores = std::move(measured);
    }
    ZIGZAG_CHECK(writeHeadScores(scores, options.out));
    if (options.format == "json")
        fmt::print("{}\n",
                   nlohmann::ordered_json{{"method", scores.method},
                                          {"layers", scores.model.layers},
                                          {"kv_heads", scores.model.kvHeads},
                                          {"scores", scores.scores},
                                          {"spread", scores.spread},
                                          {"out", options.out}}
                       .dump(1));
    else
        printTable(scores);
    return {};
}

} // namespace

void addScore(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<ScoreOptions>();
    options->plan.depths = {0, 0.25, 0.5, 0.75, 1};
    CLI::App *command = app.add_subcommand("score", "find out which heads retrieve, and write their scores");
    command->add_option("MODEL", options->model, "Hugging Face folder with tokenizer.json, or bundled:NAME")->required();
    command
        ->add_option("--method", options->method, "attention: how often a head's strongest key is the needle token being copied")
        ->required()
        ->check(CLI::IsMember({"attention"}));
    addQuestionOptions(*command, options->plan);
    command->add_option("--fold", options->fold, "how query heads become their KV head")
        ->check(CLI::IsMember({"max", "mean"}))
        ->capture_default_str();
    addBackendOption(*command, options->backend);
    command->add_option("--out", options->out, "score file to write")->required();
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return score(*options); }; });
}

} // namespace zigzag
