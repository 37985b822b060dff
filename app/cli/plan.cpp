// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_support.h"
#include "engine/map/kv_layout.h"
#include "profiler/cost/cost_model.h"
#include "profiler/cost/engine_memory.h"
#include "profiler/cost/profile_file.h"
#include "profiler/cost/tensor_parallel.h"
#include "profiler/exports/export_format.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

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
    int gpusPerHost = 8;
    std::string profile; ///< of a machine whose links were measured; empty: they are assumed
};

/// How serving engines would run a map on so many GPUs.
struct Served {
    ServingRanks ranks;
    ServedRanks kv;
};

struct Row {
    std::string map;
    std::int64_t context = 0, kvBytes = 0;
    std::optional<EngineLayers> layers; ///< as engines have them; nothing where none can
    std::vector<EngineMemory> engines;
    std::vector<TensorParallelPlan> plans;
    std::vector<std::optional<double>>
        linkMs; ///< [plans]: what a token's all-reduces take; none beyond a host, whose link is another
    std::vector<Served> served;
    std::vector<std::string> refusals; ///< of GPU counts that the model's heads cannot be dealt out to
};

nlohmann::ordered_json toJson(const Served &served)
{
    nlohmann::ordered_json json = {{"count", served.ranks.gpus},
                                   {"hosts", served.ranks.hosts},
                                   {"tensor_parallel", served.ranks.tensor},
                                   {"pipeline_parallel", served.ranks.pipeline},
                                   {"rank_kv_bytes", served.kv.kvBytes},
                                   {"largest_kv_bytes", served.kv.largest},
                                   {"memory_imbalance", served.kv.imbalance}};
    for (int host = 0; host < served.ranks.hosts; ++host) {
        json["vllm"].push_back(vllmRankFlags(served.ranks, host));
        json["sglang"].push_back(sglangRankFlags(served.ranks, host));
    }
    return json;
}

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
                                {"decode_floor_ms", plan.decodeFloorMs},
                                {"link_ms", nullptr}});
        if (const auto ms = row.linkMs[json["gpus"].size() - 1])
            json["gpus"].back()["link_ms"] = *ms;
    }
    json["served_gpus"] = nlohmann::ordered_json::array();
    for (const Served &served : row.served)
        json["served_gpus"].push_back(toJson(served));
    return json;
}

void printGpus(const std::vector<Row> &rows, std::size_t width)
{
    fmt::print("{:<{}}  {:>8}  {:>4}  {:>16}  {:>10}  {:>10}  {:>15}  {:>9}  {:>16}\n", "map", width, "context", "GPUs",
               "KV bytes a GPU", "memory x", "waiting x", "decode floor ms", "+ link ms", "KV bytes in all");
    for (const Row &row : rows)
        for (std::size_t i = 0; i < row.plans.size(); ++i) {
            const TensorParallelPlan &plan = row.plans[i];
            fmt::print("{:<{}}  {:>8}  {:>4}  {:>16}  {:>10.3f}  {:>10.3f}  {:>15.3f}  {:>9}  {:>16}\n", row.map, width,
                       row.context, plan.gpus, plan.largestKvBytes, plan.memoryImbalance, plan.timeImbalance, plan.decodeFloorMs,
                       row.linkMs[i] ? fmt::format("{:.3f}", *row.linkMs[i]) : std::string("-"), row.kvBytes);
        }
}

