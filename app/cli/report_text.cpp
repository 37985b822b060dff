// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/report_text.h"
#include "app/cli/json_text.h"

#include "app/cli/run_output.h"
#include "engine/map/assign.h"
#include "profiler/timing/disturbance.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {
namespace {

const BenchRecord *find(const Report &report, const std::string &map, Phase phase, std::int64_t context)
{
    const auto found = std::find_if(report.records.begin(), report.records.end(), [&](const BenchRecord &record) {
        return record.map == map && record.phase == phase && record.context == context && record.failure.empty();
    });
    return found == report.records.end() ? nullptr : &*found;
}

std::string measured(const BenchRecord *record)
{
    return record ? fmt::format("{:.3f} ms ± {:.3f}{}", record->medianMs, record->spreadMs, record->isDisturbed() ? " !" : "")
                  : std::string("not measured");
}

/// "-12.3 %": how b differs from a.
std::string change(double a, double b)
{
    return a > 0 ? fmt::format("{:+.1f} %", 100.0 * (b - a) / a) : std::string("-");
}

std::string change(const BenchRecord *a, const BenchRecord *b)
{
    return a && b ? change(a->medianMs, b->medianMs) : std::string("-");
}

/// A row per layer: R or S for each KV head, and the scores behind it.
std::string drawMap(const HeadMap &map, const HeadScores &scores)
{
    std::string text;
    for (int layer = 0; layer < map.layers(); ++layer) {
        text += fmt::format("  layer {:>2}  {}   scores", layer, map.letters(layer));
        for (int head = 0; head < map.kvHeads(); ++head)
            text += fmt::format(" {:.2f}", scores.at(layer, head));
        text += '\n';
    }
    return text;
}

/// How much of the report other programs disturbed; "" where nothing was.
std::string disturbanceText(const Report &report)
{
    std::string text = textOf(disturbanceOf(report.records, report.benchPlan.repeats));
    if (report.needlePlan.trials < report.trialsAsked)
        text += fmt::format("{}The needle was asked {} of {} questions a cell, as the time of the whole job was used up.",
                            text.empty() ? "" : " ", report.needlePlan.trials, report.trialsAsked);
    return text;
}

std::string filesText(const Report &report)
{
    std::string text;
    for (const std::string &file : report.files)
        text += fmt::format("  {}\n", file);
    return text;
}

nlohmann::ordered_json mapJson(const Assignment &assignment, const HeadScores &scores)
{
    const HeadMap &map = assignment.map;
    const Sacrifice total = sacrificed(map, scores).total;
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (int layer = 0; layer < map.layers(); ++layer)
        rows.push_back(map.letters(layer));
    const StreamingWindow window = map.oneWindow().value(); // nothing was locked
    return {{"sink", window.sink},
            {"recent", window.recent},
            {"heads", rows},
            {"streaming_heads", total.streaming},
            {"mixed_layers", map.mixedLayers()},
            {"flipped", total.flipped},
            {"demoted", total.demoted},
            {"transport_cost", total.transportCost},
            {"ties", assignment.ties}};
}

std::string sacrificeText(const Assignment &assignment, const HeadScores &scores)
{
    const Sacrifice total = sacrificed(assignment.map, scores).total;
    return fmt::format(
        "{} of {} KV heads stream, {} of {} layers mixed, {} heads flipped against DuoAttention at equal sparsity, {} with a "
        "score of at least 0.9 demoted, transport cost {:.3f}",
        total.streaming, assignment.map.model().mappableHeads(), assignment.map.mixedLayers(),
        assignment.map.model().mappableLayers(), total.flipped, total.demoted, total.transportCost);
}

} // namespace

std::string reportJson(const Report &report)
{
    nlohmann::ordered_json json = benchJson(report.modelName, report.machine, report.benchPlan, report.records);
    json.erase("format"); // it holds more than a bench
    json.erase("version");
    nlohmann::ordered_json needle;
    for (const auto &[map, result] : report.needle)
        needle[map] = needleJson(result);
    json["model"] = {{"name", report.modelName},
                     {"layers", report.config.layers},
                     {"query_heads", report.config.queryHeads},
                     {"kv_heads", report.config.kvHeads},
                     {"head_dim", report.config.headDim},
                     {"parameters", report.config.parameters()},
                     {"fingerprint", report.scores.model.fingerprint}};
    json["sparsity"] = report.sparsity;
    json["scores"] = {
        {"method", report.scores.method},
        {"seed", report.scorePlan.seed},
        {"trials",
         report.scorePlan.contexts.size() * report.scorePlan.depths.size() * static_cast<std::size_t>(report.scorePlan.trials)},
        {"scores", report.scores.scores},
        {"spread", report.scores.spread},
        {"unanswered", report.scores.unanswered}};
    json["maps"] = {{"duo", mapJson(report.duo, report.scores)}, {"zigzag", mapJson(report.zigzag, report.scores)}};
    json["needle"] = std::move(needle);
    json["note"] = disturbanceText(report);
    json["files"] = report.files;
    json["seconds"] = report.seconds;
    return json.dump(1, ' ', false, anyBytes) + '\n';
}

