// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/assign.h"
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/map_tables.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_support.h"
#include "engine/map/criterion.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/layer_pattern.h"
#include "engine/map/map_io.h"
#include "engine/model/model.h"
#include "profiler/cost/engine_memory.h"
#include "profiler/cost/time_budget.h"
#include "profiler/jobs/calibration_job.h"

#include <fmt/format.h>
#include <functional>
#include <memory>
#include <optional>
#include <variant>

namespace zigzag {

namespace {

struct AssignOptions {
    std::string scores, criterion, model, out;
    std::string fold = "max", engine, pattern;
    std::optional<double> sparsity, tpotBudget;
    std::optional<int> layers;
    std::optional<std::int64_t> kvBudget;
    std::int64_t context = 0;
    std::vector<int> lockRetrieval, lockStreaming;
    int sink = defaultSink, recent = defaultRecent;
    std::string format = "table";
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
};

/// Locked layers as a map of their own; nothing where none is locked.
struct Locks {
    std::vector<bool> locked;
    HeadMap base;
};

Result<Locks> locksOf(const AssignOptions &options, const ModelShape &model)
{
    Locks locks;
    if (options.lockRetrieval.empty() && options.lockStreaming.empty())
        return locks;
    locks.locked.resize(static_cast<std::size_t>(model.layers));
    locks.base = HeadMap(model, HeadKind::Retrieval, options.sink, options.recent);
    for (const auto &[layers, kind] :
         {std::pair{&options.lockRetrieval, HeadKind::Retrieval}, {&options.lockStreaming, HeadKind::Streaming}})
        for (const int layer : *layers) {
            if (layer < 0 || layer >= model.layers)
                return badInput(fmt::format("locked layer {}: {} has layers 0 to {}", layer, model.name, model.layers - 1));
            if (model.isLocal(layer))
                return badInput(
                    fmt::format("locked layer {}: it is local by the model's own file, and no map decides of it; leave "
                                "it out",
                                layer));
            if (locks.locked[static_cast<std::size_t>(layer)])
                return badInput(fmt::format("layer {} is locked twice: name it once", layer));
            locks.locked[static_cast<std::size_t>(layer)] = true;
            locks.base.setLayer(layer, kind);
        }
    return locks;
}

/// Measures the model for a second or more: what a token takes is known of no other source.
Result<TimeBudget> measuredTimes(const AssignOptions &options, std::string &note)
{
    if (options.model.empty())
        return badInput("a TPOT budget needs --model: the times of its layers are measured");
    ZIGZAG_TRY(loaded, loadForRun(options.model, "auto", options.kvType));
    JobLines lines("assign");
    ZIGZAG_TRY(cost, jobs::calibrate(loaded.job(lines), shortCalibration(options.context)));
    note = whyUnreliable(cost);
    const HeadMap windows(cost.config().shape(), HeadKind::Retrieval, options.sink, options.recent);
    return timeBudget(cost, *options.tpotBudget, options.context, windows);
}

/// `note`: what is to be known of times that were measured for it.
Result<Target> targetOf(const AssignOptions &options, const std::optional<ModelConfig> &config, std::string &note)
{
    if (options.sparsity)
        return SparsityTarget{*options.sparsity};
    if (options.layers)
        return LayerTarget{*options.layers};
    if (options.context < 1)
        return badInput("a budget holds at a context: add --context TOKENS");
    if (options.kvBudget)
        return KvBudget{*options.kvBudget, options.context, config ? config->kvType : options.kvType.value_or(DType::BF16)};
    ZIGZAG_TRY(times, measuredTimes(options, note));
    return Target(times);
}

/// For an engine that fills groups of layers up: another assignment, of as many layers as cause none, where this one does. A
/// budget still holds: more layers stream then, never fewer.
Result<Assignment> snapped(Assignment assignment, const HeadScores &scores, AssignRequest request)
{
    const HeadMap &map = assignment.map;
    if (!map.isExclusive())
        return badInput(fmt::format("{} layers are mixed, and vLLM knows whole ones alone: --target vllm wants a criterion that "
                                    "chooses layers, such as zigzag",
                                    map.mixedLayers()));
    ZIGZAG_TRY(layers, engineLayers(map));
    const int local = map.model().localLayers();
    if (map.streamingHeads() == 0)
        return assignment;
    const bool isBudget = std::holds_alternative<KvBudget>(request.target) || std::holds_alternative<TimeBudget>(request.target);
    const int count = vllmSnapped(layers, isBudget, local + 1);
    if (count < 0 || count == layers.sliding)
        return assignment;
    const VllmGroups groups = vllmGroups(layers);
    fmt::print(stderr, "note: with {} sliding layers vLLM would fill its groups up by {} that do not exist: {} slide\n",
               layers.sliding, groups.padding(layers), count);
    request.target = LayerTarget{count - local};
    return assignHeads(scores, request);
}

/// By place alone: no scores are asked, and none are read.
Result<void> assignPattern(const AssignOptions &options)
{
    if (!options.scores.empty() || !options.criterion.empty())
        return badInput("--pattern chooses layers by their place: leave SCORES and --criterion out");
    if (options.model.empty())
        return badInput("--pattern has no shape of its own: add --model");
    if (!options.engine.empty())
        return badInput(fmt::format("--target {} looks for another number of layers, and a pattern's number is its own: leave "
                                    "one of both out",
                                    options.engine));
    ZIGZAG_TRY(pattern, parseLayerPattern(options.pattern));
    ZIGZAG_TRY(config, loadShape(options.model, options.kvType));
    const ModelShape shape = config.shape();
    ZIGZAG_TRY(locks, locksOf(options, shape));
    PatternRequest request{pattern, {}, locks.locked, &locks.base};
    request.windows.assign(static_cast<std::size_t>(shape.layers), {options.sink, options.recent});
    ZIGZAG_TRY(map, assignByPattern(shape, request));
    ZIGZAG_CHECK(writeHeadMap(map, options.out));
    fmt::print("{}", options.format == "json" ? patternJson(map).dump(1, ' ', false, anyBytes) + '\n' : patternTable(map));
    return {};
}

Result<void> assign(const AssignOptions &options)
{
    if (!options.pattern.empty())
        return assignPattern(options);
    if (options.scores.empty() || options.criterion.empty())
        return badInput("assign: give SCORES and --criterion, or --pattern where there are no scores");
    std::optional<ModelConfig> config;
    std::optional<ModelShape> model;
    if (!options.model.empty()) {
        ZIGZAG_TRY(loaded, loadShape(options.model, options.kvType));
        config = loaded;
        model = config->shape();
        noteContexts(*config, {options.context});
    }
    ZIGZAG_TRY(scores, readHeadScores(options.scores, model, options.fold == "mean" ? Fold::Mean : Fold::Max));
    ZIGZAG_CHECK(findCriterion(options.criterion)); // before anything is measured
    ZIGZAG_TRY(locks, locksOf(options, scores.model));
    std::string timesNote;
    ZIGZAG_TRY(target, targetOf(options, config, timesNote));
    if (!timesNote.empty())
        fmt::print(stderr, "note: {}\n", timesNote);
    const AssignRequest request{options.criterion, target, options.sink, options.recent, locks.locked, &locks.base};
    ZIGZAG_TRY(assignment, assignHeads(scores, request));
    if (!options.engine.empty()) {
        ZIGZAG_TRY(other, snapped(std::move(assignment), scores, request));
        assignment = std::move(other);
    }
    ZIGZAG_CHECK(writeHeadMap(assignment.map, options.out));
    noteScores(scores, options.scores);
    const SacrificeReport report = sacrificed(assignment.map, scores);
    if (options.format == "json") {
        nlohmann::ordered_json json = assignmentJson(assignment, report);
        if (options.tpotBudget)
            json["note"] = timesNote;
        fmt::print("{}\n", json.dump(1, ' ', false, anyBytes));
    } else
        fmt::print("{}", assignmentTable(assignment, report));
    return {};
}

} // namespace

void addAssign(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<AssignOptions>();
    CLI::App *command = app.add_subcommand("assign", "decide from scores which heads stream, and write the head map");
    std::string names;
    for (const Criterion &criterion : criteria())
        names += (names.empty() ? "" : ", ") + std::string(criterion.name);
    command->add_option("SCORES", options->scores,
                        "zigzag-head-scores, DuoAttention folder or TSV, or Retrieval_Head JSON; none with --pattern");
    command->add_option("--criterion", options->criterion, "how heads are chosen: " + names);
    CLI::Option_group *target = command->add_option_group("target", "how much streams: one of these");
    target->add_option("--sparsity", options->sparsity, "fraction of the KV heads that stream, 0 to 1");
    target->add_option("--layers", options->layers, "so many layers stream (by duo: as many heads as they have)");
    target->add_option("--kv-budget", options->kvBudget, "KV bytes at --context that are not exceeded: 4294967296, 4GiB, 4GB")
        ->transform(CLI::AsSizeValue(true));
    target->add_option("--tpot-budget", options->tpotBudget,
                       "milliseconds per output token at --context that are not exceeded, as "
                       "predicted for --model on this machine");
    target->add_option("--pattern", options->pattern,
                       "without scores: every:N (the last of every N layers retrieves), first:N, last:N, or several of them, as "
                       "every:4,first:1; the other layers of --model stream");
    target->require_option(1);
    command
        ->add_option("--target", options->engine,
                     "the engine that will serve the map: for vllm as many layers stream as its groups of layers hold without "
                     "being filled up, those nearest to what was asked for")
        ->check(CLI::IsMember({"vllm"}));
    command->add_option("--context", options->context, "tokens at which a budget holds")->check(longIntegerFrom(1));
    command->add_option("--lock-retrieval", options->lockRetrieval, "layers that retrieve whatever their scores, as 0,1")
        ->delimiter(',');
    command->add_option("--lock-streaming", options->lockStreaming, "layers that stream whatever their scores")->delimiter(',');
    command->add_option("--sink", options->sink, "first tokens that streaming heads keep")->capture_default_str();
    command->add_option("--recent", options->recent, "last tokens that streaming heads keep")->capture_default_str();
    command->add_option("--model", options->model, "check the scores against this model, and fold query heads as it has them");
    command->add_option("--fold", options->fold, "how scores of query heads become those of KV heads")
        ->check(CLI::IsMember({"max", "mean"}))
        ->capture_default_str();
    command->add_option("--out", options->out, "head map to write")->required();
    addKvTypeOption(*command, options->kvType);
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return assign(*options); }; });
}

} // namespace zigzag
