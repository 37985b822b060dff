// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_support.h"
#include "engine/map/kv_layout.h"
#include "profiler/cost/engine_memory.h"
#include "profiler/cost/tensor_parallel.h"

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

namespace zigzag {

namespace {

struct PlanOptions {
    std::string model, format = "table";
    std::vector<std::string> maps;
    std::vector<std::int64_t> contexts;
    std::vector<int> gpus = {1, 2, 4, 8};
    double gigabytesPerSecond = 4300; ///< one H200, as the floors of the documentation are computed
    int sink = defaultSink, recent = defaultRecent;
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
    EngineSettings engines;
};

struct Row {
    std::string map;
    std::int64_t context = 0, kvBytes = 0;
    std::optional<EngineLayers> layers; ///< as engines have them; nothing where none can
    std::vector<EngineMemory> engines;
    std::vector<TensorParallelPlan> plans;
    std::vector<std::string> refusals; ///< of GPU counts that the model's heads cannot be dealt out to
};

nlohmann::ordered_json toJson(const Row &row)
{
    nlohmann::ordered_json json = {{"map", row.map}, {"context", row.context}, {"kv_bytes", row.kvBytes}};
    json["engines"] = nlohmann::ordered_json::array();
    for (const EngineMemory &engine : row.engines)
        json["engines"].push_back({{"engine", engine.engine},
                                   {"version", engine.version},
                                   {"admitted_bytes", engine.admitted},
                                   {"decoding_bytes", engine.decoding},
                                   {"sequences_per_gib", engine.sequencesPerGiB},
                                   {"note", engine.note}});
    json["gpus"] = nlohmann::ordered_json::array();
    for (const TensorParallelPlan &plan : row.plans) {
        nlohmann::ordered_json ranks = nlohmann::ordered_json::array();
        for (const RankLoad &rank : plan.ranks)
            ranks.push_back({{"kv_bytes", rank.kvBytes}, {"attention_ms", rank.attentionMs}});
        json["gpus"].push_back({{"count", plan.gpus},
                                {"ranks", ranks},
                                {"weight_bytes_per_rank", plan.weightBytesPerRank},
                                {"largest_kv_bytes", plan.largestKvBytes},
                                {"memory_imbalance", plan.memoryImbalance},
                                {"time_imbalance", plan.timeImbalance},
                                {"decode_floor_ms", plan.decodeFloorMs}});
    }
    return json;
}

void printGpus(const std::vector<Row> &rows, std::size_t width)
{
    fmt::print("{:<{}}  {:>8}  {:>4}  {:>16}  {:>10}  {:>10}  {:>15}  {:>16}\n", "map", width, "context", "GPUs",
               "KV bytes a GPU", "memory x", "waiting x", "decode floor ms", "KV bytes in all");
    for (const Row &row : rows)
        for (const TensorParallelPlan &plan : row.plans)
            fmt::print("{:<{}}  {:>8}  {:>4}  {:>16}  {:>10.3f}  {:>10.3f}  {:>15.3f}  {:>16}\n", row.map, width, row.context,
                       plan.gpus, plan.largestKvBytes, plan.memoryImbalance, plan.timeImbalance, plan.decodeFloorMs, row.kvBytes);
}

void printEngines(const std::vector<Row> &rows, std::size_t width)
{
    fmt::print("\n{:<{}}  {:>8}  {:<20}  {:>16}  {:>16}  {:>15}  {}\n", "map", width, "context", "engine", "bytes to admit",
               "bytes in decode", "sequences a GiB", "how");
    for (const Row &row : rows)
        for (const EngineMemory &engine : row.engines)
            fmt::print("{:<{}}  {:>8}  {:<20}  {:>16}  {:>16}  {:>15.2f}  {}\n", row.map, width, row.context,
                       fmt::format("{} {}", engine.engine, engine.version), engine.admitted, engine.decoding,
                       engine.sequencesPerGiB, engine.note);
}

/// How many layers could slide without any being filled up in vLLM, where some are.
void printPadding(const Row &row)
{
    if (!row.layers) {
        fmt::print("{}: no serving engine can run it: its layers have windows of their own, and they have one for all\n",
                   row.map);
        return;
    }
    const VllmGroups groups = vllmGroups(*row.layers);
    const int padding = groups.padding(*row.layers);
    if (padding == 0)
        return;
    const UnpaddedCounts counts = vllmUnpadded(*row.layers);
    const std::string below = counts.below >= 0 ? fmt::format("{}", counts.below) : std::string();
    const std::string above = counts.above >= 0 ? fmt::format("{}", counts.above) : std::string();
    fmt::print("{}: vLLM bills {} full and {} sliding layers as {} and {}: {} do not exist. {} sliding layers would cause none\n",
               row.map, row.layers->full, row.layers->sliding, groups.layers * groups.full, groups.layers * groups.sliding,
               padding, below.empty() || above.empty() ? below + above : below + " or " + above);
}

void printTable(const std::vector<Row> &rows, const PlanOptions &options)
{
    std::size_t width = 3;
    for (const Row &row : rows)
        width = std::max(width, row.map.size());
    printGpus(rows, width);
    printEngines(rows, width);
    for (const Row &row : rows)
        if (&row == &rows.front() || row.map != (&row)[-1].map)
            printPadding(row);
    fmt::print(
        "Computed, not measured: reads at {:g} GB/s a GPU; what the links between them take comes on top. KV bytes a GPU: of the "
        "fullest one.\nmemory x: fullest GPU / mean; waiting x: slowest GPU of each layer / mean, 1 = nobody waits. Engines know "
        "whole layers and no sinks:\na mixed layer is a full one there. Their bytes are for one sequence on all GPUs together, "
        "counted as the source of that version counts.\n",
        options.gigabytesPerSecond);
    if (!rows.empty())
        for (const std::string &refusal : rows.front().refusals)
            fmt::print(stderr, "note: left out: {}\n", refusal);
}

Result<void> plan(const PlanOptions &options)
{
    ZIGZAG_TRY(config, loadShape(options.model, options.kvType));
    ZIGZAG_TRY(maps, resolveMaps(options.maps, config.shape(), options.sink, options.recent));
    noteContexts(config, options.contexts);
    std::vector<Row> rows;
    for (const NamedMap &named : maps)
        for (const std::int64_t context : options.contexts.empty() ? defaultContexts(config) : options.contexts) {
            Row row{named.name, context, kvBytes(named.map, context, config.kvType), {}, {}, {}, {}};
            if (const auto layers = engineLayers(named.map)) {
                row.layers = *layers;
                row.engines = engineMemory(config, *layers, context, options.engines);
            }
            for (const int gpus : options.gpus) {
                auto dealt = planTensorParallel(config, named.map, gpus, context, 1e9 * options.gigabytesPerSecond);
                if (dealt)
                    row.plans.push_back(std::move(*dealt));
                else if (options.gpus.size() == 1)
                    return tl::unexpected(dealt.error());
                else
                    row.refusals.push_back(dealt.error().message);
            }
            rows.push_back(std::move(row));
        }
    if (options.format == "json") {
        nlohmann::ordered_json json = {{"kv_type", nameOf(config.kvType)},
                                       {"bytes_per_second", 1e9 * options.gigabytesPerSecond},
                                       {"records", nlohmann::json::array()}};
        for (const Row &row : rows)
            json["records"].push_back(toJson(row));
        fmt::print("{}\n", json.dump(1, ' ', false, anyBytes));
    } else {
        printTable(rows, options);
    }
    return {};
}

} // namespace

void addPlan(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<PlanOptions>();
    CLI::App *command
        = app.add_subcommand("plan", "what a map costs on several GPUs, and the memory that serving engines take for it");
    command->add_option("MODEL", options->model, "Hugging Face folder, GGUF file, bundled:NAME or preset:NAME")->required();
    command->add_option("--map", options->maps, "head-map file, full or streaming; repeat it to compare")->required();
    addContextsOption(*command, options->contexts);
    command->add_option("--gpus", options->gpus, "tensor-parallel sizes, separated by commas")
        ->delimiter(',')
        ->capture_default_str();
    command->add_option("--bandwidth", options->gigabytesPerSecond, "GB/s that one GPU reads; default: an H200")
        ->check(numberAbove(0))
        ->capture_default_str();
    addWindowOptions(*command, options->sink, options->recent);
    addKvTypeOption(*command, options->kvType);
    command
        ->add_option("--block-size", options->engines.blockTokens, "vLLM: tokens of a block (on processors its default is 128)")
        ->check(integerFrom(1))
        ->capture_default_str();
    command
        ->add_option("--in-flight-tokens", options->engines.inFlightTokens,
                     "vLLM: --max-num-batched-tokens × batches in flight (its server on a large GPU: 2 × 8192)")
        ->check(integerFrom(1))
        ->capture_default_str();
    command->add_option("--ubatch-size", options->engines.microBatchTokens, "llama.cpp: tokens of a micro-batch")
        ->check(integerFrom(1))
        ->capture_default_str();
    command
        ->add_option_function<std::string>(
            "--cache-type", [options](const std::string &name) { options->engines.llamaCacheType = *findKvType(name); },
            "llama.cpp: type of its keys and values (default: f16)")
        ->check(CLI::IsMember({"f32", "f16", "bf16"}));
    command
        ->add_option("--swa-full-tokens-ratio", options->engines.sglangRatio,
                     "SGLang: tokens of its window pool / of its full pool")
        ->check(numberIn(0.001, 1))
        ->capture_default_str();
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return plan(*options); }; });
}

} // namespace zigzag