/// What engines hold on each GPU, and what their commands ask for, once for each number of GPUs.
void printServed(const std::vector<Row> &rows, std::size_t width)
{
    const bool isAny = std::any_of(rows.begin(), rows.end(), [](const Row &row) { return !row.served.empty(); });
    if (!isAny)
        return;
    fmt::print("\n{:<{}}  {:>8}  {:>4}  {:>5}  {:>6}  {:>8}  {:>24}  {:>10}\n", "map", width, "context", "GPUs", "hosts",
               "tensor", "pipeline", "KV bytes a GPU, served", "memory x");
    for (const Row &row : rows)
        for (const Served &served : row.served)
            fmt::print("{:<{}}  {:>8}  {:>4}  {:>5}  {:>6}  {:>8}  {:>24}  {:>10.3f}\n", row.map, width, row.context,
                       served.ranks.gpus, served.ranks.hosts, served.ranks.tensor, served.ranks.pipeline, served.kv.largest,
                       served.kv.imbalance);
    const Row &first = *std::find_if(rows.begin(), rows.end(), [](const Row &row) { return !row.served.empty(); });
    for (const auto &[engine, flags] :
         {std::pair("vllm serve", &vllmRankFlags), std::pair("sglang.launch_server", &sglangRankFlags)})
        for (const Served &served : first.served)
            for (int host = 0; host < served.ranks.hosts; ++host)
                fmt::print("{} on {} GPUs{}: {}\n", engine, served.ranks.gpus,
                           served.ranks.hosts > 1 ? fmt::format(", host {} of {}", host + 1, served.ranks.hosts) : std::string(),
                           flags(served.ranks, host));
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

void printTable(const std::vector<Row> &rows, const PlanOptions &options, const Link &link)
{
    std::size_t width = 3;
    for (const Row &row : rows)
        width = std::max(width, row.map.size());
    printGpus(rows, width);
    printEngines(rows, width);
    printServed(rows, width);
    for (const Row &row : rows)
        if (&row == &rows.front() || row.map != (&row)[-1].map)
            printPadding(row);
    fmt::print(
        "Computed, not measured: reads at {:g} GB/s a GPU; on top comes what a token's all-reduces take ({}). KV bytes a GPU: of "
        "the fullest one.\nmemory x: fullest GPU / mean; waiting x: slowest GPU of each layer / mean, 1 = nobody waits. Engines "
        "know "
        "whole layers and no sinks:\na mixed layer is a full one there. Their bytes are for one sequence on all GPUs together, "
        "counted as the source of that version counts.\n",
        options.gigabytesPerSecond, link.told(options.gpus.size() == 1 ? options.gpus.front() : 2));
    if (!rows.empty())
        for (const std::string &refusal : rows.front().refusals)
            fmt::print(stderr, "note: left out: {}\n", refusal);
}

/// The all-reduces of one token: two in a layer, of a row of the residual stream in float32.
double decodeLinkMs(const ModelConfig &config, const Link &link, int gpus)
{
    return gpus < 2 ? 0.0 : 2 * config.layers * link.sumUs(4.0 * config.hiddenSize, gpus) / 1e3;
}

/// Where the link's figures for each number of GPUs come from.
nlohmann::ordered_json linkJson(const std::vector<int> &gpus, int gpusPerHost, const Link &link)
{
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    for (const int count : gpus)
        if (count > 1 && count <= gpusPerHost)
            json[std::to_string(count)] = link.source(count);
    return json;
}

Result<void> plan(const PlanOptions &options)
{
    ZIGZAG_TRY(config, loadShape(options.model, options.kvType));
    ZIGZAG_TRY(maps, resolveMaps(options.maps, config.shape(), options.sink, options.recent));
    noteContexts(config, options.contexts);
    Link link;
    const double bytesPerSecond = 1e9 * options.gigabytesPerSecond;
    if (!options.profile.empty()) {
        ZIGZAG_TRY(calibration, readProfile(options.profile));
        link.measured = calibration.links;
    }
    ZIGZAG_TRY(vllm, findExportFormat("vllm")); // engines that know whole layers run a map alike
    std::vector<Row> rows;
    for (const NamedMap &named : maps)
        for (const std::int64_t context : options.contexts.empty() ? defaultContexts(config) : options.contexts) {
            Row row;
            row.map = named.name;
            row.context = context;
            row.kvBytes = kvBytes(named.map, context, config.kvType);
            if (const auto layers = engineLayers(named.map)) {
                row.layers = *layers;
                row.engines = engineMemory(config, *layers, context, options.engines);
            }
            for (const int gpus : options.gpus) {
                auto dealt = planTensorParallel(config, named.map, gpus, context, bytesPerSecond);
                if (auto ranks = servingRanks(config, gpus, options.gpusPerHost); ranks && row.layers && gpus > 1)
                    row.served.push_back({*ranks, servedRanks(config, vllm->asRun(named.map), *ranks, context)});
                else if (!ranks && gpus > options.gpusPerHost)
                    row.refusals.push_back(ranks.error().message);
                if (dealt) {
                    row.linkMs.push_back(gpus > options.gpusPerHost ? std::nullopt
                                                                    : std::optional(decodeLinkMs(config, link, gpus)));
                    row.plans.push_back(std::move(*dealt));
                } else if (options.gpus.size() == 1 && (gpus <= options.gpusPerHost || row.served.empty()))
                    return tl::unexpected(dealt.error());
                else
                    row.refusals.push_back(dealt.error().message);
            }
            rows.push_back(std::move(row));
        }
    if (options.format == "json") {
        nlohmann::ordered_json json = {{"kv_type", nameOf(config.kvType)},
                                       {"bytes_per_second", bytesPerSecond},
                                       {"gpus_per_host", options.gpusPerHost},
                                       {"link", linkJson(options.gpus, options.gpusPerHost, link)},
                                       {"records", nlohmann::json::array()}};
        for (const Row &row : rows)
            json["records"].push_back(toJson(row));
        fmt::print("{}\n", json.dump(1, ' ', false, anyBytes));
    } else {
        printTable(rows, options, link);
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
    command->add_option("--gpus-per-host", options->gpusPerHost, "GPUs of one host: beyond them, engines run stages of layers")
        ->check(integerIn(1, 64))
        ->capture_default_str();
    command->add_option("--profile", options->profile,
                        "machine profile of `zigzag calibrate --gpus`: links as they were measured (default: assumed)");
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