std::string reportMarkdown(const Report &report)
{
    std::string text = fmt::format("# {}: full attention against Zigzag at {:.0f} %\n\n{}\n\n", report.modelName,
                                   100.0 * report.sparsity, machineText(report.machine));
    if (const std::string disturbed = disturbanceText(report); !disturbed.empty())
        text += fmt::format("**Disturbed:** {}\n\n", disturbed);
    text += fmt::format(
        "## Scores and map\n\nScores: attention on {} passkey questions (measured, seed {}). Map: criterion `zigzag`, {} "
        "(computed): {}.\n\n```\n{}```\n\nDuoAttention at the same sparsity: {}.\n\n",
        report.scorePlan.contexts.size() * report.scorePlan.depths.size() * static_cast<std::size_t>(report.scorePlan.trials),
        report.scorePlan.seed, windowText(report.zigzag.map), sacrificeText(report.zigzag, report.scores),
        drawMap(report.zigzag.map, report.scores), sacrificeText(report.duo, report.scores));
    text += fmt::format(
        "## Time and memory\n\nMedian and interquartile range of {} interleaved repeats; KV bytes computed, and allocated by "
        "the backend; floor = least time that the ceiling allows / median.\n\n| map | phase | context | mixed layers | ms | "
        "± | tokens/s | KV bytes | allocated | floor | ceiling | disturbed "
        "|\n|---|---|---:|---|---:|---:|---:|---:|---:|---:|---|---:|\n",
        report.benchPlan.repeats);
    for (const BenchRecord &r : report.records) {
        if (r.failure.empty())
            text += fmt::format("| {} | {} | {} | {} | {:.3f} | {:.3f} | {:.1f} | {} | {} | {} | {} | {} |\n", r.map,
                                nameOf(r.phase), r.context, nameOf(r.mixed), r.medianMs, r.spreadMs, tokensPerSecond(r),
                                r.kvBytes, r.kvBytesAllocated, floorText(r), r.ceiling,
                                r.disturbed > 0 ? fmt::format("{} of {}", r.disturbed, r.samplesMs.size()) : std::string());
        else
            text += fmt::format("| {} | {} | {} | {} | not measured: {} | | | {} | | | | |\n", r.map, nameOf(r.phase), r.context,
                                nameOf(r.mixed), r.failure, r.kvBytes);
    }
    text += fmt::format(
        "\n## Needle\n\nPasskeys that the bundled model was never trained on, {} questions a cell, greedy, right when every "
        "digit is (measured, seed {}).\n",
        report.needlePlan.trials, report.needlePlan.seed);
    for (const auto &[map, result] : report.needle)
        text += fmt::format("\n{}: {:.1f} % found\n\n```\n{}```\n", map, 100.0 * result.accuracy, needleTable(result));
    text += fmt::format("\n## Files\n\n{}\nThe whole job took {:.0f} s.\n", filesText(report), report.seconds);
    return text;
}

std::string reportSummary(const Report &report)
{
    std::string text
        = fmt::format("{}: {} layers, {} query heads, {} KV heads, {} parameters\n{}\n\n", report.modelName, report.config.layers,
                      report.config.queryHeads, report.config.kvHeads, report.config.parameters(), machineText(report.machine));
    text += fmt::format("Zigzag map at {:.0f} % (R = retrieval, S = streaming: {}), {}\n{}\n", 100.0 * report.sparsity,
                        windowText(report.zigzag.map), sacrificeText(report.zigzag, report.scores),
                        drawMap(report.zigzag.map, report.scores));
    const std::int64_t context = report.benchPlan.contexts.back();
    const auto row = [&](std::string_view name, Phase phase) {
        const BenchRecord *full = find(report, "full", phase, context), *zigzag = find(report, "zigzag", phase, context);
        text += fmt::format("{:<34}  {:>20}  {:>20}  {:>9}\n", name, measured(full), measured(zigzag), change(full, zigzag));
    };
    text += fmt::format("{:<34}  {:>20}  {:>20}  {:>9}\n", fmt::format("at {} tokens", context), "full", "zigzag", "change");
    row("TTFT (measured, median ± IQR)", Phase::Prefill);
    row("TPOT (measured, median ± IQR)", Phase::Decode);
    const BenchRecord *full = find(report, "full", Phase::Decode, context),
                      *zigzag = find(report, "zigzag", Phase::Decode, context);
    if (full && zigzag)
        text += fmt::format("{:<34}  {:>20}  {:>20}  {:>9}\n", "KV bytes (computed = allocated)", full->kvBytes, zigzag->kvBytes,
                            change(static_cast<double>(full->kvBytes), static_cast<double>(zigzag->kvBytes)));
    if (const std::string disturbed = disturbanceText(report); !disturbed.empty())
        text += fmt::format("\n{}{}\n", disturbed,
                            text.find(" !") == text.npos ? "" : " ! marks a time of which most samples were disturbed.");
    text += "\nNeedle, share of passkeys found (measured):";
    for (const auto &[map, result] : report.needle)
        text += fmt::format("  {} {:.1f} %", map, 100.0 * result.accuracy);
    return text + fmt::format("\n\nwritten in {:.0f} s:\n{}", report.seconds, filesText(report));
}

} // namespace zigzag
