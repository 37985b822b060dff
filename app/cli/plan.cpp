// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_support.h"
#include "engine/map/kv_layout.h"
#include "profiler/cost/tensor_parallel.h"

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace zigzag {

namespace {

struct PlanOptions {
    std::string model, format = "table";
    std::vector<std::string> maps;
    std::vector<std::int64_t> contexts;
    std::vector<int> gpus = {1, 2, 4, 8};
    double gigabytesPerSecond = 4300; ///< one H200, as the floors of the documentation are computed
    int sink = defaultSink, recent = defaultRecent;
    VllmServing vllm;
};

double sequencesPerGib(const VllmBill &bill)
{
    return static_cast<double>(std::int64_t{1} << 30) / static_cast<double>(bill.admissionBytes);
}

struct Row {
    std::string map;
    std::int64_t context = 0, kvBytes = 0;
    std::optional<VllmBill> vllm;
    std::vector<TensorParallelPlan> plans;
    std::vector<std::string> refusals; ///< of GPU counts that the model's heads cannot be dealt out to
};

nlohmann::ordered_json toJson(const Row &row)
{
    nlohmann::ordered_json json = {{"map", row.map}, {"context", row.context}, {"kv_bytes", row.kvBytes}};
    if (row.vllm) {
        json["vllm_bytes"] = row.vllm->bytes;
        json["vllm_admission_bytes"] = row.vllm->admissionBytes;
        json["vllm_sequences_per_gib"] = sequencesPerGib(*row.vllm);
        json["vllm_group_size"] = row.vllm->groupSize;
        json["vllm_billed_layers"] = {{"full", row.vllm->billedFull}, {"sliding", row.vllm->billedSliding}};
    } else {
        json["vllm_bytes"] = nullptr;
    }
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

void printTable(const std::vector<Row> &rows, const PlanOptions &options)
{
    std::size_t width = 3;
    for (const Row &row : rows)
        width = std::max(width, row.map.size());
    fmt::print("{:<{}}  {:>8}  {:>4}  {:>16}  {:>10}  {:>10}  {:>15}  {:>16}  {:>16}\n", "map", width, "context", "GPUs",
               "KV bytes a GPU", "memory x", "waiting x", "decode floor ms", "KV bytes in all", "vLLM reserves");
    for (const Row &row : rows)
        for (const TensorParallelPlan &plan : row.plans)
            fmt::print("{:<{}}  {:>8}  {:>4}  {:>16}  {:>10.3f}  {:>10.3f}  {:>15.3f}  {:>16}  {:>16}\n", row.map, width,
                       row.context, plan.gpus, plan.largestKvBytes, plan.memoryImbalance, plan.timeImbalance, plan.decodeFloorMs,
                       row.kvBytes, row.vllm ? fmt::format("{}", row.vllm->bytes) : "-");
    for (const Row &row : rows) {
        if (&row != &rows.front() && row.map == (&row)[-1].map)
            continue;
        if (row.vllm)
            fmt::print(
                "{}: vLLM bills {} full and {} sliding layers as {} and {}, in groups of {}, and admits {:.2f} sequences of {} "
                "tokens a GiB (blocks of {}, steps of {} tokens)\n",
                row.map, row.vllm->fullLayers, row.vllm->slidingLayers, row.vllm->billedFull, row.vllm->billedSliding,
                row.vllm->groupSize, sequencesPerGib(*row.vllm), row.context, options.vllm.blockTokens,
                options.vllm.batchedTokens);
        else
            fmt::print("{}: vLLM cannot run it: the map's layers have windows of their own, and vLLM has one for all\n", row.map);
    }
    fmt::print(
        "Computed, not measured: reads at {:g} GB/s a GPU; what the links between them take comes on top. KV bytes a GPU: of the "
        "fullest one.\nmemory x: fullest GPU / mean; waiting x: slowest GPU of each layer / mean, 1 = nobody waits. vLLM knows "
        "whole layers and no sinks:\na mixed layer is a full one there.\n",
        options.gigabytesPerSecond);
    if (!rows.empty())
        for (const std::string &refusal : rows.front().refusals)
            fmt::print(stderr, "note: left out: {}\n", refusal);
}

Result<void> plan(const PlanOptions &options)
{
    ZIGZAG_TRY(config, loadShape(options.model));
    ZIGZAG_TRY(maps, resolveMaps(options.maps, config.shape(), options.sink, options.recent));
    noteContexts(config, options.contexts);
    std::vector<Row> rows;
    for (const NamedMap &named : maps)
        for (const std::int64_t context : options.contexts.empty() ? defaultContexts(config) : options.contexts) {
            Row row{named.name,
                    context,
                    kvBytes(named.map, context, config.dtype),
                    vllmBill(config, named.map, context, options.vllm),
                    {},
                    {}};
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
        nlohmann::ordered_json json
            = {{"bytes_per_second", 1e9 * options.gigabytesPerSecond}, {"records", nlohmann::json::array()}};
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
    CLI::App *command = app.add_subcommand("plan", "what a map costs on several GPUs, and what vLLM would reserve for it");
    command->add_option("MODEL", options->model, "Hugging Face folder, GGUF file, bundled:NAME or preset:NAME")->required();
    command->add_option("--map", options->maps, "head-map file, full or streaming; repeat it to compare")->required();
    addContextsOption(*command, options->contexts);
    command->add_option("--gpus", options->gpus, "tensor-parallel sizes, separated by commas")
        ->delimiter(',')
        ->capture_default_str();
    command->add_option("--bandwidth", options->gigabytesPerSecond, "GB/s that one GPU reads; default: an H200")
        ->check(numberAbove(0))
        ->capture_default_str();
    command
        ->add_option("--vllm-block", options->vllm.blockTokens, "tokens of a block of vLLM's KV cache: 16 on GPUs, 128 on CPUs")
        ->check(integerIn(1, 1 << 20))
        ->capture_default_str();
    command->add_option("--vllm-batched", options->vllm.batchedTokens, "vLLM's --max-num-batched-tokens: tokens of a step")
        ->check(integerIn(1, 1 << 30))
        ->capture_default_str();
    addWindowOptions(*command, options->sink, options->recent);
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return plan(*options); }; });
}

} // namespace zigzag
