// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/run_output.h"

#include "profiler/evaluate/statistics.h"
#include "profiler/timing/disturbance.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {
namespace {

/// A CSV field, quoted where it must be.
std::string field(const std::string &text)
{
    if (text.find_first_of(",\"\n") == text.npos)
        return text;
    std::string quoted = "\"";
    for (const char c : text)
        quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + '"';
}

/// The measured rate that the floor was computed with.
std::string ceilingText(const BenchRecord &record)
{
    const bool bytes = record.phase == Phase::Decode;
    return fmt::format("{} {:.1f} {}", record.ceiling, record.ceilingPerSecond / 1e9, bytes ? "GB/s" : "GFLOP/s");
}

} // namespace

std::string floorText(const BenchRecord &record)
{
    const std::optional<double> share = record.floorShare();
    return share ? fmt::format("{:.1f} %", 100 * *share) : std::string("-");
}

std::string benchTable(const std::vector<BenchRecord> &records, int repeats)
{
    std::size_t width = 3;
    for (const BenchRecord &record : records)
        width = std::max(width, record.map.size());
    std::string text = fmt::format("{:<{}}  {:<7}  {:>8}  {:>5}  {:<10}  {:>10}  {:>8}  {:>10}  {:>13}  {:>13}  {:>7}  {}\n",
                                   "map", width, "phase", "context", "batch", "mixed", "median ms", "± IQR", "tokens/s",
                                   "KV computed", "KV allocated", "floor", "ceiling");
    for (const BenchRecord &record : records) {
        text += fmt::format("{:<{}}  {:<7}  {:>8}  {:>5}  {:<10}  ", record.map, width, nameOf(record.phase), record.context,
                            record.batch, nameOf(record.mixed));
        if (record.failure.empty())
            text += fmt::format("{:>10.3f}  {:>8.3f}  {:>10.1f}  {:>13}  {:>13}  {:>7}  {}{}\n", record.medianMs, record.spreadMs,
                                tokensPerSecond(record), record.kvBytes, record.kvBytesAllocated, floorText(record),
                                ceilingText(record), record.isDisturbed() ? "  disturbed" : "");
        else
            text += fmt::format("not measured: {}\n", record.failure);
    }
    if (const std::string what = textOf(disturbanceOf(records, repeats)); !what.empty())
        text += what + '\n';
    return text;
}

std::string benchCsv(const MachineProfile &machine, const std::vector<BenchRecord> &records)
{
    std::string text
        = "map,phase,context,batch,mixed,median_ms,spread_ms,tokens_per_second,kv_bytes,kv_bytes_allocated,floor_ms,"
          "floor_ratio,ceiling,ceiling_moved,samples,disturbed,failure,device,threads,backend,driver,build,kv_type\n";
    for (const BenchRecord &record : records) {
        text += fmt::format("{},{},{},{},{},", field(record.map), nameOf(record.phase), record.context, record.batch,
                            nameOf(record.mixed));
        text += record.failure.empty() ? fmt::format("{},{},{},", record.medianMs, record.spreadMs, tokensPerSecond(record))
                                       : std::string(",,,");
        text += fmt::format("{},{},{},", record.kvBytes, record.kvBytesAllocated, record.floorMs);
        const std::optional<double> share = record.floorShare();
        text += record.failure.empty() && share ? fmt::format("{},", *share) : std::string(",");
        text += fmt::format("{},{},{},{},{},{},{},{},{},{},{}\n", field(record.ceiling), record.ceilingMoved() ? 1 : 0,
                            record.samplesMs.size(), record.disturbed, field(record.failure), field(machine.device),
                            machine.threads, machine.backend, field(machine.driver), field(machine.build),
                            record.kvType ? nameOf(*record.kvType) : std::string_view());
    }
    return text;
}

std::string machineText(const MachineProfile &machine)
{
    return fmt::format("{}, {} threads, backend {}, zigzag {}. Measured in this run, before and after: memory read {:.1f} GB/s, "
                       "cache read {:.1f} GB/s, matrix "
                       "library {:.3f} TFLOP/s f32, {:.3f} TFLOP/s bf16.",
                       machine.device, machine.threads, machine.backend, machine.build, machine.readBytesPerSecond / 1e9,
                       machine.cachedReadBytesPerSecond / 1e9, machine.matrixFlopsF32 / 1e12, machine.matrixFlopsBf16 / 1e12);
}

nlohmann::ordered_json needleJson(const NeedleResult &result)
{
    nlohmann::ordered_json grid = nlohmann::ordered_json::array();
    int found = 0, trials = 0;
    for (const NeedleCell &cell : result.grid) {
        const Interval share = shareInterval(cell.found, cell.trials);
        grid.push_back({{"context", cell.context},
                        {"depth", cell.depth},
                        {"accuracy", cell.accuracy()},
                        {"trials", cell.trials},
                        {"low", share.low},
                        {"high", share.high}});
        found += cell.found;
        trials += cell.trials;
    }
    const Interval share = shareInterval(found, trials);
    return {
        {"accuracy", result.accuracy}, {"low", share.low}, {"high", share.high}, {"trials", trials}, {"grid", std::move(grid)}};
}

std::string needleTable(const NeedleResult &result)
{
    std::vector<double> depths;
    for (const NeedleCell &cell : result.grid)
        if (std::find(depths.begin(), depths.end(), cell.depth) == depths.end())
            depths.push_back(cell.depth);
    std::string text = fmt::format("{:>16}", "context \\ depth");
    for (const double depth : depths)
        text += fmt::format("  {:>7.2f}", depth);
    for (std::size_t i = 0; i < result.grid.size(); ++i) {
        if (i % depths.size() == 0)
            text += fmt::format("\n{:>16}", result.grid[i].context);
        text += fmt::format("  {:>5.1f} %", 100.0 * result.grid[i].accuracy());
    }
    return text + '\n';
}

nlohmann::ordered_json boundJson(const Interval &interval, double bound)
{
    return interval.count < 2 ? nlohmann::ordered_json() : nlohmann::ordered_json(bound);
}

std::string intervalText(const Interval &interval, std::string_view values)
{
    return interval.count < 2 ? fmt::format("none: too few {}", values)
                              : fmt::format("{:.6f} to {:.6f}", interval.low, interval.high);
}

} // namespace zigzag
